package optim_test

import (
	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// recorder is a backend that computes nothing and notes what it is asked for.
type recorder struct {
	*kernels.Backend
	keep  bool
	calls []call
}

// call is one kernel call on a part of the flat space.
type call struct {
	op        string
	off, n    int // of P, or of the vector that is summed
	lr, decay float64
}

func newRecorder() *recorder {
	r := &recorder{keep: true}
	note := func(op string, p tensor.Tensor, lr, decay float64) {
		if r.keep {
			r.calls = append(r.calls, call{op, p.Offset(), p.Len(), lr, decay})
		}
	}
	r.Backend = &kernels.Backend{Name: "recorder", Float: dtype.F64, Alloc: tensor.NewHost}
	r.Fill = func(tensor.Tensor, float64) {}
	r.Axpy = func(kernels.Axpy) {}
	r.Clip = func(kernels.Clip) {}
	r.Copy = func(kernels.Copy) {}
	r.GEMM = func(kernels.GEMM) {}
	r.RMSNorm = func(kernels.RMSNorm) {}
	r.SumSquares = func(a kernels.SumSquares) { note("sum", a.X, 0, 0) }
	r.SGD = func(a kernels.SGD) { note("sgd", a.P, a.LR, a.Decay) }
	r.Adam = func(a kernels.Adam) { note("adam", a.P, a.LR, a.Decay) }
	r.Lion = func(a kernels.Lion) { note("lion", a.P, a.LR, a.Decay) }
	return r
}
