// Command gate checks that a default run learned what it should: it reads the run's summary.json and fails when a task's accuracy is
// below its threshold.
//
//	go run ./scripts/gate RUN
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gate RUN, the directory of a run")
		os.Exit(2)
	}
	raw, err := os.ReadFile(filepath.Join(os.Args[1], "summary.json"))
	if err == nil {
		err = check(raw, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gate:", err)
		os.Exit(1)
	}
}

// check compares a summary with the thresholds, task by task.
func check(raw []byte, out io.Writer) error {
	var s struct {
		Tasks map[string]struct {
			Accuracy *float64 `json:"accuracy"`
		} `json:"tasks"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("summary.json: %w", err)
	}
	failed := 0
	for _, t := range thresholds {
		got := s.Tasks[t.task].Accuracy
		switch {
		case got == nil:
			fmt.Fprintf(out, "%-10s no accuracy, want at least %g %%\n", t.task, t.percent)
			failed++
		case !(100**got >= t.percent):
			fmt.Fprintf(out, "%-10s %.2f %%, want at least %g %%\n", t.task, 100**got, t.percent)
			failed++
		default:
			fmt.Fprintf(out, "%-10s %.2f %%, at least %g %%\n", t.task, 100**got, t.percent)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d tasks are below their thresholds", failed, len(thresholds))
	}
	return nil
}
