// Command versus compares two commits: it builds the benchmarks of another commit in a worktree, lets its cases and those of the present sources take turns, and hands
// every measurement to benchstat.
//
//	go run ./versus -ref COMMIT [-reps 10] [-cases layer,step,kernels]
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/suite"
)

// benchstat is pinned, so that the table means the same next year.
const benchstat = "golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da"

// job is a case of a command that speaks the protocol of package bench.
type job struct {
	command, name string
	config        map[string]any
}

var jobs = []job{
	{"layer", "Layer/A/f32", map[string]any{"shape": "A", "dtype": "f32"}},
	{"layer", "Layer/A/bf16", map[string]any{"shape": "A", "dtype": "bf16"}},
	{"layer", "Layer/B/f32", map[string]any{"shape": "B", "dtype": "f32"}},
	{"layer", "Layer/B/bf16", map[string]any{"shape": "B", "dtype": "bf16"}},
	{"layer", "Layer/C/f32", map[string]any{"shape": "C", "dtype": "f32"}},
	{"layer", "Layer/C/bf16", map[string]any{"shape": "C", "dtype": "bf16"}},
	{"step", "Step/plain", map[string]any{"tasks": 4, "method": "sum"}},
	{"step", "Step/pcgrad", map[string]any{"tasks": 4, "method": "pcgrad"}},
	{"step", "Step/pcgrad-owned", map[string]any{"tasks": 4, "method": "pcgrad", "owned": true}},
	{"kernels", "Product/1024/f32", map[string]any{"m": 1024, "n": 1024, "k": 1024, "dtype": "f32"}},
	{"kernels", "Product/1024/bf16", map[string]any{"m": 1024, "n": 1024, "k": 1024, "dtype": "bf16"}},
	{"kernels", "Product/64x1024x512/f32", map[string]any{"m": 64, "n": 1024, "k": 512, "dtype": "f32"}},
}

func main() {
	log.SetFlags(0)
	ref := flag.String("ref", "", "commit to compare with")
	reps := flag.Int("reps", 10, "turns per case")
	only := flag.String("cases", "layer,step,kernels", "commands whose cases run")
	alone := flag.String("alone", "", "command that waits for the machine, prints a line, and gives it back when its input ends; for machines that are shared")
	flag.Parse()
	if *ref == "" {
		log.Fatal("-ref is missing: the commit to compare with")
	}
	if err := run(*ref, *reps, *only, &bench.Machine{Command: strings.Fields(*alone)}); err != nil {
		log.Fatal(err)
	}
}

func run(ref string, reps int, only string, machine *bench.Machine) error {
	dir, err := os.MkdirTemp("", "artel-versus")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tools, err := suite.Open(dir)
	if err != nil {
		return err
	}
	tree := filepath.Join(dir, "tree")
	if err := command(tools.Module(), nil, "git", "worktree", "add", "--detach", tree, ref); err != nil {
		return err
	}
	defer command(tools.Module(), nil, "git", "worktree", "remove", "--force", tree)
	var before, after bytes.Buffer
	for _, j := range jobs {
		if !strings.Contains(","+only+",", ","+j.command+",") {
			continue
		}
		now, err := tools.Own(j.command)
		if err != nil {
			return err
		}
		then := filepath.Join(dir, "then-"+j.command)
		if _, err := os.Stat(then); err != nil {
			if err := command(filepath.Join(tree, "benchmarks"), nil, "go", "build", "-o", then, "./"+j.command); err != nil {
				return fmt.Errorf("%s has no benchmark %q that can be built: %w", ref, j.command, err)
			}
		}
		log.Print(j.name)
		results := bench.Drive([]bench.Case{{Name: ref, Command: []string{then}, Config: j.config}, {Name: "now", Command: []string{now}, Config: j.config}}, bench.Plan{Reps: reps, Burst: 2, On: machine})
		machine.Give()
		for i, out := range []*bytes.Buffer{&before, &after} {
			if results[i].Error != "" {
				log.Printf("%s, %s: %s", j.name, results[i].Name, results[i].Error)
			}
			for _, ms := range results[i].Measurements() {
				fmt.Fprintf(out, "Benchmark%s 1 %.0f ns/op\n", j.name, 1e6*ms)
			}
		}
	}
	for name, b := range map[string]*bytes.Buffer{ref: &before, "now": &after} {
		if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", "_")), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return command(dir, os.Stdout, "go", "run", benchstat, strings.ReplaceAll(ref, "/", "_"), "now")
}

// command runs a program in dir; what it prints goes to out, and its complaints are the error.
func command(dir string, out *os.File, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if out != nil {
		cmd.Stdout = out
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(complaints.String()))
	}
	return nil
}
