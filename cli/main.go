// Package cli is the train command as a package: a program with routers or methods of its own imports them and calls Main.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"artel/config"
	"artel/engine"
	"artel/internal/registry"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"
)

// Exit codes of the command.
const (
	ExitOK          = 0
	ExitFailure     = 1 // something went wrong
	ExitUsage       = 2 // bad arguments or a bad config
	ExitNotFinite   = 3 // a loss became NaN or infinite; the last good state is saved
	ExitInterrupted = 4 // a signal ended the run; its state is saved and can be resumed
)

// app is one invocation of the command.
type app struct {
	out, err io.Writer
	ctx      context.Context
	stop     context.CancelFunc
}

// usageError is a mistake in the arguments.
type usageError struct{ error }

// Main runs the command with the given arguments and returns its exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{out: stdout, err: stderr, ctx: ctx, stop: stop}
	go func() { // a second signal stops at once
		<-ctx.Done()
		stop()
	}()
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(stderr, "train:", strings.TrimPrefix(err.Error(), "train: "))
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var usage usageError
	var problems config.Errors
	var nf *engine.NotFiniteError
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, engine.ErrInterrupted):
		return ExitInterrupted
	case errors.As(err, &nf):
		return ExitNotFinite
	case errors.As(err, &usage), errors.As(err, &problems):
		return ExitUsage
	}
	return ExitFailure
}

// root is `train [config.yaml] [key=value ...]` with its subcommands.
func (a *app) root() *cobra.Command {
	c := &cobra.Command{
		Use:   "train [config.yaml] [key=value ...]",
		Short: "Train a multi-task mixture-of-experts model; without arguments, the built-in demo",
		Long: `Train a multi-task sparse mixture-of-experts model with gradient surgery.

Without arguments it trains the built-in demo (four tasks on pairs of garments, about a minute).
A config file changes the defaults, key=value arguments change single keys:

  train examples/two-domains.yaml out=runs/two steps=500
  train surgery.method=mgda model.width=256

Exit codes: 0 done, 1 failure, 2 bad arguments or config, 3 a loss was not finite (state saved),
4 interrupted by SIGINT or SIGTERM (state saved; a second signal stops at once).`,
		Args:          cobra.ArbitraryArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(_ *cobra.Command, args []string) error { return a.train(args) },
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	c.CompletionOptions.HiddenDefaultCmd = true
	c.AddCommand(a.resumeCommand(), a.evalCommand(), a.listCommand(), a.inspectCommand(), a.configCommand(), a.doctorCommand(), a.benchCommand())
	return c
}

// readArgs splits the arguments into a config file (at most one) and overrides, and decodes them over the defaults.
func readArgs(args []string, commands []string) (*engine.Config, error) {
	cfg := engine.Default()
	var sources []config.Source
	var sets []string
	for _, arg := range args {
		if strings.Contains(arg, "=") {
			sets = append(sets, arg)
			continue
		}
		if len(sources) > 0 {
			return nil, usageError{errors.Errorf("two config files: %q after %q; want at most one", arg, args[0])}
		}
		data, err := os.ReadFile(arg)
		if err != nil {
			if near := registry.Nearest(arg, commands); near != "" && os.IsNotExist(err) {
				return nil, usageError{errors.Errorf("%q is neither a config file nor a command; did you mean %q?", arg, near)}
			}
			return nil, usageError{err}
		}
		sources = append(sources, config.File(arg, data))
	}
	if _, err := config.Decode(&cfg, append(sources, config.Args(sets))...); err != nil {
		return nil, err
	}
	return &cfg, nil
}
