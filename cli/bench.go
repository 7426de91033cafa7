package cli

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"artel/engine"
	"artel/internal/observe"
	"artel/kernels"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"
)

// benchFlags are the options of bench.
type benchFlags struct {
	steps   int
	json    bool
	ops     bool
	emulate bool
	rows    int
	layers  bool
	target  string // compute capability of the emulated device
	into    string
}

func (a *app) benchCommand() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use:   "bench [config.yaml] [key=value ...]",
		Short: "Time training steps on the device; with --emulate, count and bound what their GPU kernels do",
		Long: `Time training steps of a config (without arguments, of the demo) on the device that it chooses: median time,
rows per second, and the share of each stage.

With --emulate the same step runs on the emulated GPU, with few rows, and mixture layers of published benchmarks
after it, scaled down. For every kernel of every op it prints what was counted: instructions by class, work of
tensor cores, bytes and sectors of device memory, bytes touched against what the op must move at least, conflicts
in shared memory; a lower bound of the time on real devices from these counts, with its assumptions; and what the
assembler says of the kernel. No GPU is needed. It takes a minute or two.`,
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := readArgs(args, nil)
			if err != nil {
				return err
			}
			if f.emulate {
				return a.benchEmulated(cfg, &f)
			}
			return a.benchSteps(cfg, &f)
		},
	}
	c.Flags().BoolVar(&f.json, "json", false, "print JSON")
	c.Flags().IntVar(&f.steps, "steps", 50, "timed steps, after a tenth as many that are not timed")
	c.Flags().BoolVar(&f.ops, "ops", false, "time every op of the kernels too")
	c.Flags().BoolVar(&f.emulate, "emulate", false, "run on the emulated GPU and report counts and bounds")
	c.Flags().IntVar(&f.rows, "rows", 32, "with --emulate: rows of the step")
	c.Flags().BoolVar(&f.layers, "layers", true, "with --emulate: run the mixture layers of published benchmarks too")
	c.Flags().StringVar(&f.target, "capability", "9.0", "with --emulate: compute capability of the device, 8.0 or 9.0")
	c.Flags().StringVar(&f.into, "into", "", "with --emulate: write the report between the lines "+openMark+" and "+closeMark+" of this file")
	return c
}

// benchResult is what bench measures.
type benchResult struct {
	Version     string             `json:"version"`
	Device      string             `json:"device"`
	Precision   string             `json:"precision"`
	Parameters  int                `json:"parameters"`
	Tasks       int                `json:"tasks"`
	Rows        int                `json:"rows"`
	Surgery     string             `json:"surgery"`
	Memory      string             `json:"surgery_memory"`
	Steps       int                `json:"steps"`
	Median      float64            `json:"median_ms"`
	Fastest     float64            `json:"fastest_ms"`
	Slowest     float64            `json:"slowest_ms"`
	RowsPerSec  float64            `json:"rows_per_second"`
	Stages      map[string]float64 `json:"stages_ms"`
	Allocations float64            `json:"allocations_per_step"`
	Heap        uint64             `json:"heap_bytes"`
	Ops         []opTime           `json:"ops,omitempty"`
}

// opTime is the time of one op in a step.
type opTime struct {
	Op      string  `json:"op"`
	Calls   float64 `json:"calls"` // of a step
	MS      float64 `json:"ms"`    // of a step
	GFLOPs  float64 `json:"gflop_per_second,omitempty"`
	GBs     float64 `json:"gb_per_second"` // of what the op must move at least
	bytes   int64
	flops   int64
	seconds float64
}

// benchSteps times steps on a device.
func (a *app) benchSteps(cfg *engine.Config, f *benchFlags) error {
	if f.steps < 1 {
		return usageError{errors.Errorf("--steps %d; want 1 or more", f.steps)}
	}
	be, err := a.device(cfg)
	if err != nil {
		return usageError{err}
	}
	e, err := engine.New(cfg, be)
	if err != nil {
		return usage(err)
	}
	defer e.Close()
	r := &benchResult{
		Version: engine.Version, Device: be.Name, Precision: e.Config.Precision, Parameters: e.Set.Count(), Tasks: len(e.TaskNames()), Rows: e.Config.Batch,
		Surgery: e.Config.Surgery.Method.Name, Memory: e.Config.Surgery.Memory, Steps: f.steps,
	}
	if err := a.timeSteps(e, r); err != nil {
		return err
	}
	if err := stageTimes(e, r); err != nil {
		return err
	}
	if f.ops {
		if r.Ops, err = opTimes(cfg, be, f.steps); err != nil {
			return err
		}
	}
	if f.json {
		return a.json(r)
	}
	return a.printBench(r)
}

// stepAndWait makes a step and waits for the device.
func stepAndWait(e *engine.Engine) error {
	if err := e.Step(); err != nil {
		return err
	}
	return e.Backend().Sync()
}

