package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"artel/config"
	"artel/engine"
	"artel/kernels"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// train is the root command.
func (a *app) train(args []string) error {
	cfg, err := readArgs(args, []string{"resume", "eval", "list", "inspect", "config", "doctor", "bench"})
	if err != nil {
		return err
	}
	be, err := a.device(cfg)
	if err != nil {
		return usageError{err}
	}
	e, err := engine.New(cfg, be)
	if err != nil {
		return usage(err)
	}
	if err := os.MkdirAll(cfg.Out, 0o777); err != nil {
		return err
	}
	log, err := openLog(cfg.Out)
	if err != nil {
		return err
	}
	r, err := engine.Start(e, log)
	if err != nil {
		return usage(err)
	}
	return a.drive(r, log)
}

// usage marks an error that the user's config caused.
func usage(err error) error {
	var problems config.Errors
	if errors.As(err, &problems) {
		return err
	}
	return usageError{err}
}

// device opens the backend and says what it is.
func (a *app) device(c *engine.Config) (*kernels.Backend, error) {
	be, why, err := engine.Open(c, os.Getenv("ARTEL_CPU"))
	if err == nil {
		fmt.Fprintf(a.err, "device: %s (%s)\n", be.Name, why)
	}
	return be, err
}

// openLog opens the run's structured log; a continued run appends.
func openLog(dir string) (*zap.Logger, error) {
	f, err := os.OpenFile(filepath.Join(dir, "log.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	enc := zap.NewProductionEncoderConfig()
	enc.EncodeTime = zapcore.ISO8601TimeEncoder
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(enc), zapcore.AddSync(f), zap.InfoLevel)), nil
}

// drive trains r and shows how it goes.
func (a *app) drive(r *engine.Run, log *zap.Logger) error {
	defer r.Close()
	defer log.Sync()
	e := r.Engine
	log.Info("start", zap.String("version", engine.Version), zap.String("device", e.Backend().Name), zap.Int64("step", e.Steps()), zap.Int("parameters", e.Set.Count()))
	fmt.Fprintf(a.err, "model: %d parameters, %d tasks; run: %s\n", e.Set.Count(), len(e.TaskNames()), r.Dir)
	show := newProgress(a.err, e.TaskNames(), e.Config.Log.Every)
	r.OnProgress = show.step
	r.OnEval = func(step int64, seconds float64, m engine.Metrics) { show.eval(step, seconds, headline(e, m)) }
	err := r.Train(a.ctx)
	show.done()
	if errors.Is(err, engine.ErrInterrupted) {
		fmt.Fprintf(a.err, "continue with: train resume %s\n", r.Dir)
	}
	if err != nil {
		log.Error("stopped", zap.Error(err))
		return err
	}
	s, err := r.Summary()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%d steps in %.1f s; results in %s\n", s.Steps, s.Seconds, filepath.Join(r.Dir, "summary.json"))
	for _, t := range e.TaskNames() {
		fmt.Fprintf(a.out, "  %-12s %s\n", t, metricText(e, s.Tasks, t))
	}
	return nil
}

// headline gives each task's first metric as text.
func headline(e *engine.Engine, m engine.Metrics) string {
	var parts []string
	for _, t := range e.TaskNames() {
		if m[t] != nil {
			parts = append(parts, t+" "+metricText(e, m, t))
		}
	}
	return strings.Join(parts, "  ")
}

// metricText is a task's headline metric: accuracies in per cent.
func metricText(e *engine.Engine, m engine.Metrics, task string) string {
	name := e.Headline(task)
	if name == "accuracy" {
		return fmt.Sprintf("%.2f %%", 100*m[task][name])
	}
	return fmt.Sprintf("%s %.4g", name, m[task][name])
}

func (a *app) resumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "resume RUN",
		Short: "Continue a run from its newest checkpoint, bit for bit",
		Args:  exactly(1, "the directory of a run"),
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := runConfig(args[0])
			if err != nil {
				return err
			}
			be, err := a.device(cfg)
			if err != nil {
				return usageError{err}
			}
			e, err := engine.New(cfg, be)
			if err != nil {
				return usage(err)
			}
			log, err := openLog(args[0])
			if err != nil {
				return err
			}
			r, err := engine.Continue(e, args[0], log)
			if err != nil {
				return err
			}
			return a.drive(r, log)
		},
	}
}

// exactly checks the number of arguments; what says what they are.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{errors.Errorf("got %d arguments, want %s", len(args), what)}
		}
		return nil
	}
}

// runConfig reads the effective config of a run; its directory may have moved.
func runConfig(dir string) (*engine.Config, error) {
	path := filepath.Join(dir, "config.yaml")
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{errors.Wrapf(err, "%s is not a run", dir)}
	}
	var cfg engine.Config // the file is complete: no default may shine through
	if _, err := config.Decode(&cfg, config.File(path, data)); err != nil {
		return nil, err
	}
	cfg.Out = dir
	return &cfg, nil
}
