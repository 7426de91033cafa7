package autograd_test

import (
	"strings"
	"testing"

	"artel/autograd"
	"artel/dtype"
	"artel/internal/tol"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

// tapped is a trunk of two layers, a tap, and a head per task.
type tapped struct {
	be     *kernels.Backend
	tape   *autograd.Tape
	set    *param.Set
	w1, w2 *param.Param
	heads  []*param.Param
	x      tensor.Tensor
	blocks []autograd.Block
	deep   bool // a second layer and a nonlinearity in the trunk
}

func newTapped(t *testing.T, blocks []autograd.Block, tasks, n, width int, deep bool) *tapped {
	t.Helper()
	be := ref.New()
	m := &tapped{be: be, tape: autograd.NewTape(be, tasks), blocks: blocks, deep: deep}
	b := param.NewBuilder()
	m.w1 = b.Add(shared, "w1", true, normal, width, 5)
	if deep {
		m.w2 = b.Add(shared, "w2", true, normal, 5, 5)
	}
	for task := range tasks {
		key := param.Key{Kind: param.Head, Layer: "head" + string(rune('0'+task))}
		m.heads = append(m.heads, b.Add(key, key.Layer, true, normal, 5, 3))
	}
	var err error
	if m.set, err = b.Build(be, rng.New(3)); err != nil {
		t.Fatal(err)
	}
	m.x = be.New(be.Float, n, width)
	s := rng.New(5)
	for i := range m.x.F64() {
		m.x.F64()[i] = s.Normal()
	}
	return m
}

// run records the model, takes task gradients at the tap when combine is set, and goes backward into k.
func (m *tapped) run(t *testing.T, mode autograd.Mode, combine autograd.Combiner, seeds []float64) *param.Sink {
	t.Helper()
	m.tape.Begin(mode, false)
	if combine != nil {
		m.tape.TakeAt(combine)
	}
	s := m.tape.NewSpace(m.x.Dim(0), m.blocks, tensor.Tensor{})
	h := autograd.Linear(m.tape, m.tape.Input(m.x, s), m.w1, nil)
	if m.deep {
		h = autograd.Linear(m.tape, autograd.Map(m.tape, kernels.GELU, h), m.w2, nil)
	}
	h = autograd.Tap(m.tape, h)
	for task, w := range m.heads {
		v, ok := autograd.TaskView(m.tape, h, task)
		if !ok {
			continue
		}
		label := m.be.New(dtype.I32, v.Rows())
		for i := range label.I32() {
			label.I32()[i] = int32((i*7 + task) % 3)
		}
		autograd.CrossEntropy(m.tape, autograd.Linear(m.tape, v, w, nil), label, 1, 0)
	}
	k := param.NewPlain(m.be, m.set)
	if mode == autograd.PerTask {
		var err error
		if k, err = param.NewPerTask(m.be, m.set, len(m.heads), m.tape.Reach(m.set)); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.tape.Backward(k, seeds); err != nil {
		t.Fatal(err)
	}
	k.Settle(m.be, tensor.Tensor{}, tensor.Tensor{}, false)
	return k
}

// TestTapWeights: weights at an activation give the trunk the gradient of the weighted losses, and the heads their own.
func TestTapWeights(t *testing.T) {
	for name, blocks := range map[string][]autograd.Block{
		"shared": {{Task: 0, N: 6}, {Task: 1, N: 6}, {Task: 2, N: 6}},
		"mixed":  {{Task: 0, N: 4}, {Task: 1, N: 4}, {Task: 2, Act0: 4, N: 2}},
	} {
		weights := []float64{0.3, -1.2, 2}
		m := newTapped(t, blocks, 3, 6, 4, true)
		got := m.run(t, autograd.PerTask, func(runs []autograd.TapRun) error {
			for _, r := range runs {
				for j := range r.Dst.Len() {
					sum := 0.0
					for i, task := range r.Tasks {
						sum += weights[task] * r.J.At(i).F64()[j]
					}
					r.Dst.F64()[j] = sum
				}
			}
			return nil
		}, nil)
		if got.PerTask(m.set.Groups[0]) {
			t.Errorf("%s: the trunk has rows by task", name)
		}
		want, own := m.run(t, autograd.Plain, nil, weights), m.run(t, autograd.Plain, nil, nil)
		for i, g := range m.set.Groups {
			from := own
			if i == 0 {
				from = want
			}
			tol.Check(t, name+": "+g.Name(), dtype.F64, 100, got.GroupGrad(g).F64(), from.GroupGrad(g).F64())
		}
	}
}

// TestTapGram: behind one linear map of orthonormal rows, inner products at the activation are those of the parameters' task gradients.
func TestTapGram(t *testing.T) {
	const n = 6
	m := newTapped(t, []autograd.Block{{Task: 0, N: n}, {Task: 1, N: n}}, 2, n, n, false)
	for i := range n { // a permutation with signs
		for j := range n {
			v := 0.0
			if j == (i*5+1)%n {
				v = 1 - 2*float64(i%2)
			}
			m.x.F64()[i*n+j] = v
		}
	}
	var at [4]float64
	m.run(t, autograd.PerTask, func(runs []autograd.TapRun) error {
		for _, r := range runs {
			for i := range 2 {
				for j := range 2 {
					for p, v := range r.J.At(i).F64() {
						at[2*i+j] += v * r.J.At(j).F64()[p]
					}
				}
			}
			clear(r.Dst.F64())
		}
		return nil
	}, nil)
	k := m.run(t, autograd.PerTask, nil, nil)
	rows := k.GroupRows(m.set.Groups[0])
	var want [4]float64
	for i := range 2 {
		for j := range 2 {
			for p := range m.w1.Len() {
				want[2*i+j] += rows.At(i).F64()[p] * rows.At(j).F64()[p]
			}
		}
	}
	tol.Check(t, "Gram matrix", dtype.F64, 100, at[:], want[:])
}

// TestTapRefusals: rows that tasks do not share, and a recording without a tap.
func TestTapRefusals(t *testing.T) {
	be := ref.New()
	tape := autograd.NewTape(be, 2)
	none := func([]autograd.TapRun) error { return nil }
	tape.Begin(autograd.PerTask, false)
	tape.TakeAt(none)
	s := tape.NewSpace(4, []autograd.Block{{Task: 0, N: 2}, {Task: 1, Act0: 2, N: 2}}, tensor.Tensor{})
	autograd.Tap(tape, tape.Input(be.New(be.Float, 4, 3), s))
	if err := tape.Err(); err == nil || !strings.Contains(err.Error(), "every row belongs to one task") {
		t.Errorf("owned rows: %v", err)
	}
	m := newTapped(t, []autograd.Block{{Task: 0, N: 6}}, 1, 6, 4, true)
	m.tape.Begin(autograd.PerTask, false)
	m.tape.TakeAt(none)
	if err := m.tape.Backward(param.NewPlain(be, m.set), nil); err == nil || !strings.Contains(err.Error(), "no tap") {
		t.Errorf("no tap: %v", err)
	}
}