// timeSteps fills in the times of whole steps.
func (a *app) timeSteps(e *engine.Engine, r *benchResult) error {
	for range (r.Steps + 9) / 10 {
		if err := stepAndWait(e); err != nil {
			return err
		}
	}
	times := make([]float64, 0, r.Steps)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range r.Steps {
		if err := a.ctx.Err(); err != nil {
			return engine.ErrInterrupted
		}
		start := time.Now()
		if err := stepAndWait(e); err != nil {
			return err
		}
		times = append(times, 1e3*time.Since(start).Seconds())
	}
	runtime.ReadMemStats(&after)
	slices.Sort(times)
	r.Median, r.Fastest, r.Slowest = times[len(times)/2], times[0], times[len(times)-1]
	r.RowsPerSec = 1e3 * float64(r.Rows) / r.Median
	r.Allocations = float64(after.Mallocs-before.Mallocs) / float64(r.Steps)
	r.Heap = after.HeapInuse
	return nil
}

// stageTimes fills in the mean time of each stage over as many steps again, with a wait before each stage.
func stageTimes(e *engine.Engine, r *benchResult) error {
	spent := map[string]time.Duration{}
	var failed error
	stage, since := "", time.Now()
	turn := func(next string, err error) {
		now := time.Now()
		spent[stage] += now.Sub(since)
		stage, since = next, now
		if failed == nil {
			failed = err
		}
	}
	e.Watch(turn)
	defer e.Watch(nil)
	for range r.Steps {
		turn("", nil) // what is between steps belongs to no stage
		if err := e.Step(); err != nil {
			return err
		}
		turn("", e.Backend().Sync())
		if failed != nil {
			return failed
		}
	}
	r.Stages = map[string]float64{}
	for _, s := range engine.Stages() {
		r.Stages[s] = 1e3 * spent[s].Seconds() / float64(r.Steps)
	}
	return nil
}

// opTimes times every op of a second engine's steps, each with a wait after it, slowest first.
func opTimes(cfg *engine.Config, be *kernels.Backend, steps int) ([]opTime, error) {
	byName := map[string]*opTime{}
	on := false
	e, err := engine.New(cfg, observe.Backend(be, func(op observe.Op, run func()) {
		start := time.Now()
		run()
		if !on {
			return
		}
		if be.Apart {
			_ = be.Sync() // its error comes back with the step's
		}
		t := byName[op.Name]
		if t == nil {
			t = &opTime{Op: op.Name}
			byName[op.Name] = t
		}
		t.seconds += time.Since(start).Seconds()
		t.Calls++
		t.bytes += op.Bytes()
		t.flops += op.FLOPs()
	}))
	if err != nil {
		return nil, err
	}
	defer e.Close()
	for i := range steps + 1 {
		on = i > 0
		if err := stepAndWait(e); err != nil {
			return nil, err
		}
	}
	var out []opTime
	for _, t := range byName {
		n := float64(steps)
		t.GBs, t.GFLOPs = float64(t.bytes)/t.seconds/1e9, float64(t.flops)/t.seconds/1e9
		t.Calls, t.MS = t.Calls/n, 1e3*t.seconds/n
		out = append(out, *t)
	}
	slices.SortFunc(out, func(x, y opTime) int {
		if x.MS != y.MS {
			return int(max(-1, min(1, 1e9*(y.MS-x.MS))))
		}
		return strings.Compare(x.Op, y.Op)
	})
	return out, nil
}

func (a *app) printBench(r *benchResult) error {
	w := tabwriter.NewWriter(a.out, 2, 0, 2, ' ', 0)
	fmt.Fprintf(w, "model\t%d parameters, %d tasks, surgery %s (memory %s), precision %s\n", r.Parameters, r.Tasks, r.Surgery, r.Memory, r.Precision)
	fmt.Fprintf(w, "step\t%.3g ms, median of %d (%.3g to %.3g); %d rows, %.0f rows/s\n", r.Median, r.Steps, r.Fastest, r.Slowest, r.Rows, r.RowsPerSec)
	total := 0.0
	for _, ms := range r.Stages {
		total += ms
	}
	for _, s := range engine.Stages() {
		fmt.Fprintf(w, "  %s\t%.3g ms, %.0f %%\n", s, r.Stages[s], 100*r.Stages[s]/total)
	}
	fmt.Fprintf(w, "memory\t%.1f MiB of Go's heap, %.1f allocations per step\n", float64(r.Heap)/(1<<20), r.Allocations)
	if err := w.Flush(); err != nil || len(r.Ops) == 0 {
		return err
	}
	fmt.Fprintf(w, "\nop\tcalls\tms\tGFLOP/s\tGB/s at least\n")
	for _, o := range r.Ops {
		flops := ""
		if o.GFLOPs > 0 {
			flops = fmt.Sprintf("%.0f", o.GFLOPs)
		}
		fmt.Fprintf(w, "%s\t%.3g\t%.3f\t%s\t%.1f\n", o.Op, o.Calls, o.MS, flops, o.GBs)
	}
	return w.Flush()
}

// The lines of a document between which a report is written.
const (
	openMark  = "<!-- train bench -->"
	closeMark = "<!-- end of train bench -->"
)

// between returns the document with what is between its marks replaced.
func between(path, report string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	head, rest, ok := strings.Cut(string(text), openMark+"\n")
	_, tail, end := strings.Cut(rest, closeMark+"\n")
	if !ok || !end {
		return "", usageError{errors.Errorf("%s has no lines %s and, after it, %s", path, openMark, closeMark)}
	}
	return head + openMark + "\n" + report + closeMark + "\n" + tail, nil
}
