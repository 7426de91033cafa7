package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Case is a worker to be started: its command without "-worker CASE", and the case.
type Case struct {
	Name    string
	System  string
	Command []string
	Env     []string       // additional to the environment
	Config  map[string]any // the case, handed over as JSON
	Flag    string         // "-worker" when empty
}

// Plan says how often cases run.
type Plan struct {
	Reps  int
	Burst int           // repetitions in a row per turn; of several the first is not counted: it finds the caches as others left them
	Limit time.Duration // no new turn after this time, but four turns at least; 0: none
}

// running is a started worker.
type running struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
	res *Result
}

// Drive starts all cases, runs them in turns and returns their results in the order of the cases.
func Drive(cases []Case, p Plan) []Result {
	results := make([]Result, len(cases))
	workers := make([]*running, len(cases))
	for i := range cases {
		results[i] = Result{Name: cases[i].Name, System: cases[i].System, Config: cases[i].Config}
		workers[i] = start(&cases[i], &results[i])
	}
	begin, before := time.Now(), busy(workers)
	for r := 0; r < p.Reps; r++ {
		for _, w := range workers {
			if w.res.Error == "" {
				w.turn(p.Burst)
			}
		}
		if p.Limit > 0 && time.Since(begin) > p.Limit && r >= 3 {
			break
		}
	}
	foreign := max(0, (busy(workers)-before)/time.Since(begin).Seconds())
	for _, w := range workers {
		w.stop()
		w.res.ForeignCPUs = foreign
		w.res.finish()
	}
	return results
}

func start(c *Case, res *Result) *running {
	w := &running{res: res}
	raw, err := json.Marshal(c.Config)
	if err != nil {
		panic(err) // strings and numbers only
	}
	flag := c.Flag
	if flag == "" {
		flag = "-worker"
	}
	w.cmd = exec.Command(c.Command[0], append(c.Command[1:len(c.Command):len(c.Command)], flag, string(raw))...)
	w.cmd.Env = append(os.Environ(), c.Env...)
	w.cmd.Stderr = logFile()
	if w.in, err = w.cmd.StdinPipe(); err == nil {
		var out io.ReadCloser
		if out, err = w.cmd.StdoutPipe(); err == nil {
			w.out = bufio.NewScanner(out)
			err = w.cmd.Start()
		}
	}
	if err != nil {
		res.Error = err.Error()
		w.cmd = nil
		return w
	}
	w.read(&res.Info)
	return w
}

// logFile is where workers' complaints go: the file that BENCH_STDERR names, or nowhere.
func logFile() io.Writer {
	f, err := os.OpenFile(os.Getenv("BENCH_STDERR"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil
	}
	return f
}

func (w *running) read(into any) {
	if !w.out.Scan() {
		w.res.Error = "the worker ended without an answer"
		return
	}
	if err := json.Unmarshal(w.out.Bytes(), into); err != nil {
		w.res.Error = fmt.Sprintf("answer %q: %v", w.out.Text(), err)
	}
}

// turn runs one burst.
func (w *running) turn(burst int) {
	burst = max(burst, 1)
	for k := 0; k < burst && w.res.Error == ""; k++ {
		var m struct {
			MS    float64 `json:"ms"`
			RSS   float64 `json:"peak_rss_mb"`
			Error string  `json:"error"`
		}
		if _, err := io.WriteString(w.in, "go\n"); err != nil {
			w.res.Error = err.Error()
			return
		}
		w.read(&m)
		if m.Error != "" {
			w.res.Error = m.Error
		}
		if w.res.Error != "" {
			return
		}
		w.res.PeakRSSMB = m.RSS
		if burst == 1 || k > 0 {
			w.res.measurements = append(w.res.measurements, m.MS)
		}
	}
	time.Sleep(5 * time.Millisecond)
}

func (w *running) stop() {
	if w.cmd == nil {
		return
	}
	w.in.Close()
	w.cmd.Wait()
}
