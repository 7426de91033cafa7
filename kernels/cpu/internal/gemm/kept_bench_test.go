package gemm

import (
	"fmt"
	"testing"

	"artel/rng"
)

// BenchmarkKept multiplies few rows by sixteen weights in turn, packed anew every time and kept.
func BenchmarkKept(b *testing.B) {
	s := rng.New(1)
	v := Variants()[0]
	sc := new(Scratch)
	const k, n, experts = 512, 1024, 16
	for _, bf16 := range []bool{false, true} {
		for _, transposed := range []bool{false, true} {
			var w []Mat
			for range experts {
				w = append(w, dense(&s, k, n, transposed))
			}
			for _, m := range []int{8, 16, 64, 256} {
				for _, keep := range []bool{false, true} {
					b.Run(fmt.Sprintf("bf16=%v/transposed=%v/rows=%d/kept=%v", bf16, transposed, m, keep), func(b *testing.B) {
						var ps []Product
						for _, w := range w {
							p := Product{M: m, N: n, K: k, A: dense(&s, m, k, false), B: w, C: make([]float32, m*n), LDC: n, BF16: bf16}
							if keep {
								p.Kept = v.NewKept(&p)
							}
							v.Run(&p, 0, m, 0, Panels(n), sc)
							ps = append(ps, p)
						}
						for i := 0; b.Loop(); i++ {
							v.Run(&ps[i%experts], 0, m, 0, Panels(n), sc)
						}
						b.ReportMetric(2*float64(m*n*k)/float64(b.Elapsed().Nanoseconds())*float64(b.N), "GFLOP/s")
					})
				}
			}
		}
	}
}
