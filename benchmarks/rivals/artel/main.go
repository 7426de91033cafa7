// Command artel times Artel's own matrix product, for the same comparison.
package main

import (
	"artel/benchmarks/rivals/internal/lines"
	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/tensor"
)

func main() {
	be := cpu.New()
	var cases []lines.Case
	for _, s := range lines.Shapes() {
		p := kernels.GEMM{
			A: tensor.Of(tensor.WrapF32(lines.Random(s.M*s.K, 1)), 0, s.M, s.K), B: tensor.Of(tensor.WrapF32(lines.Random(s.K*s.N, 1)), 0, s.K, s.N), C: tensor.New(dtype.F32, s.M, s.N),
		}
		cases = append(cases, lines.Product("artel", s, func() error {
			be.GEMM(p)
			return nil
		}))
	}
	lines.Run(cases)
}
