package engine_test

import (
	"math"
	"testing"

	"artel/checkpoint"
	"artel/config"
	"artel/engine"
	"artel/kernels"
)

// small is a model of every kind of layer that trains in milliseconds: two mixtures with an expand between them, four tasks.
const small = `
batch: 24
steps: 20
data: {prefetch: 2}
model:
  width: 16
  blocks:
    - moe: {experts: 4, k: 2, hidden: 8, gate: swiglu, router: softmax_topk, balance: 0.01, z_loss: 0.001, aux_path: with-task}
    - expand: {}
    - moe: {experts: 4, k: 2, hidden: 8, shared_hidden: 8, gate: swiglu, router: task_aware, balance: 0.01, task_balance: 0.01, z_loss: 0.001, aux_path: with-task}
eval: {every: 0, batch: 200}
optimizer: {warmup: 3}
`

// newConfig is the small config with changes.
func newConfig(t testing.TB, args ...string) *engine.Config {
	t.Helper()
	cfg := engine.Default()
	args = append([]string{"data.domains.0.source.test_rows=400"}, args...)
	if _, err := config.Decode(&cfg, config.File("small.yaml", []byte(small)), config.Args(args)); err != nil {
		t.Fatal(err)
	}
	return &cfg
}

func newEngine(t testing.TB, args ...string) *engine.Engine {
	t.Helper()
	cfg := newConfig(t, args...)
	return newOn(t, cfg, device(t, cfg.Device))
}

func device(t testing.TB, name string) *kernels.Backend {
	t.Helper()
	be, _, err := engine.OpenDevice(name, "")
	if err != nil {
		t.Fatal(err)
	}
	return be
}

func newOn(t testing.TB, cfg *engine.Config, be *kernels.Backend) *engine.Engine {
	t.Helper()
	e, err := engine.New(cfg, be)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func steps(t testing.TB, e *engine.Engine, n int) {
	t.Helper()
	for i := 0; i < n; i++ {
		if err := e.Step(); err != nil {
			t.Fatal(err)
		}
	}
}

// params are the parameters as numbers, exactly.
func params(e *engine.Engine) []float64 {
	flat := e.Set.Flat
	if e.Backend().Float.Size() == 8 {
		return append([]float64(nil), flat.F64()...)
	}
	var out []float64
	for _, v := range flat.F32() {
		out = append(out, float64(v))
	}
	return out
}

// sameBits fails at the first parameter that differs.
func sameBits(t testing.TB, got, want []float64) {
	t.Helper()
	for i := range want {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
			t.Fatalf("parameter %d: %v, want %v, bit for bit", i, got[i], want[i])
		}
	}
}

// saveAndLoad takes an engine through a checkpoint on disk into a new engine of the same config.
func saveAndLoad(t testing.TB, e *engine.Engine, args ...string) *engine.Engine {
	t.Helper()
	f := newEngine(t, args...)
	restore(t, f, e)
	return f
}

// restore takes the state of one engine into another through a checkpoint on disk.
func restore(t testing.TB, to, from *engine.Engine) {
	t.Helper()
	s, err := from.Snapshot(0, "test")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := checkpoint.Save(checkpoint.Disk(), dir, s); err != nil {
		t.Fatal(err)
	}
	l, err := checkpoint.Load(dir + "/" + checkpoint.Name(s.Step))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := to.Restore(l); err != nil {
		t.Fatal(err)
	}
}
