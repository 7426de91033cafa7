package nn

import (
	"fmt"

	"artel/autograd"
	"artel/dtype"
	"artel/internal/linalg"
	"artel/kernels"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

// Rotate is the rotations of RotoGrad (Javaloy & Valera 2022, arXiv 2103.02631): every task sees the shared rows turned by a matrix of its own, which learns to bring the task's
// gradients into the direction of the others'. With surgery method rotograd at the block before expand, lengths are made equal too. See autograd.Rotate.
//
//	y[i,:] = x[i,:] R[task(i)], R [M] of [D,D], rotations that start near the identity; rows must be task-owned copies
type Rotate struct {
	rs    []autograd.Rotation
	width int
	inv   tensor.Tensor // F64 [D,D]
	pivot []int
}

// NewRotate declares name.task.N for every task N: the matrices whose skew parts make the rotations. A smaller learning rate for them (optimizer.groups) is usual.
func NewRotate(b *param.Builder, name string, tasks, width int) *Rotate {
	r := &Rotate{width: width, inv: tensor.New(dtype.F64, width, width), pivot: make([]int, width)}
	small := func(s rng.Stream, _ int) float64 { return 0.01 * s.Normal() }
	for t := range tasks {
		key := param.Key{Kind: param.Head, Layer: fmt.Sprintf("%s.task.%d", name, t)}
		r.rs = append(r.rs, autograd.Rotation{B: b.Add(key, fmt.Sprintf("%s.task.%d", name, t), false, small, width, width)})
	}
	return r
}

// Forward turns rows [M*N,D].
func (r *Rotate) Forward(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	if t.Err() != nil || x.Cols() != r.width {
		t.Failf("rotate: rows of width %d, want %d", x.Cols(), r.width)
		return t.Bad()
	}
	for i := range r.rs {
		r.update(t, &r.rs[i])
	}
	return autograd.Rotate(t, x, r.rs)
}

// update makes a rotation from its B. The inverse of I - A always exists, because the eigenvalues of a skew matrix are imaginary; it is computed in float64 on the host.
func (r *Rotate) update(t *autograd.Tape, rot *autograd.Rotation) {
	be, d, inv := t.Backend(), r.width, r.inv.F64()
	be.Copy(kernels.Copy{Dst: r.inv, Src: rot.B.Value})
	for i := range d {
		for j := range i {
			a := (inv[i*d+j] - inv[j*d+i]) / 2
			inv[i*d+j], inv[j*d+i] = -a, a // I - A
		}
		inv[i*d+i] = 1
	}
	if !linalg.Inverse(inv, d, r.pivot) {
		t.Failf("rotate: %s: values that are not finite", rot.B.Name)
		return
	}
	rot.Inv, rot.R = t.New(d, d), t.New(d, d)
	be.Copy(kernels.Copy{Dst: rot.Inv, Src: r.inv})
	for i := range inv {
		inv[i] *= 2
	}
	for i := range d {
		inv[i*d+i]--
	}
	be.Copy(kernels.Copy{Dst: rot.R, Src: r.inv})
}
