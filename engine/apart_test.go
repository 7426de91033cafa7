package engine_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"artel/data"
	"artel/dtype"
	"artel/engine"
	"artel/internal/apart"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/tensor"
)

// downloaded are the parameters as numbers, exactly, wherever they are.
func downloaded(e *engine.Engine) []float64 {
	x := tensor.New(e.Backend().Float, e.Set.Flat.Len())
	e.Backend().Copy(kernels.Copy{Dst: x, Src: e.Set.Flat})
	var out []float64
	for _, v := range x.F32() {
		out = append(out, float64(v))
	}
	return out
}

// TestApart trains every registered member on a backend whose memory the host does not reach and whose ops wait as long as they may. A missing
// copy panics, a missing Sync changes bits.
func TestApart(t *testing.T) {
	for name, args := range variants() {
		t.Run(name, func(t *testing.T) {
			want := newEngine(t, args...)
			be, _ := apart.New(cpu.New())
			got := newOn(t, newConfig(t, args...), be)
			n := 5
			if testing.Short() {
				n = 2
			}
			steps(t, want, n)
			steps(t, got, n)
			sameBits(t, downloaded(got), params(want))
		})
	}
}

// TestApartBusy trains on a backend apart whose ops run beside the host, for the race detector.
func TestApartBusy(t *testing.T) {
	for _, args := range [][]string{
		{"surgery.method=dwa"}, {"surgery.method=uncertainty", "accumulate=3"}, {"surgery.method=sum", "ema=0.9"}, {"surgery.method=pcgrad", "surgery.groups=expert"}, {"surgery.method=famo"},
		{"surgery.method=famo", "accumulate=3"}, {"surgery.every=3", "surgery.method=upgrad"}, {"surgery.memory=operands", "data.domains.0.rows=owned"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			want := newEngine(t, args...)
			be, d := apart.New(cpu.New())
			got := newOn(t, newConfig(t, args...), be)
			stop := d.Start()
			steps(t, want, 6)
			steps(t, got, 3)
			if _, err := got.Snapshot(0, ""); err != nil { // reads what the method remembers
				t.Fatal(err)
			}
			steps(t, got, 3)
			sameBits(t, downloaded(got), params(want))
			stop()
		})
	}
}

// TestApartHalves does the same with products in bfloat16. Memory apart holds a rounded copy of the parameters for products, so whoever writes parameters without
// refreshing that copy changes bits.
func TestApartHalves(t *testing.T) {
	if testing.Short() {
		t.Skip("a second pass over all members")
	}
	for name, args := range variants() {
		t.Run(name, func(t *testing.T) {
			want := newOn(t, newConfig(t, args...), halves(t))
			be, _ := apart.New(halves(t))
			got := newOn(t, newConfig(t, args...), be)
			if !got.Set.Half.Ok() || want.Set.Half.Ok() {
				t.Fatal("want a copy of the parameters apart, and none here")
			}
			steps(t, want, 3)
			steps(t, got, 3)
			sameBits(t, downloaded(got), params(want))
		})
	}
}

// halves is the CPU with products in bfloat16.
func halves(t *testing.T) *kernels.Backend {
	t.Helper()
	be, err := cpu.NewPrecision("", dtype.BF16)
	if err != nil {
		t.Fatal(err)
	}
	return be
}

// TestApartCheckpoint moves a run from one backend to the other and back by checkpoints.
func TestApartCheckpoint(t *testing.T) {
	t.Run("f32", func(t *testing.T) { throughCheckpoints(t, cpu.New) })
	t.Run("bf16", func(t *testing.T) { throughCheckpoints(t, func() *kernels.Backend { return halves(t) }) })
}

func throughCheckpoints(t *testing.T, open func() *kernels.Backend) {
	args := []string{"ema=0.9"}
	want := newOn(t, newConfig(t, args...), open())
	steps(t, want, 6)
	be, _ := apart.New(open())
	e := newOn(t, newConfig(t, args...), be)
	steps(t, e, 2)
	here := newOn(t, newConfig(t, args...), open())
	restore(t, here, e)
	e = here
	steps(t, e, 2)
	be, _ = apart.New(open())
	back := newOn(t, newConfig(t, args...), be)
	restore(t, back, e)
	steps(t, back, 2)
	sameBits(t, downloaded(back), params(want))
	a, err := back.Evaluate(data.Test)
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.Evaluate(data.Test)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) || len(b) == 0 {
		t.Errorf("metrics %v, want %v", a, b)
	}
}

// TestApartNotFinite checks that a run whose numbers explode on a device, where the host hears of it one or two steps late, stops with the error, the parameters, the
// step and the state of a run that looks at every step.
func TestApartNotFinite(t *testing.T) {
	for _, args := range [][]string{
		{"surgery.method=sum", "ema=0.9"}, {"surgery.method=sum", "optimizer.rule=muon"}, {"surgery.method=uncertainty"}, {"surgery.method=uncertainty", "accumulate=3"}, {"surgery.method=rlw"},
		{"surgery.method=pcgrad"}, {"surgery.method=moco"}, {"surgery.method=famo"}, {"surgery.every=3", "surgery.method=upgrad"}, {"surgery.memory=gram"}, {"surgery.method=graddrop"}, {"surgery.at=inputs"},
	} {
		args = append(args, "optimizer.lr=1e18", "optimizer.warmup=0", "optimizer.clip_norm=0")
		failsAlike(t, "", args, func(*engine.Engine) {})
	}
}

