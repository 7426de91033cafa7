// Command born is the worker of born's matrix product and of a sparse mixture layer in born; build it with GOEXPERIMENT=simd for its vector code.
package main

import (
	"fmt"

	"artel/benchmarks/rivals/internal/lines"

	"github.com/born-ml/born/autodiff"
	"github.com/born-ml/born/backend/cpu"
	"github.com/born-ml/born/tensor"
)

func main() {
	lines.Serve(lines.Engine{Product: product, Layer: layer})
}

func product(p *lines.Case, x, y []float32) (lines.Step, error) {
	be := cpu.New()
	a, err := tensor.FromSlice(x, tensor.Shape{p.M, p.Depth}, be)
	if err != nil {
		return nil, err
	}
	b, err := tensor.FromSlice(y, tensor.Shape{p.Depth, p.N}, be)
	if err != nil {
		return nil, err
	}
	return func(bool) (lines.Answers, error) { return lines.Answers{"c": a.MatMul(b).Data()}, nil }, nil
}

type (
	backend = *autodiff.Backend[*cpu.Backend]
	matrix  = *tensor.Tensor[float32, backend]
	ids     = *tensor.Tensor[int32, backend]
)

// sparse is a layer whose rows are sorted by expert on the host, which born's eager tensors allow: a product per expert and matrix.
type sparse struct {
	*lines.Layer
	be             backend
	x, dy, router  matrix
	gate, up, down []matrix
	picks, inverse ids   // [T,K] experts of a token; place of each pick among the sorted rows
	rows           []ids // tokens of each expert
}

func layer(l *lines.Layer) (lines.Step, error) {
	s := &sparse{Layer: l, be: autodiff.New(cpu.New())}
	var err error
	put := func(x []float32, rows, cols int) matrix {
		t, e := tensor.FromSlice(x, tensor.Shape{rows, cols}, s.be)
		if e != nil {
			err = e
		}
		return t
	}
	index := func(x []int32, shape ...int) ids {
		t, e := tensor.FromSlice(x, tensor.Shape(shape), s.be)
		if e != nil {
			err = e
		}
		return t
	}
	s.x, s.dy, s.router = put(l.X, l.T, l.D), put(l.DY, l.T, l.D), put(l.Router, l.D, l.E)
	n := l.D * l.F
	picks, sorted := l.Picks(), make([][]int32, l.E)
	for i, e := range picks {
		sorted[e] = append(sorted[e], int32(i))
	}
	flat, place, at := make([]int32, len(picks)), make([]int32, len(picks)), int32(0)
	for e := range l.E {
		s.gate = append(s.gate, put(l.Gate[e*n:][:n], l.D, l.F))
		s.up, s.down = append(s.up, put(l.Up[e*n:][:n], l.D, l.F)), append(s.down, put(l.Down[e*n:][:n], l.F, l.D))
		token := make([]int32, len(sorted[e]))
		for i, p := range sorted[e] {
			token[i], place[p] = p/int32(l.K), at
			at++
		}
		if len(token) == 0 {
			return nil, fmt.Errorf("expert %d has no rows, which this form does not treat", e)
		}
		s.rows = append(s.rows, index(token, len(token)))
	}
	for i, e := range picks {
		flat[i] = int32(e)
	}
	s.picks, s.inverse = index(flat, l.T, l.K), index(place, len(place))
	return s.step, err
}

func (s *sparse) step(bool) (lines.Answers, error) {
	tape := s.be.Tape()
	tape.Clear()
	tape.StartRecording()
	p := s.x.MatMul(s.router).Softmax(-1).Gather(1, s.picks)
	p = p.Div(p.SumDim(1, true))
	parts := make([]matrix, s.E)
	for e := range parts {
		rows := s.x.Embedding(s.rows[e])
		h := rows.MatMul(s.gate[e])
		a := tensor.New[float32](s.be.SiLU(h.Raw()), s.be).Mul(rows.MatMul(s.up[e]))
		parts[e] = a.MatMul(s.down[e])
	}
	y := tensor.Cat(parts, 0).Embedding(s.inverse).Mul(p.Reshape(s.T*s.K, 1)).Reshape(s.T, s.K, s.D).SumDim(1, false)
	g := autodiff.Backward(y.Mul(s.dy), s.be)
	tape.StopRecording()
	of := func(x matrix) []float32 {
		if r := g[x.Raw()]; r != nil {
			return r.AsFloat32()
		}
		return nil
	}
	out := lines.Answers{"y": y.Data(), "dx": of(s.x), "drouter": of(s.router)}
	for e := range parts {
		out["dgate"], out["dup"], out["ddown"] = append(out["dgate"], of(s.gate[e])...), append(out["dup"], of(s.up[e])...), append(out["ddown"], of(s.down[e])...)
	}
	return out, nil
}
