package autograd

import "artel/kernels"

type unary struct {
	x, y *Var
	f    kernels.Unary
}

var unaryKind = NewKind[unary]("map")

// Map is y = f(x) element by element.
func Map(t *Tape, f kernels.Unary, x *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	op := unaryKind.New(t)
	y := t.NewVar(t.New(x.Rows(), x.Cols()), x.Space)
	*op = unary{x: x, y: y, f: f}
	t.be.Map(kernels.Map{Dst: y.Value, X: x.Value, F: f})
	return t.Record("map", op, y, false, x)
}

func (o *unary) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	if dx, acc, ok := t.Into(o.x); ok {
		t.be.MapGrad(kernels.MapGrad{DX: dx, X: o.x.Value, DY: dy, Act: o.x.Space.Act, F: o.f, Accumulate: acc})
	}
}

type scale struct {
	x, y  *Var
	alpha float64
}

var scaleKind = NewKind[scale]("scale")

// Scale is y = alpha*x.
func Scale(t *Tape, alpha float64, x *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	op := scaleKind.New(t)
	y := t.NewVar(t.New(x.Rows(), x.Cols()), x.Space)
	*op = scale{x: x, y: y, alpha: alpha}
	t.be.Axpy(kernels.Axpy{Dst: y.Value, Src: x.Value, Alpha: alpha})
	return t.Record("scale", op, y, false, x)
}

func (o *scale) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	if dx, acc, ok := t.Into(o.x); ok {
		t.be.Axpy(kernels.Axpy{Dst: dx, Src: dy, Alpha: o.alpha, Accumulate: acc})
	}
}

type mul struct{ x, y, z *Var }

var mulKind = NewKind[mul]("mul")

// Mul is z = x*y element by element, for equal shapes in one space.
func Mul(t *Tape, x, y *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if x.Space != y.Space || x.Cols() != y.Cols() {
		t.Failf("mul: %v and %v differ in shape or rows", x.Value, y.Value)
		return t.Bad()
	}
	op := mulKind.New(t)
	z := t.NewVar(t.New(x.Rows(), x.Cols()), x.Space)
	*op = mul{x: x, y: y, z: z}
	t.be.Mul(kernels.Mul{Dst: z.Value, X: x.Value, Y: y.Value})
	return t.Record("mul", op, z, false, x, y)
}

func (o *mul) Backward(t *Tape) {
	dz, ok := t.Grad(o.z)
	if !ok {
		return
	}
	act := o.x.Space.Act
	if dx, acc, ok := t.Into(o.x); ok {
		t.be.Mul(kernels.Mul{Dst: dx, X: o.y.Value, Y: dz, Act: act, Accumulate: acc})
	}
	if dy, acc, ok := t.Into(o.y); ok {
		t.be.Mul(kernels.Mul{Dst: dy, X: o.x.Value, Y: dz, Act: act, Accumulate: acc})
	}
}

// StopGradient is x without a gradient path: the cotangent of the result goes nowhere.
func StopGradient(t *Tape, x *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	return t.NewVar(x.Value, x.Space)
}

type straight struct{ x, y *Var }

var straightKind = NewKind[straight]("straight-through")

// StraightThrough has the value of hard and the gradient of soft (Bengio et al. 2013): d/dsoft = 1, d/dhard = 0.
func StraightThrough(t *Tape, hard, soft *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if hard.Space != soft.Space || hard.Cols() != soft.Cols() {
		t.Failf("straight-through: %v and %v differ in shape or rows", hard.Value, soft.Value)
		return t.Bad()
	}
	op := straightKind.New(t)
	y := t.NewVar(hard.Value, soft.Space)
	*op = straight{x: soft, y: y}
	return t.Record("straight-through", op, y, false, soft)
}

func (o *straight) Backward(t *Tape) {
	if dy, ok := t.Grad(o.y); ok {
		t.Add(o.x, dy)
	}
}
