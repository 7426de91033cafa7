package cli

import (
	"encoding/json"
	"fmt"

	"artel/checkpoint"
	"artel/data"
	"artel/engine"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"
)

func (a *app) evalCommand() *cobra.Command {
	var asJSON bool
	var split string
	c := &cobra.Command{
		Use:   "eval RUN",
		Short: "Evaluate a run's newest checkpoint",
		Args:  exactly(1, "the directory of a run"),
		RunE: func(_ *cobra.Command, args []string) error {
			which, ok := map[string]data.Split{"val": data.Val, "test": data.Test}[split]
			if !ok {
				return usageError{errors.Errorf("--split: got %q, want val or test", split)}
			}
			e, step, err := a.loadRun(args[0])
			if err != nil {
				return err
			}
			defer e.Close()
			m, err := e.Evaluate(which)
			if err != nil {
				return err
			}
			if asJSON {
				return a.json(map[string]engine.Metrics{"tasks": m})
			}
			fmt.Fprintf(a.out, "%s at step %d, %s split\n", args[0], step, split)
			for _, t := range e.TaskNames() {
				fmt.Fprintf(a.out, "  %-12s %s  loss %.4f\n", t, metricText(e, m, t), m[t]["loss"])
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&split, "split", "test", "val or test")
	return c
}

// loadRun builds a run's engine with the weights of its newest checkpoint.
func (a *app) loadRun(dir string) (*engine.Engine, int64, error) {
	cfg, err := runConfig(dir)
	if err != nil {
		return nil, 0, err
	}
	be, err := a.device(cfg)
	if err != nil {
		return nil, 0, usageError{err}
	}
	path, err := checkpoint.Latest(dir)
	if err != nil {
		return nil, 0, err
	}
	l, err := checkpoint.Load(path)
	if err != nil {
		return nil, 0, err
	}
	defer l.Close()
	e, err := engine.New(cfg, be)
	if err != nil {
		return nil, 0, usage(err)
	}
	return e, l.Step, e.LoadWeights(l)
}

// json prints v.
func (a *app) json(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
