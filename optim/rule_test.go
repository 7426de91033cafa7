package optim_test

import (
	"fmt"
	"math"
	"testing"

	"artel/config"
	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/kernels/ref"
	"artel/optim"
	"artel/rng"
)

// everyRule runs f for each registered rule with its default options, and for sgd with momentum too.
func everyRule(t *testing.T, f func(t *testing.T, m config.Member)) {
	for _, e := range optim.Entries() {
		t.Run(e.Name, func(t *testing.T) { f(t, config.Member{Name: e.Name}) })
	}
	t.Run("sgd-momentum", func(t *testing.T) { f(t, config.With("sgd", &optim.SGDConfig{Momentum: 0.9, Dampening: 0.1})) })
}

// full is a configuration with everything switched on.
func full(m config.Member) optim.Config {
	return optim.Config{
		Rule: m, LR: 0.01, WeightDecay: 0.1, Schedule: config.Member{Name: "cosine"}, Warmup: 3, ClipNorm: 5,
		Groups: []optim.Group{{Match: "router", LRScale: new(0.5)}, {Match: "heads", Freeze: new(true)}},
	}
}

// TestResume checks that 10 steps, saved and loaded into a new optimizer, and 10 more are the same to the last bit as 20.
func TestResume(t *testing.T) {
	everyRule(t, func(t *testing.T, m config.Member) {
		be := ref.New()
		whole := toy(t, be)
		train(t, mustNew(t, be, whole, full(m), 20), whole, 20)

		first := toy(t, be)
		a := mustNew(t, be, first, full(m), 20)
		train(t, a, first, 10)

		second := toy(t, be)
		b := mustNew(t, be, second, full(m), 20)
		be.Copy(kernels.Copy{Dst: second.Flat, Src: first.Flat})
		saved, fresh := a.State(), b.State()
		if len(saved) != len(fresh) {
			t.Fatalf("%d and %d state tensors", len(saved), len(fresh))
		}
		for i := range saved {
			if saved[i].Name != fresh[i].Name {
				t.Fatalf("state %q and %q", saved[i].Name, fresh[i].Name)
			}
			be.Copy(kernels.Copy{Dst: fresh[i].Value, Src: saved[i].Value})
		}
		if a.Steps() != 10 {
			t.Errorf("%d steps, want 10", a.Steps())
		}
		b.SetSteps(a.Steps())
		train(t, b, second, 10)
		for i, want := range whole.Flat.F64() {
			if got := second.Flat.F64()[i]; math.Float64bits(got) != math.Float64bits(want) {
				t.Fatalf("element %d: %v, want %v", i, got, want)
			}
		}
	})
}

// TestStateMatters makes sure that TestResume can fail: without the state, or without the step, the result is another one.
func TestStateMatters(t *testing.T) {
	everyRule(t, func(t *testing.T, m config.Member) {
		be := ref.New()
		for _, forget := range []string{"state", "steps"} {
			whole := toy(t, be)
			o := mustNew(t, be, whole, full(m), 20)
			train(t, o, whole, 20)
			other := toy(t, be)
			o = mustNew(t, be, other, full(m), 20)
			train(t, o, other, 10)
			if forget == "steps" {
				o.SetSteps(0)
			}
			if forget == "state" {
				if len(o.State()) == 0 {
					continue
				}
				for _, s := range o.State() {
					be.Fill(s.Value, 0)
				}
			}
			train(t, o, other, 10)
			same := true
			for i, v := range whole.Flat.F64() {
				same = same && v == other.Flat.F64()[i]
			}
			if same {
				t.Errorf("%s makes no difference", forget)
			}
		}
	})
}

// TestLearns checks that every rule comes down into a bowl, and that padding and state of padding stay zero.
func TestLearns(t *testing.T) {
	everyRule(t, func(t *testing.T, m config.Member) {
		be := ref.New()
		set := toy(t, be)
		cfg := plain(m, 0.1)
		cfg.Schedule = config.Member{Name: "linear"}
		o := mustNew(t, be, set, cfg, 500)
		start := train(t, o, set, 1)
		if end := train(t, o, set, 499); !(end < 0.02*start) {
			t.Errorf("loss %v after 500 steps, %v at the start", end, start)
		}
		inside := make([]bool, set.Flat.Len())
		for _, p := range set.Params {
			for i := p.Off; i < p.Off+p.Len(); i++ {
				inside[i] = true
			}
		}
		for i, in := range inside {
			if !in && set.Flat.F64()[i] != 0 {
				t.Fatalf("padding at %d is %v", i, set.Flat.F64()[i])
			}
			for _, s := range o.State() {
				if !in && s.Value.F64()[i] != 0 {
					t.Fatalf("%s of padding at %d is %v", s.Name, i, s.Value.F64()[i])
				}
			}
		}
	})
}