// TestApartWeighs does the same where losses are weighed between ops: some steps go well; then losses, or the norm alone once the method has seen the losses, are not finite,
// or a method refuses a loss. What the method remembers is that of a run that looks at every step.
func TestApartWeighs(t *testing.T) {
	for _, c := range []struct {
		by   float64 // what parameters are multiplied by in the middle of the run
		want string  // of the error
	}{{1e7, "step 5: gradient norm is NaN"}, {1e19, "step 5: auxiliary loss z is NaN"}} {
		for _, method := range []string{"dwa", "uncertainty", "imtl_l", "slaw", "relobralo", "softadapt", "famo"} {
			for _, passes := range []string{"accumulate=1", "accumulate=3"} {
				failsAlike(t, c.want, []string{"surgery.method=" + method, passes}, func(e *engine.Engine) {
					steps(t, e, 4)
					e.Backend().Axpy(kernels.Axpy{Dst: e.Set.Flat, Src: e.Set.Flat, Alpha: c.by})
				})
			}
		}
	}
	failsAlike(t, "step 0, unit 0: the loss of task 1 is 0", []string{"surgery.method=gls", "tasks.right.weight=0"}, func(*engine.Engine) {})
}

// TestApartLearns does it with losses after the step: when these are not finite, or the method refuses them, parameters have moved and the step counts, but the steps that are
// under way behind it do not.
func TestApartLearns(t *testing.T) {
	for _, passes := range []string{"accumulate=1", "accumulate=3"} {
		for _, method := range []string{"surgery.method={name: famo, min_losses: [%]}", "surgery.method={name: cr_mogm, base: {name: famo, min_losses: [%]}}"} {
			fails := func(low, want string, args ...string) {
				args = append(args, passes, "ema=0.9", strings.Replace(method, "%", low, 1))
				failsAlike(t, want, args, func(*engine.Engine) {})
			}
			fails("0, 0, 0, 1.5", "after the step: the loss of task 3 is 1.")
			fails("0, 0, 0.53, 0", "step 6, unit 0: the loss of task 2 is 0.52")
			fails("", "step 2: auxiliary loss z is NaN", "optimizer.lr=1e18", "optimizer.warmup=0", "optimizer.clip_norm=0")
		}
	}
}

// TestApartLearnsAgain checks that a run in which a loss after a step is not finite for once goes on as if it had been, after a second look.
func TestApartLearnsAgain(t *testing.T) {
	args := []string{"surgery.method={name: cr_mogm, base: famo}", "ema=0.9"}
	train := func(e *engine.Engine) (out []engine.Result) {
		for e.Steps() < 7 {
			steps(t, e, 1)
			for _, r := range e.Results() {
				r.Losses = slices.Clone(r.Losses)
				out = append(out, r)
			}
			if e.Steps() == 7 {
				if err := e.Finish(); err != nil {
					t.Fatal(err)
				}
			}
		}
		return append(out, e.Results()...)
	}
	want := newEngine(t, args...)
	be, d := apart.New(cpu.New())
	got := newOn(t, newConfig(t, args...), be)
	engine.SpoilOnce(got, 3)
	before := d.Syncs
	if a, b := train(got), train(want); !reflect.DeepEqual(a, b) {
		t.Errorf("results %v, want %v", a, b)
	}
	if d.Syncs == before {
		t.Error("no second look")
	}
	sameBits(t, downloaded(got), params(want))
	sameBits(t, memory(t, got), memory(t, want))
}

// failsAlike runs into an error on the CPU and on a device, and compares all that is left. want is part of the error.
func failsAlike(t *testing.T, want string, args []string, prepare func(*engine.Engine)) {
	t.Helper()
	fail := func(e *engine.Engine) (message, state string, finite bool) {
		prepare(e)
		var err error
		for i := 0; i < 30 && err == nil; i++ {
			err = e.Step()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("%v: error %v, want %q", args, err, want)
		}
		s, err2 := e.Snapshot(0, "")
		if err2 != nil {
			t.Fatal(err2)
		}
		var nf *engine.NotFiniteError
		if !errors.As(err, &nf) {
			return err.Error(), string(s.State), true
		}
		return nf.Error(), string(s.State), false
	}
	here := newEngine(t, args...)
	be, _ := apart.New(cpu.New())
	there := newOn(t, newConfig(t, args...), be)
	a, as, af := fail(here)
	b, bs, bf := fail(there)
	if a != b || as != bs || af != bf {
		t.Errorf("%v: %v, state %s; want %v, state %s", args, b, bs, a, as)
	}
	if here.Steps() != there.Steps() {
		t.Errorf("%v: %d steps, want %d", args, there.Steps(), here.Steps())
	}
	sameBits(t, downloaded(there), params(here))
}

