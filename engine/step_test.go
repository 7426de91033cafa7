package engine_test

import (
	"errors"
	"math"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"

	"artel/data"
	"artel/dtype"
	"artel/engine"
	"artel/internal/tol"
	"artel/kernels/cpu"
)

// TestNoAllocations checks that after warm-up a hundred steps allocate nothing and start no goroutine, with the background loader at work. The runtime
// allocates a little of its own: when a goroutine blocks on one processor and wakes on another, its record moves between per-processor caches that
// a collection has emptied. That settles; a leak in the step never does, and counts at least once per step. So the best of several windows counts.
func TestNoAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	created := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	for _, method := range []string{"method=pcgrad", "method=sum", "method=mgda", "method=graddrop", "method=famo", "method=moco", "memory=gram", "memory=operands", "every=3", "sparse=0.5", "at=inputs", "method=dwa", "method=dwa apart", "method=famo apart", "method=sum apart"} {
		args, late := strings.CutSuffix("surgery."+method, " apart")
		be := cpu.New()
		be.Apart = late // no more than that the host does not look at once
		e := newOn(t, newConfig(t, args), be)
		runtime.GC()
		steps(t, e, 40)
		best := uint64(math.MaxUint64)
		for try := 0; try < 10 && best >= 10; try++ {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			metrics.Read(created)
			goroutines := created[0].Value.Uint64()
			steps(t, e, 100)
			runtime.ReadMemStats(&after)
			metrics.Read(created)
			best = min(best, after.Mallocs-before.Mallocs)
			if n := created[0].Value.Uint64() - goroutines; n >= 100 {
				t.Errorf("%s: %d goroutines were started in 100 steps, want none", method, n)
			}
		}
		if best >= 10 {
			t.Errorf("%s: %d allocations in 100 steps, want none", method, best)
		}
	}
}

// TestAccumulation checks that several passes give the step of one large batch.
func TestAccumulation(t *testing.T) {
	for _, method := range []string{"pcgrad", "uncertainty"} {
		args := []string{"device=ref", "surgery.method=" + method, "optimizer.rule=sgd", "optimizer.lr=0.1", "model.blocks.0.moe.balance=0", "model.blocks.2.moe.balance=0", "model.blocks.2.moe.task_balance=0"}
		one := newEngine(t, args...)
		many := newEngine(t, append(args, "accumulate=4")...)
		for i := 0; i < 3; i++ {
			steps(t, one, 1)
			steps(t, many, 1)
		}
		tol.Check(t, method, dtype.F64, 100000, params(many), params(one))
	}
}

// TestReference checks that the float32 kernels train like the float64 definitions.
func TestReference(t *testing.T) {
	fast, slow := newEngine(t, "optimizer.rule=sgd"), newEngine(t, "optimizer.rule=sgd", "device=ref")
	steps(t, fast, 3)
	steps(t, slow, 3)
	a, b := params(fast), params(slow)
	for i := range b {
		if math.Abs(a[i]-b[i]) > 1e-4 { // weights are about 0.1, and each step adds rounding of sums over the batch
			t.Fatalf("parameter %d: cpu %v, ref %v", i, a[i], b[i])
		}
	}
}

// TestPrecision checks that the precision of a config reaches the kernels: bf16 is another computation than f32, the one that the reference
// with rounded operands defines, and the same bits each time.
func TestPrecision(t *testing.T) {
	run := func(args ...string) (string, []float64) {
		cfg := newConfig(t, append(args, "optimizer.rule=sgd")...)
		be, _, err := engine.Open(cfg, "")
		if err != nil {
			t.Fatal(err)
		}
		e := newOn(t, cfg, be)
		steps(t, e, 3)
		return be.Name, params(e)
	}
	_, full := run()
	name, half := run("precision=bf16")
	_, again := run("precision=bf16")
	_, slow := run("precision=bf16", "device=ref")
	if !strings.Contains(name, "bf16") {
		t.Errorf("the device is called %q; want a word about bf16", name)
	}
	sameBits(t, again, half)
	apart, wrong := 0.0, 0.0
	for i := range full {
		apart = max(apart, math.Abs(full[i]-half[i]))
		wrong = max(wrong, math.Abs(slow[i]-half[i]))
	}
	// A bfloat16 operand that lies at a border is rounded differently here and there; that moves a product by 2^-8 at most.
	if apart < 1e-7 || wrong > apart/2 {
		t.Errorf("parameters: bf16 lies %.3g from f32 and %.3g from its reference", apart, wrong)
	}
	cfg := newConfig(t)
	cfg.Precision = "f16"
	if _, _, err := engine.Open(cfg, ""); err == nil || !strings.Contains(err.Error(), "f16") {
		t.Errorf("precision f16: got %v, want an error that names it", err)
	}
}

// TestLearns checks that the small model learns what it can in a few seconds; a wrong gradient anywhere would miss this.
func TestLearns(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	e := newEngine(t, "steps=400", "batch=64", "optimizer.lr=4e-3")
	steps(t, e, 400)
	m, err := e.Evaluate(data.Test)
	if err != nil {
		t.Fatal(err)
	}
	for task, want := range map[string]float64{"left": 0.45, "right": 0.35, "same": 0.75, "placement": 0.6} {
		if got := m[task]["accuracy"]; got < want {
			t.Errorf("%s: accuracy %.3f after 400 steps, want %.2f", task, got, want)
		}
	}
}

// TestNotFinite checks that a run whose loss explodes stops with step, task and layer, before the parameters move.
func TestNotFinite(t *testing.T) {
	e := newEngine(t, "optimizer.rule=sgd", "optimizer.lr=1e30", "optimizer.warmup=0", "optimizer.clip_norm=0")
	var err error
	var last []float64
	for i := 0; i < 20 && err == nil; i++ {
		last = params(e)
		err = e.Step()
	}
	var nf *engine.NotFiniteError
	if !errors.As(err, &nf) || nf.Step != e.Steps()+1 || nf.Task == "" || nf.Layer == "" {
		t.Fatalf("got %v after %d steps, want a NotFiniteError with step, task and layer", err, e.Steps())
	}
	sameBits(t, params(e), last)
}

// TestRefusals checks that what cannot work is refused when the engine is built, with the name of the part.
func TestRefusals(t *testing.T) {
	for args, want := range map[string]string{
		"model.blocks.0.moe.router=task_aware":    "blocks.0: router task_aware needs task-owned rows",
		"model.blocks.0.moe.k=9":                  "k = 9 of 4 experts",
		"accumulate=7":                            "does not divide",
		"tasks.lft.weight=2":                      `did you mean "left"`,
		"tasks.left.loss=mse":                     "does not fit",
		"optimizer.groups=[{match: blocks.9.*}]":  "matches no parameter",
		"data.domains.0.source=multifasion":       `did you mean "multifashion"`,
		"optimizer.rule={name: adamw, beta3: .9}": `did you mean "beta1"`,
	} {
		cfg := newConfig(t, args)
		e, err := engine.New(cfg, device(t, "cpu"))
		if err == nil {
			e.Close()
			t.Errorf("%s: no error", args)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want it to say %q", args, err, want)
		}
	}
}

// TestIndependentBatches checks the inner products between two batches that methods such as MoDo read, against the task gradients themselves.
func TestIndependentBatches(t *testing.T) {
	e := newEngine(t, "device=ref", "surgery.method=modo", "batch=12", "accumulate=2")
	steps(t, e, 2)
	engine.CheckCross(t, e)
}
