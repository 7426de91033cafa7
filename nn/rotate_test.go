package nn_test

import (
	"math"
	"testing"

	"artel/autograd"
	"artel/dtype"
	"artel/internal/tol"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/nn"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

// rotated is rows x W, copied for two tasks, turned, and weighted sums as losses.
type rotated struct {
	be    *kernels.Backend
	tape  *autograd.Tape
	set   *param.Set
	w     *param.Param
	layer *nn.Rotate
	x     tensor.Tensor
	y     *autograd.Var
}

const turns, rotWidth, rotRows = 2, 4, 5

func newRotated(t *testing.T) *rotated {
	t.Helper()
	m := &rotated{be: ref.New()}
	m.tape = autograd.NewTape(m.be, turns)
	b := param.NewBuilder()
	m.w = b.Add(key, "w", true, func(s rng.Stream, _ int) float64 { return s.Normal() }, 3, rotWidth)
	m.layer = nn.NewRotate(b, "r", turns, rotWidth)
	var err error
	if m.set, err = b.Build(m.be, rng.New(8)); err != nil {
		t.Fatal(err)
	}
	s := rng.New(9)
	for task := range turns { // far from the identity
		p := m.set.Lookup([]string{"r.task.0", "r.task.1"}[task])
		for i := range p.Value.F64() {
			p.Value.F64()[i] = 0.7 * s.Normal()
		}
	}
	m.x = m.be.New(dtype.F64, rotRows, 3)
	for i := range m.x.F64() {
		m.x.F64()[i] = s.Normal()
	}
	return m
}

// forward records the model; the loss of task t is half the squared distance of its turned rows to a constant, whose gradient depends on the rows.
func (m *rotated) forward(mode autograd.Mode) (loss float64) {
	m.tape.Begin(mode, false)
	s := m.tape.NewSpace(rotRows, []autograd.Block{{Task: 0, N: rotRows}, {Task: 1, N: rotRows}}, tensor.Tensor{})
	h := autograd.Expand(m.tape, autograd.Linear(m.tape, m.tape.Input(m.x, s), m.w, nil))
	m.y = m.layer.Forward(m.tape, h)
	for task := range turns {
		v, _ := autograd.TaskView(m.tape, m.y, task)
		target := m.be.New(dtype.F64, rotRows, rotWidth)
		for i := range target.F64() {
			target.F64()[i] = math.Sin(float64(3*i + task))
		}
		autograd.Regression(m.tape, v, target, 0.5+float64(task), 0)
	}
	for i := range m.tape.Losses() {
		loss += m.tape.LossAt(i).Value.F64()[0]
	}
	return loss
}

// TestRotateKeepsLengths: turned rows are as long as they were, and angles between them stay.
func TestRotateKeepsLengths(t *testing.T) {
	m := newRotated(t)
	m.forward(autograd.Eval)
	if err := m.tape.Err(); err != nil {
		t.Fatal(err)
	}
	h := m.be.New(dtype.F64, rotRows, rotWidth)
	m.be.GEMM(kernels.GEMM{A: m.x, B: m.w.Value, C: h})
	for task := range turns {
		for i := range rotRows {
			for j := range i + 1 {
				var got, want float64
				for k := range rotWidth {
					got += m.y.Value.F64()[(task*rotRows+i)*rotWidth+k] * m.y.Value.F64()[(task*rotRows+j)*rotWidth+k]
					want += h.F64()[i*rotWidth+k] * h.F64()[j*rotWidth+k]
				}
				if math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
					t.Errorf("task %d: rows %d and %d have the product %v, before %v", task, i, j, got, want)
				}
			}
		}
	}
}

