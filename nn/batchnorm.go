package nn

import (
	"math"

	"artel/autograd"
	"artel/dtype"
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

// BatchNorm normalises every column over the rows of the batch: y = (x - mean) / sqrt(var + eps) * g + b (Ioffe & Szegedy 2015, arXiv 1502.03167). It
// couples rows: the gradient of one row's loss reaches all rows. So where tasks have gradients of their own it refuses, naming itself.
//
// In evaluation it uses running averages of mean and variance, which are state of the layer: see State.
type BatchNorm struct {
	G, B     *param.Param // [D]
	Eps      float64
	Momentum float64 // share of the newest batch in the running averages

	name           string
	mean, variance []float64
}

// NewBatchNorm declares name.weight (ones) and name.bias (zeros); eps is 1e-5, momentum 0.1.
func NewBatchNorm(b *param.Builder, key param.Key, name string, width int) *BatchNorm {
	n := &BatchNorm{
		G: b.Add(key, name+".weight", false, Ones, width), B: b.Add(key, name+".bias", false, Zeros, width),
		Eps: 1e-5, Momentum: 0.1, name: name, mean: make([]float64, width), variance: make([]float64, width),
	}
	for i := range n.variance {
		n.variance[i] = 1
	}
	return n
}

// State returns the running means and variances [D]: the live arrays, which a checkpoint reads and restores.
func (n *BatchNorm) State() (mean, variance []float64) { return n.mean, n.variance }

type batchNorm struct {
	n        *BatchNorm
	x, y     *autograd.Var
	xt, stat tensor.Tensor // [D,N], [D,2]
	hat      tensor.Tensor // [N,D]: normalised rows
	zeros    tensor.Tensor // I32 [N]
}

var batchNormKind = autograd.NewKind[batchNorm]("batch norm")

// Forward normalises rows [N,D].
func (n *BatchNorm) Forward(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	if t.Err() != nil {
		return t.Bad()
	}
	if t.Mode() == autograd.PerTask && severalTasks(x.Space) {
		t.Failf("%s: batch norm couples the rows of different tasks, so their gradients cannot be told apart; use rmsnorm or layernorm, or train without task gradients (surgery.method=sum)", n.name)
		return t.Bad()
	}
	be, rows, d := t.Backend(), x.Rows(), x.Cols()
	op := batchNormKind.New(t)
	*op = batchNorm{n: n, x: x, y: t.NewVar(t.New(rows, d), x.Space), hat: t.New(rows, d), zeros: t.NewI32(max(rows, x.Space.C))}
	be.Fill(op.zeros, 0)
	if t.Training() {
		op.xt, op.stat = t.New(d, rows), t.New(d, 2)
		yt := t.New(d, rows)
		be.Copy(kernels.Copy{Dst: op.xt, Src: x.Value.T()})
		be.LayerNorm(kernels.LayerNorm{Y: yt, X: op.xt, Stat: op.stat, Eps: n.Eps})
		be.Copy(kernels.Copy{Dst: op.hat, Src: yt.T()})
		n.follow(be, op.stat, rows)
	} else {
		n.evaluate(t, op)
	}
	act := op.zeros.Narrow(0, 0, rows)
	be.Mul(kernels.Mul{Dst: op.y.Value, X: n.G.Value.Reshape(1, d), Y: op.hat, Act: act})
	be.AddByRow(kernels.AddByRow{Dst: op.y.Value, X: op.y.Value, Table: n.B.Value.Reshape(1, d), Row: act})
	return t.Record("batch norm", op, op.y, true, x)
}

// severalTasks reports whether rows of s belong to more than one task.
func severalTasks(s *autograd.Space) bool {
	for _, b := range s.Blocks {
		if b.Task != s.Blocks[0].Task && b.N > 0 {
			return true
		}
	}
	return false
}

// follow moves the running averages towards the batch; the variance without bias, as torch keeps it.
func (n *BatchNorm) follow(be *kernels.Backend, stat tensor.Tensor, rows int) {
	s := tensor.New(dtype.F64, stat.Shape()...)
	be.Copy(kernels.Copy{Dst: s, Src: stat})
	for j := range n.mean {
		mean, rstd := s.F64()[2*j], s.F64()[2*j+1]
		v := (1/(rstd*rstd) - n.Eps) * float64(rows) / math.Max(1, float64(rows-1))
		n.mean[j] += n.Momentum * (mean - n.mean[j])
		n.variance[j] += n.Momentum * (v - n.variance[j])
	}
}

// evaluate normalises by the running averages.
func (n *BatchNorm) evaluate(t *autograd.Tape, op *batchNorm) {
	be, d := t.Backend(), op.x.Cols()
	scale, shift := tensor.New(dtype.F64, 1, d), tensor.New(dtype.F64, 1, d)
	for j := range n.mean {
		r := 1 / math.Sqrt(n.variance[j]+n.Eps)
		scale.F64()[j], shift.F64()[j] = r, -n.mean[j]*r
	}
	s, h := t.New(1, d), t.New(1, d)
	be.Copy(kernels.Copy{Dst: s, Src: scale})
	be.Copy(kernels.Copy{Dst: h, Src: shift})
	act := op.zeros.Narrow(0, 0, op.x.Rows())
	be.Mul(kernels.Mul{Dst: op.hat, X: s, Y: op.x.Value, Act: act})
	be.AddByRow(kernels.AddByRow{Dst: op.hat, X: op.hat, Table: h, Row: act})
}

// Backward runs where every cotangent row is an activation row: in plain mode, or with one task.
func (o *batchNorm) Backward(t *autograd.Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	be, rows, d := t.Backend(), o.x.Rows(), o.x.Cols()
	segs := o.x.Space.Segs
	dst, touched := t.Sink().Rows(o.n.B)
	be.GradB(kernels.GradB{DY: dy, Segs: segs, Dst: dst, Touched: touched})
	weighted := t.New(rows, d)
	be.Mul(kernels.Mul{Dst: weighted, X: o.hat, Y: dy})
	dst, touched = t.Sink().Rows(o.n.G)
	be.GradB(kernels.GradB{DY: weighted, Segs: segs, Dst: dst, Touched: touched})
	dx, acc, ok := t.Into(o.x)
	if !ok {
		return
	}
	be.Mul(kernels.Mul{Dst: weighted, X: o.n.G.Value.Reshape(1, d), Y: dy, Act: o.zeros.Narrow(0, 0, rows)})
	dhat, dxt := t.New(d, rows), t.New(d, rows)
	be.Copy(kernels.Copy{Dst: dhat, Src: weighted.T()})
	be.LayerNormGrad(kernels.LayerNormGrad{DX: dxt, X: o.xt, Stat: o.stat, DY: dhat, Segs: segs})
	be.Copy(kernels.Copy{Dst: weighted, Src: dxt.T()})
	be.Axpy(kernels.Axpy{Dst: dx, Src: weighted, Alpha: 1, Accumulate: acc})
}

// Uses tells the tape's analysis about the parameters.
func (o *batchNorm) Uses(visit func(*param.Param, uint64)) {
	visit(o.n.G, o.y.Reach())
	visit(o.n.B, o.y.Reach())
}
