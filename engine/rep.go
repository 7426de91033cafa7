package engine

import (
	"math"

	"artel/autograd"
	"artel/dtype"
	"artel/gradsurgery"
	"artel/kernels"
	"artel/param"
	"artel/tensor"

	"github.com/pkg/errors"
)

// rep adds the gradient of losses h(S) on the task gradients S = dL/dZ at an activation (Rep-MTL, Wang et al. 2025, arXiv 2507.21049). With U = dh/dS and every task
// reading a copy of Z of its own,
//
//	dh/dtheta = d/deps (dL/dtheta at Z + eps U) = (dL/dtheta at Z + eps U - dL/dtheta at Z - eps U) / (2 eps) + O(eps^2)
//
// so that two plain passes replace second derivatives of every op.
type rep struct {
	e      *Engine
	o      gradsurgery.Saliency
	sink   *param.Sink   // plain
	memory tensor.Tensor // room for U
	shift  tensor.Tensor // U [C,D] of the step at hand
	eps    float64       // 0 where U is
	alpha  float64       // factor of the shift in the pass at hand, 0 in others
	loss   tensor.Tensor // F64 [2]: the two losses
	size   tensor.Tensor // F64 [1]
	losses []float64
}

// newRep prepares Rep-MTL at an activation.
func (e *Engine) newRep(o *gradsurgery.Saliency, at, name string) error {
	if e.Model.MixtureBehind(at) {
		return errors.Errorf("surgery.at: %q: %s takes differences of gradients, which jump where a router behind the activation changes its mind; want an activation behind the last mixture", at, name)
	}
	if err := e.be.Require("Saliency"); err != nil {
		return err
	}
	e.at.rep = &rep{e: e, o: *o, sink: param.NewPlain(e.be, e.Set), loss: e.be.NewShared(dtype.F64, 2), size: e.be.NewShared(dtype.F64, 1), losses: make([]float64, len(e.tasks))}
	return nil
}

// measure finds U and the size of the shift from the task gradients at the activation.
func (r *rep) measure(runs []autograd.TapRun) {
	be, n, rows := r.e.be, 0, 0
	r.eps = 0
	be.Fill(r.loss, 0)
	if len(runs) == 0 {
		return
	}
	d := runs[0].Z.Dim(1)
	for _, run := range runs {
		n += run.Z.Dim(0)
		rows = max(rows, run.Row0+len(run.Tasks)*run.Z.Dim(0))
	}
	if !r.memory.Ok() || r.memory.Len() < rows*d {
		r.memory = be.New(be.Float, rows*d)
	}
	flat := r.memory.Narrow(0, 0, rows*d)
	r.shift = flat.Reshape(rows, d)
	be.Fill(flat, 0)
	var z float64
	for _, run := range runs {
		m, own := len(run.Tasks), run.Z.Dim(0)
		z += r.squares(run.Z.Reshape(own * d))
		if m < 2 {
			continue // a task alone has no others to differ from
		}
		be.Saliency(kernels.Saliency{
			S: run.J, U: r.shift.Narrow(0, run.Row0, m*own).Reshape(m, own*d), Loss: r.loss, Width: d, Window: r.o.Window,
			Entropy: r.o.Entropy / float64(n), Align: r.o.Align / float64(n*m), Temperature: r.o.Temperature, Floor: r.o.Floor,
		})
	}
	if u := r.squares(flat); u > 0 {
		r.eps = r.o.Step * math.Sqrt(z/float64(n)/(u/float64(rows)))
	}
}

func (r *rep) squares(x tensor.Tensor) float64 {
	r.e.be.Fill(r.size, 0)
	r.e.be.SumSquares(kernels.SumSquares{X: x, Dst: r.size})
	r.e.tape.Sync()
	return r.size.F64()[0]
}

// add adds dh/dtheta to the step's gradient, by two more passes over its batch.
func (r *rep) add() error {
	e := r.e
	if r.eps == 0 {
		return nil
	}
	copy(r.losses, e.losses)
	aux := e.aux
	for _, sign := range [2]float64{1, -1} {
		r.alpha = sign * r.eps
		err := e.pass(autograd.Plain, e.batches[0])
		r.alpha = 0
		if err != nil {
			return err
		}
		r.sink.Begin(e.be)
		if err := e.tape.Backward(r.sink, nil); err != nil {
			return err
		}
		r.sink.Settle(e.be, tensor.Tensor{}, tensor.Tensor{}, false)
		e.be.Axpy(kernels.Axpy{Dst: e.sink.Grad, Src: r.sink.Grad, Alpha: sign / (2 * r.eps), Accumulate: true})
	}
	copy(e.losses, r.losses)
	e.aux = aux + r.loss.F64()[0] + r.loss.F64()[1]
	return nil
}
