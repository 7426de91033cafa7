package optim_test

import (
	"fmt"
	"math"
	"testing"

	"artel/config"
	"artel/optim"

	"pgregory.net/rapid"
)

// schedule translates the options of transformers.
func schedule(t *testing.T, s *goldenSchedule) config.Member {
	o := &s.Options
	switch s.Schedule {
	case "cosine_with_warmup", "cosine_with_min_lr":
		return config.With("cosine", &optim.FinalConfig{Final: o.MinRate})
	case "linear_with_warmup":
		return config.With("linear", &optim.FinalConfig{})
	case "constant_with_warmup":
		return config.Member{Name: "constant"}
	case "inverse_sqrt":
		return config.With("inverse_sqrt", &optim.InverseSqrtConfig{Timescale: o.Timescale})
	case "polynomial":
		return config.With("polynomial", &optim.PolynomialConfig{Final: o.LREnd / s.Base, Power: o.Power})
	case "wsd":
		return config.With("wsd", &optim.WSDConfig{Decay: o.Decay, Final: o.MinRatio, Form: o.DecayType})
	}
	t.Fatalf("no translation for %s", s.Schedule)
	return config.Member{}
}

// TestGoldenSchedules compares rates with those of transformers. There step i of a warm-up of W has i/W, so the first step does nothing; here
// it is (i+1)/(W+1), so their step i is our step i-1 of a warm-up of W-1. Their wsd warms up from the final factor and not from 0.
func TestGoldenSchedules(t *testing.T) {
	for i, s := range loadGolden(t).Schedules {
		t.Run(fmt.Sprintf("%s/%d", s.Schedule, i), func(t *testing.T) {
			total := max(s.Options.Total, int64(len(s.Values)))
			warm := s.Options.Warmup
			rate := func(warmup int64) *optim.Rate {
				cfg := optim.Config{LR: s.Base, Warmup: float64(warmup), Schedule: schedule(t, &s)}
				r, err := optim.NewRate(&cfg, total)
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			after, before := rate(warm), rate(max(0, warm-1))
			for step, want := range s.Values {
				got := 0.0
				switch step := int64(step); {
				case step >= warm:
					got = after.At(step)
				case step > 0:
					got = before.At(step - 1)
				}
				if from := s.Options.MinRatio; int64(step) < warm && from > 0 {
					got = s.Base*from + (1-from)*got
				}
				if !(math.Abs(got-want) <= 1e-15) {
					t.Errorf("step %d: %v, want %v", step, got, want)
				}
			}
		})
	}
}

// TestScheduleProperties holds for every schedule: a rising warm-up to the base rate, then rates of at least 0 that never rise,
// also past the end.
func TestScheduleProperties(t *testing.T) {
	for _, e := range optim.Schedules() {
		t.Run(e.Name, rapid.MakeCheck(func(t *rapid.T) {
			total := rapid.Int64Range(1, 5000).Draw(t, "total")
			warmup := rapid.Int64Range(0, total/2).Draw(t, "warmup")
			cfg := optim.Config{LR: 0.1, Warmup: float64(warmup), Schedule: config.Member{Name: e.Name}}
			r, err := optim.NewRate(&cfg, total)
			if err != nil {
				t.Fatal(err)
			}
			for step := int64(0); step <= warmup; step++ {
				if want := 0.1 * float64(step+1) / float64(warmup+1); math.Abs(r.At(step)-want) > 1e-15 {
					t.Fatalf("step %d of the warm-up: %v, want %v", step, r.At(step), want)
				}
			}
			last := r.At(warmup)
			for step := warmup + 1; step < total+3; step++ {
				v := r.At(step)
				if !(v >= 0 && v <= last) {
					t.Fatalf("step %d: %v after %v", step, v, last)
				}
				last = v
			}
		}))
	}
}

// TestFinal checks that the rate ends at the final factor, exactly, where a schedule has one.
func TestFinal(t *testing.T) {
	for _, m := range []config.Member{
		config.With("linear", &optim.FinalConfig{Final: 0.1}), config.With("cosine", &optim.FinalConfig{Final: 0.1}),
		config.With("polynomial", &optim.PolynomialConfig{Final: 0.1, Power: 3}), config.With("wsd", &optim.WSDConfig{Final: 0.1, Decay: 0.5, Form: "linear"}),
	} {
		r, err := optim.NewRate(&optim.Config{LR: 2, Warmup: 0.1, Schedule: m}, 40)
		if err != nil {
			t.Fatal(err)
		}
		if r.Warmup != 4 || r.At(4) != 2 || r.At(40) != 0.2 || r.At(400) != 0.2 || !(r.At(39) > 0.2) {
			t.Errorf("%s: warm-up %d, rates %v %v %v %v", m.Name, r.Warmup, r.At(4), r.At(39), r.At(40), r.At(400))
		}
	}
}

// TestShares checks how a number of steps is read.
func TestShares(t *testing.T) {
	for _, c := range []struct {
		warmup float64
		total  int64
		want   int64
	}{{0, 10, 0}, {0.05, 100, 5}, {0.05, 10, 1}, {0.05, 9, 0}, {1, 10, 1}, {10, 10, 10}, {0.999, 1, 1}} {
		r, err := optim.NewRate(&optim.Config{LR: 1, Warmup: c.warmup, Schedule: config.Member{Name: "cosine"}}, c.total)
		if err != nil {
			t.Fatal(err)
		}
		if r.Warmup != c.want {
			t.Errorf("warm-up %v of %d steps: %d, want %d", c.warmup, c.total, r.Warmup, c.want)
		}
		for step := int64(0); step < c.total; step++ {
			if v := r.At(step); !(v > 0 && v <= 1) {
				t.Errorf("warm-up %v of %d steps: rate %v at step %d does nothing", c.warmup, c.total, v, step)
			}
		}
	}
}
