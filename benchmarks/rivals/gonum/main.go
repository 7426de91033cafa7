// Command gonum is the worker of gonum's matrix product. It has no automatic differentiation, so no layer.
package main

import (
	"artel/benchmarks/rivals/internal/lines"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

func main() {
	lines.Serve(lines.Engine{Product: func(p *lines.Case, x, y []float32) (lines.Step, error) {
		a := blas32.General{Rows: p.M, Cols: p.Depth, Stride: p.Depth, Data: x}
		b := blas32.General{Rows: p.Depth, Cols: p.N, Stride: p.N, Data: y}
		c := blas32.General{Rows: p.M, Cols: p.N, Stride: p.N, Data: make([]float32, p.M*p.N)}
		return func(bool) (lines.Answers, error) {
			blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, a, b, 0, c)
			return lines.Answers{"c": c.Data}, nil
		}, nil
	}})
}
