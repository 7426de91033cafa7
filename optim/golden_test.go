package optim_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"artel/config"
	"artel/kernels/ref"
	"artel/optim"
	"artel/param"
	"artel/rng"
)

// member translates torch's options.
func member(t *testing.T, r *goldenRun) config.Member {
	o := &r.Options
	b1, b2 := 0.9, 0.999
	if r.Optimizer == "lion" {
		b2 = 0.99
	}
	if o.Betas != nil {
		b1, b2 = o.Betas[0], o.Betas[1]
	}
	switch r.Optimizer {
	case "sgd":
		return config.With("sgd", &optim.SGDConfig{Momentum: or(o.Momentum, 0), Dampening: o.Dampening, Nesterov: or(o.Nesterov, false)})
	case "adam", "adamw":
		return config.With(r.Optimizer, &optim.AdamConfig{Beta1: b1, Beta2: b2, Eps: or(o.Eps, 1e-8)})
	case "lion":
		return config.With("lion", &optim.LionConfig{Beta1: b1, Beta2: b2})
	case "muon":
		return config.With("muon", &optim.MuonConfig{
			Momentum: or(o.Momentum, 0.95), Nesterov: or(o.Nesterov, true), Steps: 5, Eps: 1e-7, AdjustLR: or(o.AdjustLR, "original"),
			Adam: optim.AdamConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}, AdamLRScale: 1,
		})
	}
	t.Fatalf("no translation for %s", r.Optimizer)
	return config.Member{}
}

// decayDefault is torch's weight decay where none is given.
var decayDefault = map[string]float64{"adamw": 0.01, "muon": 0.1}

// TestGoldenRules follows the trajectories of other implementations. Their matrices are [out,in] and ours [in,out], so everything is stored
// transposed, which matters to muon.
func TestGoldenRules(t *testing.T) {
	g := loadGolden(t)
	for i := range g.Runs {
		r := &g.Runs[i]
		t.Run(fmt.Sprintf("%s/%s/%d", r.Optimizer, r.Library, i), func(t *testing.T) {
			tol := 1e-12
			if r.Optimizer == "muon" && r.Library != "formula" {
				tol = 4e-3 // its iteration runs in bfloat16
			}
			set := golden0(t, g.Problem.W0)
			cfg := plain(member(t, r), *r.Options.LR)
			cfg.WeightDecay = or(r.Options.WeightDecay, decayDefault[r.Optimizer])
			if r.Clip != nil {
				cfg.ClipNorm = r.Clip.Max
			}
			be := ref.New()
			o := mustNew(t, be, set, cfg, 10)
			grad, normSq := be.New(be.Float, set.Flat.Len()), be.New(be.Float, 1)
			for step, want := range r.Steps {
				for k, p := range set.Params {
					scatter(grad.F64()[p.Off:], want.Grads[k])
				}
				o.NormSq(grad, normSq)
				info, err := o.Step(grad, normSq.F64()[0])
				if err != nil {
					t.Fatal(err)
				}
				if r.Clip != nil && math.Abs(info.Norm-want.Norm) > 1e-12*want.Norm {
					t.Errorf("step %d: norm %v, want %v", step, info.Norm, want.Norm)
				}
				for k, p := range set.Params {
					w := make([]float64, p.Len())
					scatter(w, want.Params[k])
					for j, v := range p.Value.F64() {
						if !(math.Abs(v-w[j]) <= tol*math.Max(1, math.Abs(w[j]))) {
							t.Fatalf("step %d: %s[%d] = %v, want %v", step, p.Name, j, v, w[j])
						}
					}
				}
			}
		})
	}
}

// TestGoldenCoverage finds rules without reference values and values that nobody claims.
func TestGoldenCoverage(t *testing.T) {
	g := loadGolden(t)
	claimed := map[string]bool{}
	for _, e := range optim.Entries() {
		for _, name := range e.Golden {
			claimed[name] = true
			if !slices.ContainsFunc(g.Runs, func(r goldenRun) bool { return r.Optimizer == name }) {
				t.Errorf("%s claims reference values of %q, which are not there", e.Name, name)
			}
		}
	}
	for _, e := range optim.Schedules() {
		for _, name := range e.Golden {
			claimed[name] = true
			if !slices.ContainsFunc(g.Schedules, func(s goldenSchedule) bool { return s.Schedule == name }) {
				t.Errorf("schedule %s claims reference values of %q, which are not there", e.Name, name)
			}
		}
	}
	for _, r := range g.Runs {
		if !claimed[r.Optimizer] {
			t.Errorf("nobody claims the reference values of %s", r.Optimizer)
		}
	}
	for _, s := range g.Schedules {
		if !claimed[s.Schedule] {
			t.Errorf("nobody claims the reference values of schedule %s", s.Schedule)
		}
	}
}

// scatter writes the transpose of m row by row.
func scatter(dst []float64, m matrix) {
	for i, row := range m {
		for j, v := range row {
			dst[j*len(m)+i] = v
		}
	}
}

// golden0 declares the matrices of the reference problem, transposed.
func golden0(t *testing.T, w0 []matrix) *param.Set {
	t.Helper()
	b := param.NewBuilder()
	for k, m := range w0 {
		w := make([]float64, len(m)*len(m[0]))
		scatter(w, m)
		key := param.Key{Kind: param.Shared, Layer: fmt.Sprintf("blocks.%d", k)}
		b.Add(key, key.Layer+".weight", true, func(_ rng.Stream, i int) float64 { return w[i] }, len(m[0]), len(m))
	}
	set, err := b.Build(ref.New(), rng.New(1))
	if err != nil {
		t.Fatal(err)
	}
	return set
}
