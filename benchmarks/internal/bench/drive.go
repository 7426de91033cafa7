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
	Ready   time.Duration  // what preparing and warming may take; 0: ten minutes
	Other   bool           // does other work than the first case: timed beside it, answers not compared
	Refused string         // why the case must not be timed; empty: it may
	Apart   float64        // relative distance of its answers from those of the first case, when compared
}

// Plan says how often cases run.
type Plan struct {
	Reps  int
	Burst int           // repetitions in a row per turn; of several the first is not counted: it finds the caches as others left them
	Limit time.Duration // no new turn after this time, but four turns at least; 0: none
	On    *Machine      // shared with others; nil: ours
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
		results[i] = Result{Name: cases[i].Name, System: cases[i].System, Config: cases[i].Config, Apart: cases[i].Apart}
		if results[i].Error = cases[i].Refused; results[i].Error != "" {
			workers[i] = &running{res: &results[i]}
			continue
		}
		if err := p.On.Pause(); err != nil {
			results[i].Error = err.Error()
			workers[i] = &running{res: &results[i]}
			continue
		}
		workers[i] = start(&cases[i], &results[i])
	}
	m := meter{workers: workers}
	var err error
	for r := 0; r < p.Reps && err == nil; r++ {
		if err = p.On.Pause(); err != nil {
			break
		}
		m.begin()
		for _, w := range workers {
			if w.res.Error == "" {
				w.turn(p.Burst)
			}
		}
		m.end()
		if p.Limit > 0 && m.spent > p.Limit.Seconds() && r >= 3 {
			break
		}
	}
	for _, w := range workers {
		w.stop()
		if w.res.Error == "" && err != nil {
			w.res.Error = err.Error()
		}
		w.res.ForeignCPUs, w.res.ForeignS = m.foreign/max(m.spent, 1e-3), m.foreign
		w.res.finish()
	}
	return results
}

// Prepare starts a case, waits until it is ready and ends it: for what a worker does on the way, such as writing its answers.
func Prepare(c Case) (Info, error) {
	var res Result
	w := start(&c, &res)
	w.stop()
	if res.Error != "" {
		return res.Info, fmt.Errorf("%s", res.Error)
	}
	return res.Info, nil
}

func start(c *Case, res *Result) *running {
	w := &running{res: res}
	raw, err := json.Marshal(c.Config)
	if err != nil {
		panic(err) // strings and numbers only
	}
	w.cmd = exec.Command(c.Command[0], append(c.Command[1:len(c.Command):len(c.Command)], "-worker", string(raw))...)
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
	limit := c.Ready
	if limit == 0 {
		limit = 10 * time.Minute
	}
	timer := time.AfterFunc(limit, func() { w.cmd.Process.Kill() })
	w.read(&res.Info)
	if !timer.Stop() {
		res.Error = fmt.Sprintf("not ready within %v", limit)
	} else if res.Info.Error != "" {
		res.Error = res.Info.Error
	}
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
	timer := time.AfterFunc(10*time.Second, func() { w.cmd.Process.Kill() })
	w.cmd.Wait()
	timer.Stop()
}
