package linalg_test

import (
	"fmt"
	"testing"

	"artel/internal/linalg"
	"artel/rng"
)

func BenchmarkSolvers(b *testing.B) {
	for _, m := range []int{2, 4, 8, 64} {
		s := rng.New(1)
		g := gram(m, 2*m, 1, kinds[0].edit, &s)
		a, l, d := make([]float64, m), make([]float64, m), make([]float64, m)
		for i := range l {
			l[i] = 1 / float64(m)
		}
		mn, bq, eg, ba := linalg.NewMinNorm(m), linalg.NewBoundQP(m), linalg.NewEigen(m), linalg.NewBalance(m)
		for name, f := range map[string]func(){
			"hull":    func() { mn.Solve(g, a) },
			"bound":   func() { bq.Solve(g, l, a) },
			"eigen":   func() { eg.Solve(g, d) },
			"balance": func() { ba.Solve(g, 1, a) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, m), func(b *testing.B) {
				for b.Loop() {
					f()
				}
			})
		}
	}
}
