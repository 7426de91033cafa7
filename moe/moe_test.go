package moe_test

import (
	"fmt"
	"math"
	"testing"

	"artel/autograd"
	"artel/config"
	"artel/dtype"
	"artel/internal/tapetest"
	"artel/internal/tol"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/kernels/ref"
	"artel/moe"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

// plainConfig is a small mixture without auxiliary losses.
func plainConfig(router string, experts, k int) moe.Config {
	return moe.Config{Experts: experts, K: k, Hidden: 5, Gate: "swiglu", Router: config.Member{Name: router}, AuxPath: "with-task"}
}

// TestRouters checks the task gradients of every registered router, on both backends, with and without auxiliary losses.
func TestRouters(t *testing.T) {
	for _, be := range []*kernels.Backend{ref.New(), cpu.New()} {
		for _, e := range moe.Entries() {
			for _, aux := range []bool{false, true} {
				cfg := plainConfig(e.Name, 4, 2)
				if aux {
					cfg.Balance, cfg.ZLoss, cfg.SharedHidden = 0.1, 0.05, 3
				}
				c := tapetest.Case{
					Name: fmt.Sprintf("%s %s aux=%v", be.Name, e.Name, aux), Owned: e.Owned, Smooth: e.Name != "noisy_topk",
					Aux: aux && e.Name != "task_lookup", // a table has nothing to balance
					Declare: func(b *param.Builder, tasks int) (tapetest.Layer, int) {
						local := cfg
						l, err := moe.New(b, "layer", &local, tapetest.Width, tasks, rng.New(3))
						if err != nil {
							t.Fatal(err)
						}
						return l.Forward, tapetest.Width
					},
				}
				tapetest.Run(t, be, c)
			}
		}
	}
}

// TestAuxPaths checks the other ways of auxiliary gradients.
func TestAuxPaths(t *testing.T) {
	be := ref.New()
	for name, change := range map[string]func(*moe.Config){
		"router-only":     func(c *moe.Config) { c.AuxPath = "router-only" },
		"by task":         func(c *moe.Config) { c.TaskBalance = 0.2 },
		"with a capacity": func(c *moe.Config) { c.Capacity = 1 },
	} {
		cfg := plainConfig("task_aware", 4, 2)
		cfg.Balance, cfg.ZLoss = 0.1, 0.05
		change(&cfg)
		tapetest.Run(t, be, tapetest.Case{
			Name: name, Owned: true, Aux: true, Smooth: cfg.AuxPath == "with-task" && cfg.Capacity == 0,
			Declare: func(b *param.Builder, tasks int) (tapetest.Layer, int) {
				local := cfg
				l, err := moe.New(b, "layer", &local, tapetest.Width, tasks, rng.New(3))
				if err != nil {
					t.Fatal(err)
				}
				return l.Forward, tapetest.Width
			},
		})
	}
}

// world is a layer with its parameters and rows for two tasks.
type world struct {
	be    *kernels.Backend
	set   *param.Set
	layer *moe.Layer
	tape  *autograd.Tape
	rows  int
	x     tensor.Tensor
}

const width, tasks = 6, 2

func newWorld(t *testing.T, cfg moe.Config, rows int) *world {
	t.Helper()
	w := &world{be: ref.New(), rows: rows}
	b := param.NewBuilder()
	l, err := moe.New(b, "layer", &cfg, width, tasks, rng.New(3))
	if err != nil {
		t.Fatal(err)
	}
	if w.set, err = b.Build(w.be, rng.New(4)); err != nil {
		t.Fatal(err)
	}
	s := rng.New(5)
	for _, p := range w.set.Params { // larger router weights: clear decisions
		if p.Group.Kind == param.Router {
			for i := range p.Value.F64() {
				p.Value.F64()[i] = s.Normal()
			}
		}
	}
	w.layer, w.tape, w.x = l, autograd.NewTape(w.be, tasks), tensor.New(dtype.F64, rows, width)
	for i := range w.x.F64() {
		w.x.F64()[i] = s.Normal()
	}
	return w
}

// forward runs the layer on task-owned rows, the first half for task 0.
func (w *world) forward(t *testing.T) []float64 {
	t.Helper()
	w.tape.Begin(autograd.Eval, false)
	half := w.rows / 2
	s := w.tape.NewSpace(w.rows, []autograd.Block{{Task: 0, N: half}, {Task: 1, Act0: half, N: w.rows - half}}, tensor.Tensor{})
	y := w.layer.Forward(w.tape, w.tape.Input(w.x, s))
	if err := w.tape.Err(); err != nil {
		t.Fatal(err)
	}
	return append([]float64(nil), y.Value.F64()...)
}

func (w *world) value(t *testing.T, name string) []float64 {
	t.Helper()
	p := w.set.Lookup(name)
	if p == nil {
		t.Fatalf("no parameter %q", name)
	}
	return p.Value.F64()
}

func silu(x float64) float64 { return x / (1 + math.Exp(-x)) }

// dense computes the mixture with all experts from the definition.
func (w *world) dense(t *testing.T, experts, hidden int) []float64 {
	t.Helper()
	router := w.value(t, "layer.router.weight")
	out := make([]float64, w.rows*width)
	for r := 0; r < w.rows; r++ {
		x := w.x.F64()[r*width : (r+1)*width]
		gates := make([]float64, experts)
		var sum float64
		for e := range gates {
			var s float64
			for i, v := range x {
				s += v * router[i*experts+e]
			}
			gates[e] = math.Exp(s)
			sum += gates[e]
		}
		for e := range gates {
			up, down := w.value(t, fmt.Sprintf("layer.experts.%d.up", e)), w.value(t, fmt.Sprintf("layer.experts.%d.down", e))
			for j := 0; j < hidden; j++ {
				var g, u float64
				for i, v := range x {
					g += v * up[i*2*hidden+j]
					u += v * up[i*2*hidden+hidden+j]
				}
				a := gates[e] / sum * silu(g) * u
				for i := 0; i < width; i++ {
					out[r*width+i] += a * down[j*width+i]
				}
			}
		}
	}
	return out
}

// TestAllExpertsIsDense: K = E equals the dense mixture.
func TestAllExpertsIsDense(t *testing.T) {
	w := newWorld(t, plainConfig("softmax_topk", 3, 3), 10)
	tol.Check(t, "K = E", dtype.F64, 100, w.forward(t), w.dense(t, 3, 5))
}

// TestZeroTaskEmbedding: a task-aware router with zero embeddings equals the task-blind one.
func TestZeroTaskEmbedding(t *testing.T) {
	aware, blind := newWorld(t, plainConfig("task_aware", 4, 2), 12), newWorld(t, plainConfig("softmax_topk", 4, 2), 12)
	clear(aware.value(t, "layer.router.task.embedding"))
	for _, p := range blind.set.Params {
		copy(p.Value.F64(), aware.value(t, p.Name))
	}
	copy(aware.x.F64(), blind.x.F64())
	tol.Check(t, "zero embedding", dtype.F64, 10, aware.forward(t), blind.forward(t))
}

// TestTaskEmbeddingMatters: with embeddings the tasks are routed differently.
func TestTaskEmbeddingMatters(t *testing.T) {
	w := newWorld(t, plainConfig("task_aware", 4, 2), 200)
	w.forward(t)
	s := w.layer.NewStats()
	w.layer.Observe(w.be, s)
	if s.MutualInformation() < 0.01 {
		t.Errorf("task-expert information %v nats with random task embeddings, want more", s.MutualInformation())
	}
}

// TestExpertPermutation: renaming the experts, with their router columns, changes nothing.
func TestExpertPermutation(t *testing.T) {
	const e = 4
	a, b := newWorld(t, plainConfig("softmax_topk", e, 2), 14), newWorld(t, plainConfig("softmax_topk", e, 2), 14)
	perm := []int{2, 0, 3, 1}
	for i := 0; i < width; i++ {
		for j := range perm {
			b.value(t, "layer.router.weight")[i*e+perm[j]] = a.value(t, "layer.router.weight")[i*e+j]
		}
	}
	for j := range perm {
		for _, m := range []string{"up", "down"} {
			copy(b.value(t, fmt.Sprintf("layer.experts.%d.%s", perm[j], m)), a.value(t, fmt.Sprintf("layer.experts.%d.%s", j, m)))
		}
	}
	tol.Check(t, "permuted experts", dtype.F64, 10, b.forward(t), a.forward(t))
}

// TestCapacity: a huge capacity equals dropless; routed + dropped = T*K for any capacity.
func TestCapacity(t *testing.T) {
	want := newWorld(t, plainConfig("softmax_topk", 4, 2), 30).forward(t)
	for _, c := range []float64{1e6, 2, 1, 0.5} {
		cfg := plainConfig("softmax_topk", 4, 2)
		cfg.Capacity = c
		w := newWorld(t, cfg, 30)
		got := w.forward(t)
		s := w.layer.NewStats()
		w.layer.Observe(w.be, s)
		if c == 1e6 {
			tol.Check(t, "capacity 1e6", dtype.F64, 10, got, want)
		}
		if s.Picks != 30*2 || c <= 0.5 && s.Dropped < 28 || c == 1e6 && s.Dropped != 0 {
			t.Errorf("capacity %v: %d picks, %d dropped", c, s.Picks, s.Dropped)
		}
		limit := int64(math.Ceil(c * 30 * 2 / 4))
		var kept int64
		for _, n := range s.Load {
			kept += min(n, limit)
		}
		if kept+s.Dropped != s.Picks {
			t.Errorf("capacity %v: routed %d + dropped %d, want %d", c, kept, s.Dropped, s.Picks)
		}
	}
}

// TestLookup: hard routing sends every row to its task's experts, with equal weights.
func TestLookup(t *testing.T) {
	cfg := plainConfig("task_lookup", 4, 2)
	cfg.Router = config.With("task_lookup", &moe.TaskLookupConfig{Table: [][]int{{3, 1}, {0, 2}}})
	w := newWorld(t, cfg, 10)
	w.forward(t)
	s := w.layer.NewStats()
	w.layer.Observe(w.be, s)
	if want := fmt.Sprint([]int64{0, 5, 0, 5, 5, 0, 5, 0}); fmt.Sprint(s.TaskLoad) != want {
		t.Errorf("load by task %v, want %v", s.TaskLoad, want)
	}
	if got := s.MutualInformation(); math.Abs(got-math.Log(2)) > 1e-12 {
		t.Errorf("task-expert information %v, want log 2", got)
	}
	for _, bad := range [][][]int{{{0, 1}}, {{0, 0}, {1, 2}}, {{0, 4}, {1, 2}}, {{0}, {1}}} {
		c := plainConfig("task_lookup", 4, 2)
		c.Router = config.With("task_lookup", &moe.TaskLookupConfig{Table: bad})
		if _, err := moe.New(param.NewBuilder(), "layer", &c, width, tasks, rng.New(1)); err == nil {
			t.Errorf("table %v: no error", bad)
		}
	}
}
