package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"artel/dtype"
	"artel/engine"
	"artel/internal/gpumodel"

	"github.com/pkg/errors"
)

// benchEmulated reports what GPU kernels do.
func (a *app) benchEmulated(cfg *engine.Config, f *benchFlags) error {
	capability := map[string]int{"8.0": 80, "9.0": 90}[f.target]
	if capability == 0 {
		return usageError{errors.Errorf("--capability %s; want 8.0 or 9.0", f.target)}
	}
	if f.into != "" {
		if _, err := between(f.into, ""); err != nil { // before the work
			return err
		}
	}
	r := &gpumodel.Report{Capability: capability}
	run := func(what string, section func() (gpumodel.Section, error)) error {
		if a.ctx.Err() != nil {
			return engine.ErrInterrupted
		}
		start := time.Now()
		s, err := section()
		if err != nil {
			return usage(err)
		}
		fmt.Fprintf(a.err, "emulated %s: %.1f s\n", what, time.Since(start).Seconds())
		r.Sections = append(r.Sections, s)
		return nil
	}
	if err := run("a step", func() (gpumodel.Section, error) { return gpumodel.Step(*cfg, f.rows, capability) }); err != nil {
		return err
	}
	if f.layers {
		for _, s := range gpumodel.Shapes() {
			if err := run("layer "+s.Name, func() (gpumodel.Section, error) { return gpumodel.Layer(s, dtype.BF16, capability) }); err != nil {
				return err
			}
		}
	}
	if f.json {
		lines, err := r.Lines()
		if err != nil {
			return err
		}
		return a.json(lines)
	}
	if f.into == "" {
		return r.Markdown(a.out)
	}
	var b strings.Builder
	if err := r.Markdown(&b); err != nil {
		return err
	}
	text, err := between(f.into, b.String())
	if err != nil {
		return err
	}
	return os.WriteFile(f.into, []byte(text), 0o666)
}
