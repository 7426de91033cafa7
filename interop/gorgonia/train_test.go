package gorgonia_test

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"artel/interop/gorgonia"
	"artel/moe"
	"artel/rng"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

const (
	rows = 64
	rank = 3 // of the maps: the hidden width of an expert, so that both of its matrices must fit
)

// quadrants is a regression that needs what a mixture of linear experts has, a router: the first two columns tell a quadrant, and in each quadrant the target is another linear
// map of the row, of low rank.
type quadrants struct {
	maps [4][width * width]float64
	rnd  rng.Stream
}

func newQuadrants() *quadrants {
	k := &quadrants{rnd: rng.New(21)}
	for q := range k.maps {
		left, right := make([]float64, width*rank), make([]float64, rank*width)
		for i := range left {
			left[i], right[i] = k.rnd.Normal()/math.Sqrt(width), k.rnd.Normal()/math.Sqrt(rank)
		}
		for i := range k.maps[q] {
			for j := range rank {
				k.maps[q][i] += left[i/width*rank+j] * right[j*width+i%width]
			}
		}
	}
	return k
}

// batch draws rows and their targets.
func (k *quadrants) batch() (x, y []float64) {
	x, y = make([]float64, rows*width), make([]float64, rows*width)
	for r := range rows {
		row := x[r*width : (r+1)*width]
		for i := range row {
			row[i] = k.rnd.Normal()
		}
		q := 0
		for i := range 2 {
			if row[i] > 0 {
				q |= 1 << i
			}
			row[i] += math.Copysign(1, row[i]) // a gap between quadrants
		}
		for o := range width {
			for i, v := range row {
				y[r*width+o] += k.maps[q][i*width+o] * v
			}
		}
	}
	return x, y
}

// learner is a graph: rows, a linear layer of Gorgonia that hides the first two columns until it has learned, the mixture, squared error.
type learner struct {
	x, target, mse, cost *G.Node
	learn                G.Nodes // the linear layer, the weights of the mixture
	layer                *gorgonia.Layer
	dt                   tensor.Dtype
}

func newLearner(t *testing.T, dt tensor.Dtype, hidden int) *learner {
	t.Helper()
	cfg := moe.Default()
	cfg.Experts, cfg.K, cfg.Hidden, cfg.Gate, cfg.Balance, cfg.ZLoss = 4, 2, hidden, "linear", 0.01, 1e-4
	g := G.NewGraph()
	m := &learner{
		dt:     dt,
		x:      G.NewMatrix(g, dt, G.WithShape(rows, width), G.WithName("x")),
		target: G.NewMatrix(g, dt, G.WithShape(rows, width), G.WithName("target")),
	}
	hide := make([]float64, width*width)
	for i := 2; i < width; i++ {
		hide[i*width+i] = 1
	}
	in := G.NewMatrix(g, dt, G.WithShape(width, width), G.WithName("in"), G.WithValue(dense(dt, hide, width, width)))
	var err error
	if m.layer, err = gorgonia.New(g, "moe", rows, width, gorgonia.Options{Config: cfg, Type: dt, Seed: 3}); err != nil {
		t.Fatal(err)
	}
	y, aux, err := m.layer.Apply(G.Must(G.Mul(m.x, in)))
	if err != nil {
		t.Fatal(err)
	}
	m.mse = meanSquare(y, m.target)
	m.cost = G.Must(G.Add(m.mse, aux))
	m.learn = G.Nodes{in, m.layer.Weights}
	return m
}

// next puts a batch into the graph.
func (m *learner) next(t *testing.T, k *quadrants) (targets []float64) {
	t.Helper()
	x, y := k.batch()
	for n, v := range map[*G.Node][]float64{m.x: x, m.target: y} {
		if err := G.Let(n, dense(m.dt, v, rows, width)); err != nil {
			t.Fatal(err)
		}
	}
	return y
}

// damage sets the gradients of the parameters that the fault names to zero, as a layer would that does not make them.
func (m *learner) damage(t *testing.T, fault string) {
	t.Helper()
	clearPart := func(n *G.Node, lo, hi int) {
		v, err := n.Grad()
		if err != nil {
			t.Fatal(err)
		}
		clear(v.Data().([]float32)[lo:hi])
	}
	if fault == "input" {
		clearPart(m.learn[0], 0, width*width)
	}
	for _, p := range m.layer.Parameters() {
		if fault != "" && strings.Contains(p.Name, fault) {
			clearPart(m.layer.Weights, p.Off, p.Off+p.Len())
		}
	}
}

