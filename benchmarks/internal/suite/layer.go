package suite

import (
	"slices"

	"artel/internal/mixture"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/numbers"
)

// layerNames are the layers of package mixture that are compared.
var layerNames = []string{"A", "B", "C"}

func layerConfig(name, dtype string) map[string]any {
	s := mixture.Shapes[name]
	return map[string]any{"shape": name, "T": s.T, "D": s.D, "F": s.F, "E": s.E, "K": s.K, "dtype": dtype}
}

// layerPeers are the Python forms of a layer that are timed: as shipped, and the fastest tuned ones.
var layerPeers = []struct {
	name, system, way string
	tuned             bool
}{
	{"transformers, as shipped (grouped_mm)", "transformers", "hf-grouped_mm", false},
	{"transformers, tuned, compiled", "transformers", "hf-grouped_mm+compile", true},
	{"PyTorch, grouped_mm, tuned, compiled", "PyTorch", "grouped+compile", true},
	{"PyTorch by hand, compiled", "PyTorch", "custom+fuse", true},
}

// Layer is the forward and backward pass of mixture layers: shapes by name, "f32" and "bf16".
func (t *Tools) Layer(shapes, dtypes []string, quick bool) (groups []Group, err error) {
	for _, name := range layerNames {
		s := mixture.Shapes[name]
		for _, dtype := range dtypes {
			if !slices.Contains(shapes, name) {
				continue
			}
			g := Group{Part: "layer", Title: name + " " + dtype, Plan: bench.Plan{Reps: 9, Burst: 1}, Check: &Check{
				Numbers: func(path string) error { return numbers.Layer(path, s.T, s.D, s.F, s.E) }, Most: map[string]float64{"f32": 1e-2, "bf16": 0.15}[dtype],
			}}
			if name == "C" {
				g.Plan = bench.Plan{Reps: 15, Burst: 6}
			}
			if quick {
				g.Plan.Reps = 5
			}
			ours, err := t.own("layer", "Artel", layerConfig(name, dtype))
			if err != nil {
				return nil, err
			}
			g.Cases = append(g.Cases, ours)
			if t.Peers() {
				for _, p := range layerPeers {
					c := layerConfig(name, dtype)
					c["way"] = p.way
					if p.tuned {
						c["tuned"] = true
					}
					g.Cases = append(g.Cases, t.peer("moe_layer.py", p.name, p.system, c))
				}
			}
			groups = append(groups, g)
		}
	}
	return groups, nil
}
