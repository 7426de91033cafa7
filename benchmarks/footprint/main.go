// Command footprint measures what a run costs beside arithmetic: size of the binary, seconds from the start of the process to the end of the first step,
// peak memory of a default run, and the time that a checkpoint takes.
//
//	go run ./footprint [-reps 5] [-steps 300]
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"artel/benchmarks/internal/binary"
)

func main() {
	reps := flag.Int("reps", 5, "processes per figure; the median counts")
	steps := flag.Int("steps", 300, "steps of the run whose memory is measured")
	flag.Parse()
	dir, err := os.MkdirTemp("", "artel-footprint")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	train, err := binary.Train(dir)
	if err != nil {
		log.Fatal(err)
	}
	info, err := os.Stat(train)
	if err != nil {
		log.Fatal(err)
	}
	first := repeat(*reps, func(i int) float64 { return firstStep(train, filepath.Join(dir, fmt.Sprint("first", i))) })
	var rss, save []float64
	for i := range *reps {
		out := filepath.Join(dir, fmt.Sprint("run", i))
		rss = append(rss, peak(train, out, *steps))
		save = append(save, checkpointTime(out))
	}
	fmt.Println("| figure | median | least | most |\n|---|---|---|---|")
	fmt.Printf("| binary, stripped, MiB | %.1f | | |\n", float64(info.Size())/(1<<20))
	line("process start to end of first step, s", first)
	line("peak resident memory of the default run, MiB", rss)
	line("checkpoint (model, optimizer, state; synced), ms", save)
}

func line(name string, x []float64) {
	slices.Sort(x)
	fmt.Printf("| %s | %.3g | %.3g | %.3g |\n", name, x[len(x)/2], x[0], x[len(x)-1])
}

func repeat(n int, f func(i int) float64) (out []float64) {
	for i := range n {
		out = append(out, f(i))
	}
	return out
}

// firstStep is the time until the process has printed the line of its first step.
func firstStep(train, out string) float64 {
	cmd := exec.Command(train, "out="+out, "steps=1000")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		log.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	start := time.Now()
	if err := cmd.Start(); err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		if len(lines.Text()) > 5 && lines.Text()[:5] == "step " {
			took := time.Since(start).Seconds()
			cmd.Process.Kill()
			cmd.Wait()
			return took
		}
	}
	log.Fatalf("no step: %v", cmd.Wait())
	return 0
}

// peak runs the default model for a while and returns the largest resident memory in MiB.
func peak(train, out string, steps int) float64 {
	cmd := exec.Command(train, "out="+out, fmt.Sprint("steps=", steps))
	if msg, err := cmd.CombinedOutput(); err != nil {
		log.Fatalf("%v\n%s", err, msg)
	}
	return float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024
}

// checkpointTime reads from a run's log how many milliseconds its checkpoint took.
func checkpointTime(out string) float64 {
	f, err := os.Open(filepath.Join(out, "log.jsonl"))
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	for d := json.NewDecoder(f); ; {
		var l struct {
			Msg  string  `json:"msg"`
			Took float64 `json:"took"`
		}
		if err := d.Decode(&l); err != nil {
			log.Fatalf("%s: no checkpoint in its log: %v", out, err)
		}
		if l.Msg == "checkpoint" {
			return 1e3 * l.Took
		}
	}
}
