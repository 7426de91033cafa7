// Command born times born's matrix product; build it with GOEXPERIMENT=simd for its vector code.
package main

import (
	"log"

	"artel/benchmarks/rivals/internal/lines"

	"github.com/born-ml/born/backend/cpu"
	"github.com/born-ml/born/tensor"
)

func main() {
	be := cpu.New()
	var cases []lines.Case
	for _, s := range lines.Shapes() {
		a, err := tensor.FromSlice(lines.Random(s.M*s.K, 1), tensor.Shape{s.M, s.K}, be)
		if err != nil {
			log.Fatal(err)
		}
		b, err := tensor.FromSlice(lines.Random(s.K*s.N, 1), tensor.Shape{s.K, s.N}, be)
		if err != nil {
			log.Fatal(err)
		}
		cases = append(cases, lines.Product("born", s, func() error {
			a.MatMul(b)
			return nil
		}))
	}
	lines.Run(cases)
}