// TestClipping checks for every rule that a clipped step is the step of the scaled gradient.
func TestClipping(t *testing.T) {
	everyRule(t, func(t *testing.T, m config.Member) {
		be := ref.New()
		clipped, scaled := toy(t, be), toy(t, be)
		cfg := plain(m, 0.1)
		b := mustNew(t, be, scaled, cfg, 4)
		cfg.ClipNorm = 0.25
		a := mustNew(t, be, clipped, cfg, 4)
		grad := be.New(be.Float, clipped.Flat.Len())
		s := rng.New(3)
		for range 4 {
			for i := range grad.F64() {
				grad.F64()[i] = s.Normal()
			}
			norm := math.Sqrt(square(grad))
			info, err := a.Step(grad, norm*norm)
			if want := 0.25 / (norm + 1e-6); err != nil || math.Abs(info.Scale-want) > 1e-15 || math.Abs(info.Norm-norm) > 1e-12 {
				t.Fatalf("%+v, %v; want scale %v", info, err, want)
			}
			for i := range grad.F64() {
				grad.F64()[i] *= info.Scale
			}
			info, err = b.Step(grad, square(grad))
			if err != nil || info.Scale != 1 {
				t.Fatalf("%+v, %v", info, err)
			}
		}
		for i, v := range clipped.Flat.F64() {
			if w := scaled.Flat.F64()[i]; !(math.Abs(v-w) <= 1e-12) {
				t.Fatalf("element %d: %v, want %v", i, v, w)
			}
		}
	})
}

// TestAllocations counts the allocations of a step on a backend that does nothing.
func TestAllocations(t *testing.T) {
	everyRule(t, func(t *testing.T, m config.Member) {
		set := toy(t, ref.New())
		be := newRecorder()
		o := mustNew(t, be.Backend, set, full(m), 100)
		grad, normSq := be.New(be.Float, set.Flat.Len()), be.New(dtype.F64, 1)
		step := func() {
			o.NormSq(grad, normSq)
			if _, err := o.Step(grad, 1); err != nil {
				t.Fatal(err)
			}
		}
		step()
		step()
		be.keep = false
		if n := testing.AllocsPerRun(20, step); n != 0 {
			t.Errorf("%v allocations per step", n)
		}
	})
}

// TestPrecision compares float32 steps of the CPU backend with the reference in float64.
func TestPrecision(t *testing.T) {
	everyRule(t, func(t *testing.T, m config.Member) {
		fast, exact := cpu.New(), ref.New()
		x, y := toy(t, fast), toy(t, exact)
		for i, v := range x.Flat.F32() {
			y.Flat.F64()[i] = float64(v)
		}
		a, b := mustNew(t, fast, x, full(m), 5), mustNew(t, exact, y, full(m), 5)
		gx, gy := fast.New(fast.Float, x.Flat.Len()), exact.New(exact.Float, x.Flat.Len())
		s := rng.New(5)
		for range 5 {
			for _, p := range x.Params {
				for i := p.Off; i < p.Off+p.Len(); i++ {
					v := float32(s.Normal())
					gx.F32()[i], gy.F64()[i] = v, float64(v)
				}
			}
			for _, step := range []func() error{
				func() error { _, err := a.Step(gx, square(gy)); return err },
				func() error { _, err := b.Step(gy, square(gy)); return err },
			} {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i, v := range x.Flat.F32() {
			if w := y.Flat.F64()[i]; !(math.Abs(float64(v)-w) <= 1e-5*math.Max(1, math.Abs(w))) {
				t.Fatalf("element %d: %v, want %v", i, v, w)
			}
		}
	})
}

// TestNotFinite checks that a broken gradient changes nothing.
func TestNotFinite(t *testing.T) {
	everyRule(t, func(t *testing.T, m config.Member) {
		be := ref.New()
		set := toy(t, be)
		o := mustNew(t, be, set, full(m), 20)
		train(t, o, set, 2)
		all := func() string {
			text := fmt.Sprint(set.Flat.F64())
			for _, s := range o.State() {
				text += fmt.Sprint(s.Name, s.Value.F64())
			}
			return text
		}
		before := all()
		grad := be.New(be.Float, set.Flat.Len())
		for _, bad := range []float64{math.NaN(), math.Inf(1), -1} {
			be.Fill(grad, bad)
			_, err := o.Step(grad, bad)
			if e, ok := err.(*optim.NotFinite); !ok || e.Step != 3 {
				t.Errorf("norm %v: %v", bad, err)
			}
		}
		if o.Steps() != 2 || all() != before {
			t.Error("something changed")
		}
	})
}