// TestLate checks that the results of steps are the same numbers in the same order, whether they come with the step or later.
func TestLate(t *testing.T) {
	for _, args := range [][]string{{"surgery.method=sum"}, {"surgery.method=pcgrad"}, {"surgery.method=uncertainty"}, {"surgery.method=dwa", "accumulate=3"}, {"surgery.method=famo"}, {"surgery.method=famo", "accumulate=3"}, {"surgery.method=sum", "accumulate=3"}, {"surgery.method=sum", "data.domains.0.rows=owned"}, {"surgery.every=3", "surgery.method=upgrad"}} {
		collect := func(e *engine.Engine) (out []engine.Result) {
			add := func() {
				for _, r := range e.Results() {
					r.Losses = slices.Clone(r.Losses)
					out = append(out, r)
				}
			}
			for i := 0; i < 7; i++ {
				steps(t, e, 1)
				add()
			}
			if e.Backend().Apart && len(out) > 6 {
				t.Errorf("%v: %d results of 7 steps before the end; nothing was late", args, len(out))
			}
			if err := e.Finish(); err != nil {
				t.Fatal(err)
			}
			add()
			return out
		}
		want := collect(newEngine(t, args...))
		be, _ := apart.New(cpu.New())
		if got := collect(newOn(t, newConfig(t, args...), be)); len(want) != 7 || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %v, want %v", args, got, want)
		}
	}
}

// TestWaits counts where a step waits for the device, as design note 8 declares: for what a method on the host reads, and nowhere else.
func TestWaits(t *testing.T) {
	const rounds = 6 // a multiple of surgery.every below
	for _, c := range []struct {
		args                      string
		waits, uploads, downloads int // in all rounds
	}{
		{"surgery.method=sum", 0, 1 * rounds, 0}, {"surgery.method=rlw", 0, 1 * rounds, 0}, {"surgery.method=sum ema=0.9 surgery.sparse=0.5", 0, 1 * rounds, 0}, {"surgery.method=constant accumulate=3", 0, 3 * rounds, 0},
		{"surgery.method=uncertainty", 0, 1 * rounds, 0}, {"surgery.method=uncertainty accumulate=3", 0, 6 * rounds, 0}, {"surgery.method=dwa", 0, 1 * rounds, 0}, {"surgery.method=famo", 0, 2 * rounds, 0},
		{"surgery.method=famo accumulate=3", 0, 9 * rounds, 0}, {"surgery.method={name:cr_mogm,base:famo}", 0, 2 * rounds, 0},
		{"surgery.method=pcgrad", 1 * rounds, 1 * rounds, 0}, {"surgery.method=pcgrad surgery.groups=expert accumulate=3", 1 * rounds, 3 * rounds, 0}, {"surgery.method=pcgrad surgery.memory=gram", 1 * rounds, 2 * rounds, 0},
		{"surgery.method=upgrad surgery.every=3", 1 * rounds / 3, 1 * rounds, 0}, {"surgery.memory=operands data.domains.0.rows=owned", 1 * rounds, 5 * rounds, 0}, {"surgery.method=graddrop", 1 * rounds, 1 * rounds, 0},
		{"surgery.method=modo", 1 * rounds, 3 * rounds, 0}, {"surgery.at=inputs surgery.method=mgda", 1 * rounds, 1 * rounds, 0}, {"surgery.at=inputs surgery.method=graddrop", 1 * rounds, 1 * rounds, 0},
		{"surgery.method=moco", 4 * rounds, 1 * rounds, 0}, {"optimizer.rule=muon surgery.method=sum", 0, 1 * rounds, 0},
		{"surgery.method=rep_mtl surgery.at=final model.blocks=[{moe:{experts:4,hidden:8}}]", 7 * rounds, 3 * rounds, 0},
		{"surgery.method=sum model.blocks=[{mlp:{hidden:8}},{expand:{}},{rotate:{}},{mlp:{hidden:8}}]", 5 * rounds, 9 * rounds, 4 * rounds},
		{"surgery.method=excess_mtl", 4 * rounds, 1 * rounds, 0},
	} {
		be, d := apart.New(cpu.New())
		e := newOn(t, newConfig(t, strings.Fields(c.args)...), be)
		steps(t, e, rounds)
		s, up, down := d.Syncs, d.Uploads, d.Downloads
		steps(t, e, rounds)
		if n := d.Syncs - s; n != c.waits || d.Downloads-down != c.downloads {
			t.Errorf("%s: %d steps wait %d times and download %d, want %d and %d", c.args, rounds, n, d.Downloads-down, c.waits, c.downloads)
		}
		if n := d.Uploads - up; n != c.uploads {
			t.Errorf("%s: %d steps upload %d times, want %d: the rows of every pass, weights of held rows", c.args, rounds, n, c.uploads)
		}
	}
}
