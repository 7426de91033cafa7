// Command startup measures what a user waits for and carries around: seconds from the start of a process to the end of its first training step, memory of a
// default run, and the size of the binary.
//
//	go run ./startup [-reps 7]
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
	"strings"
	"time"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/suite"
)

// job is what a worker is told: the process to start, and how the line of its first step begins; empty: the process is to run to its end. "OUT" in an
// argument stands for a new directory.
type job struct {
	Command []string `json:"command"`
	Until   string   `json:"until"`
}

func main() {
	log.SetFlags(0)
	reps := flag.Int("reps", 7, "processes per case; the median counts")
	worker := flag.String("worker", "", "start the process given as JSON on demand; see package bench")
	flag.Parse()
	if *worker != "" {
		var j job
		if err := json.Unmarshal([]byte(*worker), &j); err != nil {
			bench.Fail(err)
			return
		}
		bench.Serve(bench.Info{}, 1, j.run)
		return
	}
	tmp, err := os.MkdirTemp("", "artel-startup")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	tools, err := suite.Open(tmp)
	if err != nil {
		log.Fatal(err)
	}
	groups, err := tools.Startup(*reps)
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range groups {
		o := tools.Run(g)
		fmt.Print(o.Table())
	}
	fmt.Printf("\nThe stripped binary of train: %.1f MiB.\n", tools.Binary)
}

// run starts the process and returns the milliseconds until its line.
func (j *job) run() (float64, error) {
	dir, err := os.MkdirTemp("", "artel-startup")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	var args []string
	for _, a := range j.Command[1:] {
		args = append(args, strings.ReplaceAll(a, "OUT", filepath.Join(dir, "run")))
	}
	cmd := exec.Command(j.Command[0], args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	cmd.Stderr = cmd.Stdout
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ms, last := 0.0, ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		last = lines.Text()
		if ms == 0 && j.Until != "" && strings.HasPrefix(last, j.Until) {
			ms = time.Since(start).Seconds() * 1e3
			cmd.Process.Kill()
		}
	}
	err = cmd.Wait()
	if j.Until == "" && err == nil {
		ms = time.Since(start).Seconds() * 1e3
	}
	if ms == 0 {
		return 0, fmt.Errorf("%s: no line %q; the last one was %q: %v", j.Command[0], j.Until, last, err)
	}
	return ms, nil
}
