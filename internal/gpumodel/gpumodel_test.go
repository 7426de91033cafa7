package gpumodel_test

import (
	"strings"
	"testing"

	"artel/config"
	"artel/dtype"
	"artel/engine"
	"artel/internal/gpumodel"
	"artel/internal/mixture"
)

const small = `
model:
  width: 32
  dropout: 0
  blocks:
    - moe: {experts: 4, k: 2, hidden: 32}
surgery: {method: {name: sum}}
`

func smallConfig(t *testing.T, args ...string) engine.Config {
	t.Helper()
	cfg := engine.Default()
	if _, err := config.Decode(&cfg, config.File("small", []byte(small)), config.Args(args)); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestStep: what must be in a step is counted, once for every kernel of an op, and figures whose values are known have them.
func TestStep(t *testing.T) {
	s, err := gpumodel.Step(smallConfig(t), 8, 90)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range s.Work {
		k := &s.Work[i]
		id := k.Op + " " + k.Label()
		if seen[id] {
			t.Errorf("%s has two lines", id)
		}
		seen[id] = true
		seen[k.Op+" "+k.Kernel] = true // in whichever file
		if k.Counters.Threads == 0 || k.Launches == 0 || k.Threads == 0 || k.Bound(0).Seconds <= 0 {
			t.Errorf("%s: %+v", id, k)
		}
		if k.Op == "Adam" && (k.Minimum == 0 || k.Touched < k.Minimum || k.Touched > k.Minimum*101/100) {
			t.Errorf("%s touched %d bytes, want %d", id, k.Touched, k.Minimum) // whole sectors of 32 bytes
		}
	}
	for _, want := range []string{"GEMM gemm", "GradW grad_w", "Adam adam", "TopK top_k", "RoutePlan plan_place"} {
		if !seen[want] {
			t.Errorf("no %q in %v", want, seen)
		}
	}
	if _, err := gpumodel.Step(smallConfig(t, "accumulate=3"), 8, 90); err == nil || !strings.Contains(err.Error(), "accumulate: 3") {
		t.Errorf("8 rows in 3 passes: %v", err)
	}
}

// TestLayer: a layer's products do the arithmetic of the formula 18 T K N D, on tensor cores, and the report has them.
func TestLayer(t *testing.T) {
	s, err := gpumodel.Layer(gpumodel.Shape{Name: "small", Shape: mixture.Shape{T: 64, D: 64, F: 64, E: 2, K: 2}}, dtype.BF16, 90)
	if err != nil {
		t.Fatal(err)
	}
	var flops, tensor uint64
	for i := range s.Work {
		k := &s.Work[i]
		if k.Op != "GEMM" { // the router's
			flops += k.FLOPs
		}
		tensor += k.Counters.TensorFLOPs
	}
	const router = 2 * 64 * 64 * 2 // its weights' gradient, which is in GradW too
	want := uint64(18*64*2*64*64 + router)
	if flops != want {
		t.Errorf("%d FLOP, want %d", flops, want)
	}
	if tensor < want {
		t.Errorf("%d FLOP on tensor cores, want at least %d", tensor, want)
	}
	r := gpumodel.Report{Capability: 90, Sections: []gpumodel.Section{s}}
	var b strings.Builder
	if err := r.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"### A mixture layer", "| GroupedGated | ", "| GradW | ", "Assumptions: ", "### What the assembler says", "| registers |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	lines, err := r.Lines()
	if err != nil || len(lines) != len(s.Work) {
		t.Fatalf("%d lines for %d kernels, %v", len(lines), len(s.Work), err)
	}
	for _, l := range lines {
		if l.Registers == 0 || len(l.Bounds) != 3 || l.Bounds[0].Occupancy <= 0 || len(l.Classes) == 0 {
			t.Errorf("%+v", l)
		}
	}
}
