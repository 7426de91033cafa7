package suite

import (
	"fmt"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/numbers"
)

// products are the compared shapes, m x n x k.
var products = [][3]int{{512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}, {4096, 512, 1024}, {64, 1024, 512}, {16, 1024, 512}}

// Kernels is matrix products, in every engine the fastest way it has.
func (t *Tools) Kernels(dtypes []string, quick bool) (groups []Group, err error) {
	for _, dtype := range dtypes {
		for _, p := range products {
			if quick && (p[0] == 512 || p[0] == 2048) {
				continue
			}
			config := func() map[string]any { return map[string]any{"m": p[0], "n": p[1], "k": p[2], "dtype": dtype} }
			ours, err := t.own("kernels", "Artel", config())
			if err != nil {
				return nil, err
			}
			g := Group{
				Part: "kernels", Title: fmt.Sprintf("%d x %d x %d %s", p[0], p[1], p[2], dtype), Cases: []bench.Case{ours}, Plan: bench.Plan{Reps: 21, Burst: 2},
				Check: &Check{Numbers: func(path string) error { return numbers.Product(path, p[0], p[1], p[2]) }, Most: map[string]float64{"f32": 1e-4, "bf16": 2e-2}[dtype]},
			}
			if quick {
				g.Plan.Reps = 9
			}
			if t.Peers() {
				g.Cases = append(g.Cases, t.peer("gemm.py", "PyTorch", "PyTorch", config()))
			}
			groups = append(groups, g)
		}
	}
	return groups, nil
}
