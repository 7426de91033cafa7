// Command compare runs the whole comparison: Artel, PyTorch, transformers, TorchJD, LibMTL and engines in Go, side by side in one run, with the peak of the
// processor measured beside them. Answers are compared with Artel's before anything is timed. It writes a dated table, all figures as JSON, and a chart.
//
//	go run ./compare [-parts kernels,layer,step,rivals,checkpoint,startup] [-shapes A,B,C] [-dtypes f32,bf16] [-tasks 2,4,8] [-quick]
//	go run ./compare -render results/FILE.json     table and chart once more
//
// Python peers need a virtual environment (peers/README.md), Go rivals the module proxy; what is absent is left out, and the report says so.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/suite"
)

func main() {
	log.SetFlags(0)
	parts := flag.String("parts", "kernels,layer,step,rivals,checkpoint,startup", "what to compare")
	shapes := flag.String("shapes", "A,B,C", "mixture layers")
	dtypes := flag.String("dtypes", "f32,bf16", "precisions")
	tasks := flag.String("tasks", "2,4,8", "numbers of tasks of a step")
	quick := flag.Bool("quick", false, "fewer shapes and repetitions")
	out := flag.String("out", "results", "directory for table, figures and chart")
	alone := flag.String("alone", "", "command that waits for the machine, prints a line, and gives it back when its input ends; for machines that are shared")
	render := flag.String("render", "", "write table and chart of this JSON file again")
	readme := flag.String("readme", "", "file whose lines between the marks of a comparison are to be replaced by its summary")
	flag.Parse()
	if *render != "" {
		r, err := read(*render)
		if err == nil {
			err = r.write(strings.TrimSuffix(*render, ".json"), *readme)
		}
		if err != nil {
			log.Fatal(err)
		}
		return
	}
	dir, err := os.MkdirTemp("", "artel-compare")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	tools, err := suite.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	tools.On = &bench.Machine{Command: strings.Fields(*alone)}
	choice := choice{list(*shapes), list(*dtypes), numbers(*tasks), *quick, dir}
	var groups []suite.Group
	for _, p := range list(*parts) {
		more, err := choice.groups(tools, p)
		if err != nil {
			log.Fatal(err)
		}
		groups = append(groups, more...)
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		log.Fatal(err)
	}
	day := time.Now().Format("2006-01-02")
	r := report{
		Date: day, Commit: tools.Commit(), Machine: bench.Processor(), Versions: tools.Versions(), Command: command(), BinaryMB: tools.Binary,
	}
	for i, g := range groups {
		log.Printf("%s  %d of %d: %s, %s", time.Now().Format("15:04:05"), i+1, len(groups), g.Part, g.Title)
		r.Outcomes = append(r.Outcomes, tools.Run(g))
		r.Notes = tools.Notes
		if err := r.write(filepath.Join(*out, day), *readme); err != nil { // after every group: a long run that ends early leaves what it has
			log.Fatal(err)
		}
	}
}

// choice is what the user wants compared.
type choice struct {
	shapes, dtypes []string
	tasks          []int
	quick          bool
	dir            string
}

func (c *choice) groups(t *suite.Tools, part string) ([]suite.Group, error) {
	reps := 5
	if c.quick {
		reps = 3
	}
	switch part {
	case "kernels":
		return t.Kernels(c.dtypes, c.quick)
	case "layer":
		return t.Layer(c.shapes, c.dtypes, c.quick)
	case "step":
		return t.Step(c.tasks, c.quick)
	case "rivals":
		return t.Rivals(c.shapes, c.quick)
	case "checkpoint":
		return t.Checkpoint(c.dir, reps)
	case "startup":
		return t.Startup(reps + 2)
	}
	log.Fatalf("-parts: %q is unknown; want some of kernels, layer, step, rivals, checkpoint, startup", part)
	return nil, nil
}

// command is what was asked for, without what concerns only the machine at hand.
func command() string {
	words := []string{"go run ./compare"}
	flag.Visit(func(f *flag.Flag) {
		if f.Name != "alone" && f.Name != "out" && f.Name != "readme" {
			words = append(words, "-"+f.Name+"="+f.Value.String())
		}
	})
	return strings.Join(words, " ")
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

func numbers(s string) (out []int) {
	for _, w := range list(s) {
		n, err := strconv.Atoi(w)
		if err != nil || n < 2 {
			log.Fatalf("-tasks: %q is no number of tasks of at least 2", w)
		}
		out = append(out, n)
	}
	return out
}