// TestRotateGradients: below, the gradient is that of the losses; the rotations' own is that of the distance to the common direction, with direction and cotangents held.
func TestRotateGradients(t *testing.T) {
	m := newRotated(t)
	m.forward(autograd.Plain)
	k := param.NewPlain(m.be, m.set)
	if err := m.tape.Backward(k, nil); err != nil {
		t.Fatal(err)
	}
	const eps = 1e-6
	slope := func(x []float64, i int, f func() float64) float64 {
		was := x[i]
		x[i] = was + eps
		up := f()
		x[i] = was - eps
		down := f()
		x[i] = was
		return (up - down) / (2 * eps)
	}
	var want []float64
	for i := range m.w.Value.F64()[:m.w.Len()] {
		want = append(want, slope(m.w.Value.F64(), i, func() float64 { return m.forward(autograd.Plain) }))
	}
	got := append([]float64(nil), k.Grad.Narrow(0, m.w.Off, m.w.Len()).F64()...)
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-6*(1+math.Abs(want[i])) {
			t.Errorf("W[%d]: gradient %v, finite difference %v", i, got[i], want[i])
		}
	}
	// What is held: cotangents of the turned rows, and the direction made from them.
	m.forward(autograd.Plain)
	dy := make([][]float64, turns)
	back := make([][]float64, turns)
	for task := range turns {
		for i := range rotRows * rotWidth {
			y := m.y.Value.F64()[task*rotRows*rotWidth+i]
			dy[task] = append(dy[task], 2*(0.5+float64(task))*(y-math.Sin(float64(3*i+task))))
		}
		back[task] = turn(dy[task], turnedBack(rotationOf(m, task)))
	}
	v := make([]float64, rotRows*rotWidth)
	mean := make([]float64, len(v))
	for task := range turns {
		for i, g := range back[task] {
			mean[i] += g / turns
		}
	}
	for task := range turns {
		for i, g := range back[task] {
			v[i] += g / turns * size(mean) / size(back[task])
		}
	}
	for task := range turns {
		b := m.set.Lookup([]string{"r.task.0", "r.task.1"}[task])
		distance := func() float64 {
			m.forward(autograd.Eval) // makes the rotation anew
			var sum float64
			for i, x := range turn(v, rotationOf(m, task)) {
				sum += (x - dy[task][i]) * (x - dy[task][i]) / rotRows
			}
			return sum
		}
		var want []float64
		for i := range b.Len() {
			want = append(want, slope(b.Value.F64(), i, distance))
		}
		got := k.Grad.Narrow(0, b.Off, b.Len()).F64()[:b.Len()]
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-5*(1+math.Abs(want[i])) {
				t.Errorf("%s[%d]: gradient %v, finite difference %v", b.Name, i, got[i], want[i])
			}
		}
	}
}

// rotationOf reads the rotation of a task off what the layer does to unit rows.
func rotationOf(m *rotated, task int) []float64 {
	tape := autograd.NewTape(m.be, turns)
	tape.Begin(autograd.Eval, false)
	unit := m.be.New(dtype.F64, turns*rotWidth, rotWidth)
	for i := range turns * rotWidth {
		unit.F64()[i*rotWidth+i%rotWidth] = 1
	}
	s := tape.NewSpace(turns*rotWidth, []autograd.Block{{Task: 0, N: rotWidth}, {Task: 1, Act0: rotWidth, N: rotWidth}}, tensor.Tensor{})
	y := m.layer.Forward(tape, tape.Input(unit, s))
	return append([]float64(nil), y.Value.Narrow(0, task*rotWidth, rotWidth).F64()[:rotWidth*rotWidth]...)
}

func turnedBack(r []float64) []float64 {
	out := make([]float64, len(r))
	for i := range rotWidth {
		for j := range rotWidth {
			out[j*rotWidth+i] = r[i*rotWidth+j]
		}
	}
	return out
}

// turn is x R for rows x.
func turn(x, r []float64) []float64 {
	out := make([]float64, len(x))
	for i := range len(x) / rotWidth {
		for j := range rotWidth {
			for k := range rotWidth {
				out[i*rotWidth+j] += x[i*rotWidth+k] * r[k*rotWidth+j]
			}
		}
	}
	return out
}

func size(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v * v
	}
	return math.Sqrt(s)
}

// TestRotatePerTask: the gradients of a per-task pass are those of the plain one, since every task's rows are its own.
func TestRotatePerTask(t *testing.T) {
	m := newRotated(t)
	m.forward(autograd.PerTask)
	k, err := param.NewPerTask(m.be, m.set, turns, m.tape.Reach(m.set))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.tape.Backward(k, nil); err != nil {
		t.Fatal(err)
	}
	m.forward(autograd.Plain)
	plain := param.NewPlain(m.be, m.set)
	if err := m.tape.Backward(plain, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"r.task.0", "r.task.1"} {
		p := m.set.Lookup(name)
		if k.PerTask(p.Group) {
			t.Errorf("%s has rows by task", name)
		}
		tol.Check(t, name, dtype.F64, 100, k.Grad.Narrow(0, p.Off, p.Len()).F64()[:p.Len()], plain.Grad.Narrow(0, p.Off, p.Len()).F64()[:p.Len()])
	}
	rows := k.GroupRows(m.w.Group)
	var sum []float64
	for i := range m.w.Len() {
		sum = append(sum, rows.At(0).F64()[i]+rows.At(1).F64()[i])
	}
	tol.Check(t, "w", dtype.F64, 100, sum, plain.Grad.Narrow(0, m.w.Off, m.w.Len()).F64()[:m.w.Len()])
}
