package suite

import (
	"slices"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/numbers"
)

// LayerShape is the size of a mixture layer: T tokens of width D, E experts with F hidden units, K of them per token.
type LayerShape struct {
	Name          string
	T, D, F, E, K int
}

// LayerShapes are the layers that are compared.
var LayerShapes = []LayerShape{{"A", 4096, 512, 1024, 16, 2}, {"B", 8192, 256, 512, 64, 4}, {"C", 2048, 64, 128, 8, 2}}

func (s LayerShape) config(dtype string) map[string]any {
	return map[string]any{"shape": s.Name, "T": s.T, "D": s.D, "F": s.F, "E": s.E, "K": s.K, "dtype": dtype}
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
	for _, s := range LayerShapes {
		for _, dtype := range dtypes {
			if !slices.Contains(shapes, s.Name) {
				continue
			}
			g := Group{Part: "layer", Title: s.Name + " " + dtype, Plan: bench.Plan{Reps: 9, Burst: 1}, Check: &Check{
				Numbers: func(path string) error { return numbers.Layer(path, s.T, s.D, s.F, s.E) }, Most: map[string]float64{"f32": 1e-2, "bf16": 0.15}[dtype],
			}}
			if s.Name == "C" {
				g.Plan = bench.Plan{Reps: 15, Burst: 6}
			}
			if quick {
				g.Plan.Reps = 5
			}
			ours, err := t.own("layer", "Artel", s.config(dtype))
			if err != nil {
				return nil, err
			}
			g.Cases = append(g.Cases, ours)
			if t.Peers() {
				for _, p := range layerPeers {
					c := s.config(dtype)
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