// fit trains and returns the share of the targets' variance that is left on fresh rows.
func fit(t *testing.T, fault string) float64 {
	t.Helper()
	m, k := newLearner(t, tensor.Float32, rank), newQuadrants()
	if _, err := G.Grad(m.cost, m.learn...); err != nil {
		t.Fatal(err)
	}
	vm := G.NewTapeMachine(m.x.Graph(), G.BindDualValues(m.learn...))
	defer vm.Close()
	solver := G.NewAdamSolver(G.WithLearnRate(0.01))
	run := func() {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
	}
	for range 1000 {
		m.next(t, k)
		run()
		m.damage(t, fault)
		if err := solver.Step(G.NodesToValueGrads(m.learn)); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
	}
	left, total := 0.0, 0.0
	for range 20 {
		for _, v := range m.next(t, k) {
			total += v * v / (rows * width)
		}
		run()
		left += numbers(t, m.mse.Value())[0]
		vm.Reset()
	}
	return left / total
}

// TestTraining: a Gorgonia solver trains the layer, in the layer's own memory, to a threshold that it stays far from when any one of the gradients is missing.
func TestTraining(t *testing.T) {
	const threshold = 0.005
	if left := fit(t, ""); left > threshold {
		t.Errorf("%.4f of the variance is left, want at most %v", left, threshold)
	}
	for _, fault := range []string{"input", "router", "experts.0", ".up", ".down", "moe"} {
		if left := fit(t, fault); left < 5*threshold {
			t.Errorf("without the gradient of %q %.4f of the variance is left: the threshold %v shows nothing", fault, left, threshold)
		}
		if testing.Short() {
			break
		}
	}
}

// TestLispTraining: steps in LispMachines, one for each step as Gorgonia wants them, go where steps in a TapeMachine go.
func TestLispTraining(t *testing.T) {
	tape, lisp := newLearner(t, tensor.Float64, rank), newLearner(t, tensor.Float64, rank)
	if _, err := G.Grad(tape.cost, tape.learn...); err != nil {
		t.Fatal(err)
	}
	vm := G.NewTapeMachine(tape.x.Graph(), G.BindDualValues(tape.learn...))
	defer vm.Close()
	left, right := newQuadrants(), newQuadrants()
	solvers := [2]G.Solver{G.NewAdamSolver(G.WithLearnRate(0.01)), G.NewAdamSolver(G.WithLearnRate(0.01))}
	start := numbers(t, tape.learn[1].Value())
	for step := range 30 {
		tape.next(t, left)
		lisp.next(t, right)
		machine := G.NewLispMachine(lisp.x.Graph())
		for _, run := range []G.VM{vm, machine} {
			if err := run.RunAll(); err != nil {
				t.Fatal(err)
			}
		}
		near(t, "cost", numbers(t, lisp.cost.Value()), numbers(t, tape.cost.Value()), 1e-12)
		for i, m := range []*learner{tape, lisp} {
			if err := solvers[i].Step(G.NodesToValueGrads(m.learn)); err != nil {
				t.Fatal(err)
			}
		}
		vm.Reset()
		if err := machine.Close(); err != nil {
			t.Fatal(err)
		}
		for i, n := range tape.learn {
			near(t, fmt.Sprintf("%v after step %d", n, step), numbers(t, lisp.learn[i].Value()), numbers(t, n.Value()), 1e-9)
		}
	}
	moved := 0.0
	for i, v := range numbers(t, lisp.learn[1].Value()) {
		moved = max(moved, math.Abs(v-start[i]))
	}
	if moved < 0.05 {
		t.Errorf("no weight moved by more than %v", moved)
	}
}

// TestMemory: a step allocates the two vectors that the layer's operations return, besides what Gorgonia's own operations take, the same in every step, and nothing is kept.
func TestMemory(t *testing.T) {
	const hidden = 1024
	m, k := newLearner(t, tensor.Float32, hidden), newQuadrants()
	if _, err := G.Grad(m.cost, m.learn...); err != nil {
		t.Fatal(err)
	}
	vm := G.NewTapeMachine(m.x.Graph(), G.BindDualValues(m.learn...))
	defer vm.Close()
	m.next(t, k)
	steps := func(n int) (allocated, live int64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			vm.Reset()
		}
		runtime.ReadMemStats(&after)
		allocated = int64(after.TotalAlloc-before.TotalAlloc) / int64(n)
		runtime.GC() // twice: pools let go of what was not used since the collection before
		runtime.GC()
		runtime.ReadMemStats(&after)
		return allocated, int64(after.HeapAlloc)
	}
	_, live := steps(20)
	const gorgonia = 64 << 10 // its other operations and their bookkeeping, measured at 38 KiB
	results := int64(4 * (rows*width + 1 + rows*width + m.learn[1].Shape()[0]))
	kept := int64(math.MaxInt64) // by 50 steps: what is kept grows in every round, while half a megabyte that Gorgonia pools comes and goes
	for range 4 {
		allocated, now := steps(50)
		if allocated > results+gorgonia {
			t.Errorf("a step allocates %d bytes, want at most the results' %d and %d", allocated, results, gorgonia)
		}
		kept, live = min(kept, now-live), now
	}
	if most := int64(16 << 10); kept > most {
		t.Errorf("50 steps keep %d bytes, want at most %d", kept, most)
	}
}
