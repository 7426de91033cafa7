package cli_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"artel/cli"
)

const benchConfig = `
batch: 32
model:
  width: 32
  blocks:
    - moe: {experts: 4, k: 2, hidden: 32}
`

// benchFile writes a small config.
func benchFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.yaml")
	if err := os.WriteFile(path, []byte(benchConfig), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBench: times are those of steps of the config, their stages add up to them, and products are counted.
func TestBench(t *testing.T) {
	path := benchFile(t)
	code, out, errs := run("bench", path, "device=cpu", "--steps", "10", "--ops", "--json")
	if code != cli.ExitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r struct {
		Device             string
		Rows, Steps, Tasks int
		Parameters         int
		Surgery            string
		Median             float64            `json:"median_ms"`
		Fastest            float64            `json:"fastest_ms"`
		Slowest            float64            `json:"slowest_ms"`
		RowsPerSec         float64            `json:"rows_per_second"`
		Stages             map[string]float64 `json:"stages_ms"`
		Ops                []struct {
			Op     string
			Calls  float64
			MS     float64
			GFLOPs float64 `json:"gflop_per_second"`
		}
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if !strings.HasPrefix(r.Device, "cpu/") || r.Rows != 32 || r.Steps != 10 || r.Tasks != 4 || r.Parameters == 0 || r.Surgery != "pcgrad" {
		t.Errorf("%+v", r)
	}
	if r.Fastest <= 0 || r.Fastest > r.Median || r.Median > r.Slowest || math.Abs(r.RowsPerSec*r.Median/32e3-1) > 1e-9 {
		t.Errorf("times %v, %v, %v ms and %v rows/s", r.Fastest, r.Median, r.Slowest, r.RowsPerSec)
	}
	sum := 0.0
	for _, stage := range []string{"data", "forward", "backward", "surgery", "update"} {
		if r.Stages[stage] <= 0 {
			t.Errorf("stage %s took %v ms", stage, r.Stages[stage])
		}
		sum += r.Stages[stage]
	}
	if len(r.Stages) != 5 || sum > 20*r.Slowest {
		t.Errorf("stages %v in steps of up to %v ms", r.Stages, r.Slowest)
	}
	found := false
	for i, o := range r.Ops {
		if i > 0 && o.MS > r.Ops[i-1].MS {
			t.Errorf("%s comes after a faster op", o.Op)
		}
		if o.Op == "GEMM" && o.Calls > 1 && o.GFLOPs > 0 {
			found = true
		}
	}
	if !found {
		t.Errorf("no products in %+v", r.Ops)
	}
	code, out, _ = run("bench", path, "device=cpu", "--steps", "2")
	for _, want := range []string{"rows/s", "forward", "surgery pcgrad", "allocations per step"} {
		if code != cli.ExitOK || !strings.Contains(out, want) {
			t.Errorf("exit %d, no %q in\n%s", code, want, out)
		}
	}
}

// TestBenchEmulated: the report goes between the marks of a document, and nothing else of it changes.
func TestBenchEmulated(t *testing.T) {
	path, doc := benchFile(t), filepath.Join(t.TempDir(), "doc.md")
	const head, tail = "# Title\n\n<!-- train bench -->\n", "<!-- end of train bench -->\nthe end\n"
	if err := os.WriteFile(doc, []byte(head+"old\n"+tail), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run("bench", "--emulate", path, "--rows", "4", "--layers=false", "--into", doc); code != cli.ExitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	s := string(text)
	if !strings.HasPrefix(s, head) || !strings.HasSuffix(s, tail) || strings.Contains(s, "old\n") || !strings.Contains(s, "| GradW | ") || !strings.Contains(s, "Assumptions: ") {
		t.Errorf("the document is\n%s", s)
	}
	code, out, errs := run("bench", "--emulate", path, "--rows", "4", "--layers=false", "--json", "--capability", "8.0", "surgery.method=sum")
	var lines []struct {
		Op, Kernel string
		Bounds     []struct {
			Seconds float64
			Unit    string `json:"bound_by"`
		}
	}
	if err := json.Unmarshal([]byte(out), &lines); code != cli.ExitOK || err != nil || len(lines) < 30 {
		t.Fatalf("exit %d, %v, %d lines: %s", code, err, len(lines), errs)
	}
	for _, l := range lines {
		if len(l.Bounds) != 3 || l.Bounds[0].Seconds <= 0 || l.Bounds[0].Unit == "" {
			t.Errorf("%+v", l)
		}
	}
}

// TestBenchMistakes: every mistake is told before anything runs.
func TestBenchMistakes(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain.md")
	if err := os.WriteFile(plain, []byte("nothing\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"bench", "--steps", "0"}, "--steps 0; want 1 or more"},
		{[]string{"bench", "--emulate", "--rows", "0"}, "0 rows; want a positive multiple"},
		{[]string{"bench", "--emulate", "--capability", "7.5"}, "--capability 7.5; want 8.0 or 9.0"},
		{[]string{"bench", "--emulate", "--into", plain}, "has no lines <!-- train bench -->"},
		{[]string{"bench", "stps=3"}, "stps"},
		{[]string{"bnch"}, `did you mean "bench"?`},
	} {
		if code, _, errs := run(c.args...); code != cli.ExitUsage || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit %d, %q; want %q", c.args, code, errs, c.want)
		}
	}
}
