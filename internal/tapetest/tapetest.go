// Package tapetest checks that the task gradients of one backward pass equal those of M separate backward passes, and that they
// are the gradients of the losses, for any layer, on every kind of rows.
package tapetest

import (
	"fmt"
	"math"
	"testing"

	"artel/autograd"
	"artel/dtype"
	"artel/internal/tol"
	"artel/kernels"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

// Width is the width of the rows that a layer under test reads.
const Width = 6

// Layer is forward code under test, from rows of Width to rows of any width in the same space or an expanded one.
type Layer func(t *autograd.Tape, x *autograd.Var) *autograd.Var

// Case is a layer with what the checks have to know of it.
type Case struct {
	Name string
	// Declare declares the parameters and returns the layer for the given number of tasks and the width of its result.
	Declare func(b *param.Builder, tasks int) (layer Layer, width int)
	// Owned says that the layer needs task-owned rows.
	Owned bool
	// Smooth says that finite differences apply: no ties or kinks near random inputs.
	Smooth bool
	// Aux says that the layer has auxiliary losses.
	Aux bool
}

// rows is one way to give rows to tasks.
type rows struct {
	name   string
	n      int
	blocks func(m int) []autograd.Block
	expand bool
	owned  bool
}

// layouts are the ways; every one covers n rows.
var layouts = []rows{
	{name: "shared", n: 7, blocks: func(m int) []autograd.Block { return sharedBlocks(m, 0, 7) }},
	{name: "expanded", n: 5, expand: true, owned: true, blocks: func(m int) []autograd.Block { return sharedBlocks(m, 0, 5) }},
	{name: "owned", n: 13, owned: true, blocks: func(m int) []autograd.Block { return ownedBlocks(m, 0, 13, -1) }},
	{name: "owned, a task without rows", n: 11, owned: true, blocks: func(m int) []autograd.Block { return ownedBlocks(m, 0, 11, m/2) }},
	{name: "mixed", n: 12, blocks: func(m int) []autograd.Block {
		if m < 3 {
			return sharedBlocks(m, 0, 12)
		}
		// The first tasks share five rows, the others own seven.
		out := sharedBlocks(2, 0, 5)
		for _, b := range ownedBlocks(m-2, 5, 7, -1) {
			b.Task += 2
			out = append(out, b)
		}
		return out
	}},
}

func sharedBlocks(m, row0, n int) []autograd.Block {
	var out []autograd.Block
	for t := 0; t < m; t++ {
		out = append(out, autograd.Block{Task: t, Act0: row0, N: n})
	}
	return out
}

// ownedBlocks cuts n rows among m tasks; the task called without gets none when there is another one.
func ownedBlocks(m, row0, n, without int) []autograd.Block {
	var out []autograd.Block
	at, left := row0, n
	for t := 0; t < m; t++ {
		k := left / (m - t)
		if t == without && m > 1 {
			k = 0
			if t == m-1 { // the last one: its rows go to the task before it
				out[t-1].N += left
			}
		}
		out = append(out, autograd.Block{Task: t, Act0: at, N: k})
		at += k
		left -= k
	}
	if at < row0+n && without != m-1 {
		out[m-1].N += row0 + n - at
	}
	return out
}

// fixture is a model around the layer: input linear, layer, one linear head and cross-entropy with missing labels per task.
type fixture struct {
	be     *kernels.Backend
	c      Case
	l      rows
	tasks  int
	set    *param.Set
	in     *param.Param
	heads  []*param.Param
	layer  Layer
	x      tensor.Tensor
	keys   tensor.Tensor
	labels []tensor.Tensor
	tape   *autograd.Tape
}

const classes = 3

func newFixture(be *kernels.Backend, c Case, l rows, tasks int) (*fixture, error) {
	f := &fixture{be: be, c: c, l: l, tasks: tasks, tape: autograd.NewTape(be, tasks)}
	b := param.NewBuilder()
	normal := func(s rng.Stream, i int) float64 { return 0.6 * s.Normal() }
	f.in = b.Add(param.Key{Kind: param.Shared, Layer: "in"}, "in.weight", true, normal, 4, Width)
	layer, width := c.Declare(b, tasks)
	f.layer = layer
	for t := 0; t < tasks; t++ {
		f.heads = append(f.heads, b.Add(param.Key{Kind: param.Head, Layer: fmt.Sprintf("heads.%d", t)}, fmt.Sprintf("heads.%d.weight", t), true, normal, width, classes))
	}
	set, err := b.Build(be, rng.New(11))
	if err != nil {
		return nil, err
	}
	f.set = set
	s := rng.New(12)
	xs := make([]float64, l.n*4)
	for i := range xs {
		xs[i] = s.Normal()
	}
	f.x = be.New(be.Float, l.n, 4)
	be.Copy(kernels.Copy{Dst: f.x, Src: tensor.FromF64(xs, l.n, 4)})
	f.keys = be.New(dtype.I32, l.n, 2)
	for i := 0; i < l.n; i++ {
		f.keys.I32()[2*i] = int32(100 + i)
	}
	for _, blk := range l.blocks(tasks) {
		lab := be.New(dtype.I32, max(blk.N, 1))
		for i := range lab.I32() {
			lab.I32()[i] = int32(s.Intn(classes+1)) - 1 // -1: missing
		}
		f.labels = append(f.labels, lab)
	}
	return f, nil
}

// forward records the model.
func (f *fixture) forward(mode autograd.Mode, auxTask bool) {
	t := f.tape
	t.Begin(mode, auxTask)
	space := t.NewSpace(f.l.n, f.l.blocks(f.tasks), f.keys)
	h := autograd.Linear(t, t.Input(f.x, space), f.in, nil)
	if f.l.expand {
		h = autograd.Expand(t, h)
	}
	t.Push(f.c.Name)
	h = f.layer(t, h)
	t.Pop()
	for task := 0; task < f.tasks; task++ {
		v, ok := autograd.TaskView(t, h, task)
		if !ok {
			continue
		}
		label := f.labels[task].Narrow(0, 0, v.Rows())
		autograd.CrossEntropy(t, autograd.Linear(t, v, f.heads[task], nil), label, 1/float64(v.Rows()), 0)
	}
}

// loss is the sum of the recorded losses.
func (f *fixture) loss() float64 {
	var sum float64
	for i := 0; i < f.tape.Losses(); i++ {
		sum += f.tape.LossAt(i).Value.F64()[0]
	}
	return sum
}

// plain returns the gradient [P] of the losses weighted by seeds (nil: all ones).
func (f *fixture) plain(seeds []float64) ([]float64, error) {
	f.forward(autograd.Plain, false)
	k := param.NewPlain(f.be, f.set)
	if err := f.tape.Backward(k, seeds); err != nil {
		return nil, err
	}
	k.Settle(f.be, tensor.Tensor{}, tensor.Tensor{}, false)
	return f.read(k.Grad), nil
}

// perTask returns the task gradients [M][P]; absent cells are zeros.
func (f *fixture) perTask(auxTask bool) ([][]float64, error) {
	f.forward(autograd.PerTask, auxTask)
	rows := f.tasks
	if auxTask {
		rows++
	}
	reach := f.tape.Reach(f.set)
	k, err := param.NewPerTask(f.be, f.set, rows, reach)
	if err != nil {
		return nil, err
	}
	if err := f.tape.Backward(k, nil); err != nil {
		return nil, err
	}
	return f.collect(k, reach), nil
}

// collect reads the task gradients [rows][P] of a sink after a backward pass.
func (f *fixture) collect(k *param.Sink, reach []uint64) [][]float64 {
	rows := k.Tasks
	out := make([][]float64, rows)
	for t := range out {
		out[t] = make([]float64, f.set.Flat.Len())
	}
	present := f.be.New(dtype.I32, len(f.set.Groups), rows)
	k.Settle(f.be, tensor.Tensor{}, present, false)
	for gi, g := range f.set.Groups {
		if !k.PerTask(g) {
			if reach[gi] != 0 {
				copy(out[lowest(reach[gi])][g.Off:], f.read(k.GroupGrad(g)))
			}
			continue
		}
		for t := range out {
			if present.I32()[gi*rows+t] != 0 {
				copy(out[t][g.Off:], f.read(k.GroupRows(g).At(t)))
			}
		}
	}
	return out
}

func lowest(mask uint64) int {
	for i := 0; ; i++ {
		if mask>>i&1 != 0 {
			return i
		}
	}
}

func (f *fixture) read(x tensor.Tensor) []float64 {
	out := tensor.New(dtype.F64, x.Shape()...)
	f.be.Copy(kernels.Copy{Dst: out, Src: x})
	return out.F64()
}

// Run checks c on every layout for 1, 2, 3 and 8 tasks.
func Run(t *testing.T, be *kernels.Backend, c Case) {
	t.Helper()
	for _, l := range layouts {
		if c.Owned && !l.owned {
			continue
		}
		for _, m := range []int{1, 2, 3, 8} {
			t.Run(fmt.Sprintf("%s/%s/M=%d", c.Name, l.name, m), func(t *testing.T) { run(t, be, c, l, m) })
		}
	}
}

func run(t *testing.T, be *kernels.Backend, c Case, l rows, m int) {
	f, err := newFixture(be, c, l, m)
	if err != nil {
		t.Fatal(err)
	}
	f.tape.Arena().Poison(true)
	total, err := f.plain(nil)
	if err != nil {
		t.Fatalf("plain: %v", err)
	}
	if norm(total) == 0 {
		t.Fatal("the gradient is zero: the case tests nothing")
	}
	rows, err := f.perTask(false)
	if err != nil {
		t.Fatalf("per task: %v", err)
	}
	k := 8 * l.n * m // a generous length of the longest chain of sums
	sum := make([]float64, len(total))
	seeds := make([]float64, m)
	for task := range rows {
		clear(seeds)
		seeds[task] = 1
		want, err := f.plain(seeds)
		if err != nil {
			t.Fatal(err)
		}
		tol.Check(t, fmt.Sprintf("task gradient %d (aux: with-task)", task), be.Float, k, rows[task], want)
		for i, v := range rows[task] {
			sum[i] += v
		}
	}
	tol.Check(t, "sum of the task gradients", be.Float, k, sum, total)

	own, err := f.perTask(true)
	if err != nil {
		t.Fatalf("per task with own row: %v", err)
	}
	clear(sum)
	for _, row := range own {
		for i, v := range row {
			sum[i] += v
		}
	}
	tol.Check(t, "sum with the auxiliary row", be.Float, k, sum, total)
	if aux := norm(own[m]); (aux != 0) != c.Aux {
		t.Errorf("auxiliary gradient has norm %v, auxiliary losses %v", aux, c.Aux)
	}
	f.streaming(t, rows)
	if be.Float == dtype.F64 && c.Smooth {
		f.directional(t, total)
	}
}

func norm(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v * v
	}
	return math.Sqrt(s)
}

// directional compares <gradient, u> with a central difference of the loss along random directions u.
func (f *fixture) directional(t *testing.T, grad []float64) {
	t.Helper()
	flat := f.set.Flat.F64()
	start := append([]float64(nil), flat...)
	s := rng.New(13)
	for trial := 0; trial < 2; trial++ {
		u := make([]float64, len(flat))
		var want float64
		for _, p := range f.set.Params {
			for i := p.Off; i < p.Off+p.Len(); i++ {
				u[i] = s.Normal()
				want += grad[i] * u[i]
			}
		}
		const eps = 1e-5
		at := func(h float64) float64 {
			for i := range flat {
				flat[i] = start[i] + h*u[i]
			}
			f.forward(autograd.Plain, false)
			return f.loss()
		}
		got := (at(eps) - at(-eps)) / (2 * eps)
		copy(flat, start)
		if math.Abs(got-want) > 2e-7*math.Max(1, math.Abs(want)) {
			t.Errorf("directional derivative %v, finite difference %v", want, got)
		}
	}
}
