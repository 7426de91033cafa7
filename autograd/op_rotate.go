package autograd

import (
	"math"

	"artel/dtype"
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

// Rotation is the rotation of one task: R = 2 Inv - I with Inv = (I - A)^-1 and A = (B - B^T)/2, the Cayley transform of a skew matrix. The caller makes Inv from B before every
// recording.
type Rotation struct {
	B      *param.Param  // [D,D]
	R, Inv tensor.Tensor // [D,D]
}

type rotate struct {
	x, y *Var
	rs   []Rotation
}

var rotateKind = NewKind[rotate]("rotate")

// Rotate turns the rows of every task by the task's rotation: y[i,:] = x[i,:] R[task(i)] (Javaloy & Valera 2022, RotoGrad, arXiv 2103.02631). The tasks' rows must be copies of
// the same rows (see Expand).
//
// Backward, cotangents are turned back. B does not follow the losses: its gradient is that of how far the task's cotangents are from the mean direction of all tasks,
//
//	mean over n of |v[n,:] R_t - dy_t[n,:]|^2,   v = mean over t of g_t |mean g| / |g_t|,   g_t = dy_t R_t^T
//
// with v and dy held constant, so that R_t learns to align the task's gradients with those of the others.
//
//	x [M*N,D]  rs: one per task  y [M*N,D]
func Rotate(t *Tape, x *Var, rs []Rotation) *Var {
	if t.err != nil {
		return t.Bad()
	}
	d := x.Cols()
	if !x.Space.Owned || len(rs) != t.tasks {
		t.Failf("rotate: want task-owned rows (put 'expand' before this layer) and %d rotations, got owned %v and %d", t.tasks, x.Space.Owned, len(rs))
		return t.Bad()
	}
	if s := rs[0].B.Shape(); len(s) != 2 || s[0] != d || s[1] != d {
		t.Failf("rotate: %s: input %v does not fit a rotation %v", rs[0].B.Name, x.Value, s)
		return t.Bad()
	}
	blocks := x.Space.Blocks
	for _, b := range blocks {
		if b.N != blocks[0].N {
			t.Failf("rotate: tasks have %d and %d rows; they must have copies of the same rows, whose gradients can be compared", blocks[0].N, b.N)
			return t.Bad()
		}
	}
	op := rotateKind.New(t)
	y := t.NewVar(t.New(x.Rows(), d), x.Space)
	*op = rotate{x: x, y: y, rs: rs}
	for _, b := range blocks {
		t.be.GEMM(kernels.GEMM{A: x.Value.Narrow(0, b.Act0, b.N), B: rs[b.Task].R, C: y.Value.Narrow(0, b.Act0, b.N)})
	}
	return t.Record("rotate", op, y, true, x)
}

func (o *rotate) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	dx, acc, need := t.Into(o.x)
	s, d := o.x.Space, o.x.Cols()
	m := t.arena.Mark()
	defer t.arena.Release(m)
	back := t.New(s.C, d) // cotangents turned back
	for _, b := range s.Blocks {
		r := o.rs[b.Task].R.T()
		t.be.GEMM(kernels.GEMM{A: dy.Narrow(0, b.Cot0, b.N), B: r, C: back.Narrow(0, b.Cot0, b.N)})
		if s.aux0 >= 0 {
			t.be.GEMM(kernels.GEMM{A: dy.Narrow(0, s.aux0+b.Act0, b.N), B: r, C: back.Narrow(0, s.aux0+b.Act0, b.N)})
		}
	}
	if need {
		t.be.Axpy(kernels.Axpy{Dst: dx, Src: back, Alpha: 1, Accumulate: acc})
	}
	if n := s.Blocks[0].N; n > 0 {
		o.align(t, dy, o.direction(t, back, n), n)
	}
}

// direction returns v, the mean of the tasks' cotangents brought to the length of their plain mean, [n,D].
func (o *rotate) direction(t *Tape, back tensor.Tensor, n int) tensor.Tensor {
	s, d := o.x.Space, o.x.Cols()
	mean, v := t.New(n, d), t.New(n, d)
	length := t.NewShared(dtype.F64, 1)
	norm := func(x tensor.Tensor) float64 {
		t.be.Fill(length, 0)
		t.be.SumSquares(kernels.SumSquares{X: x.Reshape(n * d), Dst: length})
		t.Sync()
		return math.Sqrt(length.F64()[0])
	}
	share := 1 / float64(len(s.Blocks))
	for i, b := range s.Blocks {
		t.be.Axpy(kernels.Axpy{Dst: mean, Src: back.Narrow(0, b.Cot0, n), Alpha: share, Accumulate: i > 0})
	}
	size := norm(mean)
	t.be.Fill(v, 0)
	for _, b := range s.Blocks {
		if g := norm(back.Narrow(0, b.Cot0, n)); g > 0 {
			t.be.Axpy(kernels.Axpy{Dst: v, Src: back.Narrow(0, b.Cot0, n), Alpha: share * size / g, Accumulate: true})
		}
	}
	return v
}

// align adds the gradient of every task's distance to the direction v to its B.
func (o *rotate) align(t *Tape, dy, v tensor.Tensor, n int) {
	d := o.x.Cols()
	diff, dr, half, da := t.New(n, d), t.New(d, d), t.New(d, d), t.New(d, d)
	for _, b := range o.x.Space.Blocks {
		r := &o.rs[b.Task]
		t.be.GEMM(kernels.GEMM{A: v, B: r.R, C: diff})
		t.be.Axpy(kernels.Axpy{Dst: diff, Src: dy.Narrow(0, b.Cot0, n), Alpha: -1, Accumulate: true})
		t.be.GEMM(kernels.GEMM{A: v.T(), B: diff, C: dr}) // n/2 times the gradient with respect to R
		// dR = 2 Inv dA Inv, so the gradient of A is 2 Inv^T dR Inv^T; that of B is its skew part.
		t.be.GEMM(kernels.GEMM{A: r.Inv.T(), B: dr, C: half})
		t.be.GEMM(kernels.GEMM{A: half, B: r.Inv.T(), C: da})
		dst, touched := t.sink.Rows(r.B)
		task := b.Task
		if dst.Stride(1) == 0 {
			task = 0
		}
		grad, flag := dst.At(0).At(task), &touched.I32()[task*touched.Stride(1)]
		c := 2 * 2 / float64(n) / 2
		t.be.Axpy(kernels.Axpy{Dst: grad, Src: da, Alpha: c, Accumulate: *flag != 0})
		*flag = 1
		t.be.Copy(kernels.Copy{Dst: half, Src: da.T()})
		t.be.Axpy(kernels.Axpy{Dst: grad, Src: half, Alpha: -c, Accumulate: true})
	}
}

func (o *rotate) Uses(visit func(*param.Param, uint64)) {
	for i, r := range o.rs {
		visit(r.B, o.y.reach&(1<<i))
	}
}
