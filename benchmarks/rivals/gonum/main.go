// Command gonum times gonum's matrix product. It has no automatic differentiation.
package main

import (
	"artel/benchmarks/rivals/internal/lines"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

func main() {
	var cases []lines.Case
	for _, s := range lines.Shapes() {
		a := blas32.General{Rows: s.M, Cols: s.K, Stride: s.K, Data: lines.Random(s.M*s.K, 1)}
		b := blas32.General{Rows: s.K, Cols: s.N, Stride: s.N, Data: lines.Random(s.K*s.N, 1)}
		c := blas32.General{Rows: s.M, Cols: s.N, Stride: s.N, Data: make([]float32, s.M*s.N)}
		cases = append(cases, lines.Product("gonum", s, func() error {
			blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, a, b, 0, c)
			return nil
		}))
	}
	lines.Run(cases)
}
