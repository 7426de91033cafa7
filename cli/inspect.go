package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"artel/checkpoint"
	"artel/engine"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"
)

// inspection is what inspect finds in a run.
type inspection struct {
	Run        string            `json:"run"`
	Checkpoint string            `json:"checkpoint"`
	Step       int64             `json:"step"`
	Parameters int               `json:"parameters"`
	Tensors    []tensorLine      `json:"tensors"`
	LastEval   *engine.EvalLine  `json:"last_eval,omitempty"`
	LastStep   *engine.StepLine  `json:"last_step,omitempty"`
	Conflicts  []conflictLine    `json:"conflicts,omitempty"`
	Metadata   map[string]string `json:"-"`
}

type tensorLine struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Shape []int  `json:"shape"`
}

func (a *app) inspectCommand() *cobra.Command {
	var asJSON, tensors, conflicts bool
	c := &cobra.Command{
		Use:   "inspect RUN",
		Short: "Show what a run holds: checkpoint, tensors, last metrics, routing, conflicts between tasks",
		Args:  exactly(1, "the directory of a run"),
		RunE: func(_ *cobra.Command, args []string) error {
			in, err := inspect(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return a.json(in)
			}
			fmt.Fprintf(a.out, "%s: step %d, %d parameters in %d tensors (%s)\n", in.Run, in.Step, in.Parameters, len(in.Tensors), in.Checkpoint)
			if tensors {
				w := tabwriter.NewWriter(a.out, 2, 0, 2, ' ', 0)
				for _, t := range in.Tensors {
					fmt.Fprintf(w, "  %s\t%s\t%v\n", t.Name, t.Type, t.Shape)
				}
				w.Flush()
			}
			a.routing(in.LastEval)
			if conflicts && in.LastStep != nil {
				a.conflicts(in.LastStep, in.Conflicts)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&tensors, "tensors", false, "list all tensors")
	c.Flags().BoolVar(&conflicts, "conflicts", false, "show conflicts between tasks: cosines and weights of the last logged step, incidence over the run, by layer and expert")
	return c
}

func inspect(dir string) (*inspection, error) {
	path, err := checkpoint.Latest(dir)
	if err != nil {
		return nil, err
	}
	l, err := checkpoint.Load(path)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	in := &inspection{Run: dir, Checkpoint: path, Step: l.Step}
	for _, t := range l.Model.Tensors() {
		n := 1
		for _, d := range t.Shape {
			n *= d
		}
		in.Parameters += n
		in.Tensors = append(in.Tensors, tensorLine{t.Name, t.DType.String(), t.Shape})
	}
	return in, in.readMetrics(filepath.Join(dir, "metrics.jsonl"))
}

// readMetrics keeps the last step and the last evaluation of a metrics file.
func (in *inspection) readMetrics(path string) error {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var conflicts incidence
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for n := 1; s.Scan(); n++ {
		var e engine.EvalLine
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			return errors.Wrapf(err, "%s:%d", path, n)
		}
		if e.Eval != nil {
			in.LastEval = &e
			continue
		}
		var st engine.StepLine
		if err := json.Unmarshal(s.Bytes(), &st); err != nil {
			return errors.Wrapf(err, "%s:%d", path, n)
		}
		in.LastStep = &st
		conflicts.add(&st)
	}
	in.Conflicts = conflicts.lines
	return s.Err()
}

// routing prints how the mixtures used their experts in the last evaluation.
func (a *app) routing(e *engine.EvalLine) {
	if e == nil {
		return
	}
	for _, r := range e.Routing {
		fmt.Fprintf(a.out, "%s: largest load %.2f x mean, %d dead experts, entropy %.2f nats, task-expert information %.3f nats, %.1f %% dropped\n",
			r.Layer, r.MaxLoad, r.Dead, r.Entropy, r.MutualInfo, 100*r.Dropped)
		n := len(r.Load)
		for t := 0; n > 0 && t < len(r.TaskLoad)/n; t++ {
			fmt.Fprintf(a.out, "  task %d:", t)
			for _, v := range r.TaskLoad[t*n : (t+1)*n] {
				fmt.Fprintf(a.out, " %3.0f%%", 100*v)
			}
			fmt.Fprintln(a.out)
		}
	}
}
