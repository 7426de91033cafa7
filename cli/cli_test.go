package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"artel/checkpoint"
	"artel/cli"
	"artel/config"
	"artel/engine"
)

// TestMain lets a test run the command as a process of its own: with ARTEL_TEST_TRAIN set, the test binary is the command.
func TestMain(m *testing.M) {
	if os.Getenv("ARTEL_TEST_TRAIN") != "" {
		os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// small makes runs of a second.
var small = []string{
	"steps=12", "batch=32", "log.every=5", "eval.every=0", "data.domains.0.source.test_rows=200", "model.width=16", "model.patches.0.channels=4",
	"model.blocks.0.moe.hidden=8", "model.blocks.0.moe.shared_hidden=0", "model.blocks.2.moe.hidden=8", "model.blocks.2.moe.shared_hidden=8",
}

// run calls the command and returns its exit code and output.
func run(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = cli.Main(args, &o, &e)
	return code, o.String(), e.String()
}

// train makes a small run in dir.
func train(t *testing.T, dir string, more ...string) {
	t.Helper()
	if code, _, errs := run(append(append([]string{"out=" + dir}, small...), more...)...); code != cli.ExitOK {
		t.Fatalf("exit code %d: %s", code, errs)
	}
}

func read(t *testing.T, parts ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTrain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	train(t, dir)
	var s struct {
		Tasks   map[string]map[string]float64 `json:"tasks"`
		Seconds float64                       `json:"seconds"`
		Steps   int64                         `json:"steps"`
		Seed    *uint64                       `json:"seed"`
		Device  string                        `json:"device"`
		SHA     string                        `json:"config_sha256"`
		Version string                        `json:"version"`
	}
	d := json.NewDecoder(bytes.NewReader(read(t, dir, "summary.json")))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Fatal(err)
	}
	if len(s.Tasks) != 4 || s.Tasks["left"]["accuracy"] <= 0 || s.Seconds <= 0 || s.Steps != 12 || s.Seed == nil || s.Device == "" || len(s.SHA) != 64 || s.Version == "" {
		t.Errorf("summary %+v", s)
	}
	var cfg engine.Config
	if _, err := config.Decode(&cfg, config.File("config.yaml", read(t, dir, "config.yaml"))); err != nil || cfg.Batch != 32 {
		t.Errorf("config.yaml: %v, batch %d", err, cfg.Batch)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(read(t, dir, "metrics.jsonl"))), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("metrics.jsonl:%d is not JSON", i+1)
		}
	}
	if !bytes.Contains(read(t, dir, "curves.svg"), []byte("<svg")) || len(read(t, dir, "log.jsonl")) == 0 {
		t.Error("curves.svg or log.jsonl is empty")
	}
	if code, _, errs := run(append([]string{"out=" + dir}, small...)...); code != cli.ExitUsage || !strings.Contains(errs, "holds a run already") {
		t.Errorf("a second run in the same place: code %d, %s", code, errs)
	}

	if code, out, errs := run("eval", dir); code != cli.ExitOK || !strings.Contains(out, "placement") {
		t.Errorf("eval: code %d, %s%s", code, out, errs)
	}
	code, out, _ := run("eval", dir, "--json")
	var e struct {
		Tasks map[string]map[string]float64 `json:"tasks"`
	}
	if err := json.Unmarshal([]byte(out), &e); code != cli.ExitOK || err != nil || e.Tasks["left"]["accuracy"] != s.Tasks["left"]["accuracy"] {
		t.Errorf("eval --json: code %d, %v, left %v, want the summary's %v", code, err, e.Tasks["left"], s.Tasks["left"])
	}
	code, out, _ = run("inspect", dir, "--json")
	var in map[string]json.RawMessage
	if err := json.Unmarshal([]byte(out), &in); code != cli.ExitOK || err != nil || string(in["step"]) != "12" {
		t.Errorf("inspect --json: code %d, %v, step %s", code, err, in["step"])
	}
	if code, out, _ = run("inspect", dir, "--conflicts", "--tensors"); code != cli.ExitOK || !strings.Contains(out, "pairs in conflict") || !strings.Contains(out, "heads.left.weight") {
		t.Errorf("inspect: code %d, %s", code, out)
	}
}

// TestSignal: SIGTERM finishes the step, saves, and exits with its code; resuming then gives the file of a run that was never stopped.
func TestSignal(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	whole, cut := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "cut")
	long := []string{"steps=400"}
	train(t, whole, long...)
	cmd := exec.Command(os.Args[0], append(append([]string{"out=" + cut}, small...), long...)...)
	cmd.Env = append(os.Environ(), "ARTEL_TEST_TRAIN=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 400; i++ { // wait for the first steps
		if raw, err := os.ReadFile(filepath.Join(cut, "metrics.jsonl")); err == nil && bytes.Contains(raw, []byte(`"step":10,`)) {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	err := cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != cli.ExitInterrupted {
		t.Fatalf("exit code %d (%v), want %d", code, err, cli.ExitInterrupted)
	}
	path, err := checkpoint.Latest(cut)
	if err != nil {
		t.Fatal(err)
	}
	if path == filepath.Join(cut, "checkpoints", checkpoint.Name(400)) {
		t.Fatal("the run was over before the signal came")
	}
	if code, _, errs := run("resume", cut); code != cli.ExitOK {
		t.Fatalf("resume: code %d: %s", code, errs)
	}
	a, err := checkpoint.Load(filepath.Join(whole, "checkpoints", checkpoint.Name(400)))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := checkpoint.Load(filepath.Join(cut, "checkpoints", checkpoint.Name(400)))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, tensor := range a.Model.Tensors() {
		x, errX := a.Model.Bytes(tensor.Name)
		y, errY := b.Model.Bytes(tensor.Name)
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			t.Fatalf("%s differs from the run that was not stopped (%v, %v)", tensor.Name, errX, errY)
		}
	}
}

// TestNotFinite: the run stops with its code and leaves a checkpoint that loads.
func TestNotFinite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	args := append(append([]string{"out=" + dir}, small...), "optimizer.rule=sgd", "optimizer.lr=1e30", "optimizer.warmup=0", "optimizer.clip_norm=0", "steps=50")
	code, _, errs := run(args...)
	if code != cli.ExitNotFinite || !strings.Contains(errs, "step ") || !strings.Contains(errs, "optimizer.lr") {
		t.Fatalf("code %d: %s", code, errs)
	}
	path, err := checkpoint.Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := checkpoint.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// TestMistakes: what users get wrong is named, with the nearest word, and has the usage code.
func TestMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bad.yaml")
	os.WriteFile(file, []byte("stepps: 3\nmodel:\n  width: wide\n"), 0o666)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"modl.width=3"}, []string{`did you mean "model"?`}},
		{[]string{file}, []string{"bad.yaml:1:1", `did you mean "steps"?`, "bad.yaml:3:10", "whole number"}},
		{[]string{"surgery.method=pcgard"}, []string{`did you mean "pcgrad"?`}},
		{[]string{"surgery.method.ordr=index"}, []string{`did you mean "order"?`}},
		{[]string{"resme", "runs/x"}, []string{`did you mean "resume"?`}},
		{[]string{"missing.yaml"}, []string{"missing.yaml"}},
		{[]string{"a.yaml", "b.yaml"}, []string{"a.yaml"}},
		{[]string{"device=cuda:x"}, []string{"cuda:x", "number"}},
		{[]string{"--verbos"}, []string{"verbos"}},
		{[]string{"resume"}, []string{"the directory of a run"}},
		{[]string{"resume", t.TempDir()}, []string{"is not a run"}},
		{[]string{"list", "ruter"}, []string{`did you mean "router"?`}},
		{[]string{"eval", "x", "--split", "tst"}, []string{"val or test"}},
	} {
		dir := t.TempDir()
		old, _ := os.Getwd()
		os.Chdir(dir)
		code, _, errs := run(c.args...)
		os.Chdir(old)
		if code != cli.ExitUsage {
			t.Errorf("%v: exit code %d, want %d (%s)", c.args, code, cli.ExitUsage, errs)
		}
		for _, w := range c.want {
			if !strings.Contains(errs, w) {
				t.Errorf("%v: message lacks %q:\n%s", c.args, w, errs)
			}
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%v: left %v behind", c.args, left)
		}
	}
}

// TestDoctor checks that the report names the processors, the state of the driver and the choice, with and without a library that is no driver.
func TestDoctor(t *testing.T) {
	t.Setenv("ARTEL_LIBCUDA", "/nowhere/libcuda.so.1")
	var out, errs bytes.Buffer
	if code := cli.Main([]string{"doctor"}, &out, &errs); code != cli.ExitOK {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	for _, want := range []string{"kernels ", "libcuda", "set       ARTEL_LIBCUDA=/nowhere/libcuda.so.1", "auto is cpu/"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("doctor does not say %q:\n%s", want, out.String())
		}
	}
}

func TestListAndConfig(t *testing.T) {
	code, out, _ := run("list", "--json")
	var all []struct{ Kind, Name, Doc string }
	if err := json.Unmarshal([]byte(out), &all); code != cli.ExitOK || err != nil || len(all) < 40 {
		t.Fatalf("list --json: code %d, %v, %d members", code, err, len(all))
	}
	for _, m := range all {
		if code, out, errs := run("list", m.Kind, m.Name); code != cli.ExitOK || !strings.Contains(out, m.Name) || m.Doc == "" {
			t.Errorf("list %s %s: code %d %s", m.Kind, m.Name, code, errs)
		}
	}
	if code, out, _ := run("list", "router"); code != cli.ExitOK || strings.Count(out, "\n") != 6 {
		t.Errorf("list router: %s", out)
	}
	code, text, _ := run("config", "model.width=77")
	cfg := engine.Config{}
	if _, err := config.Decode(&cfg, config.File("c", []byte(text))); code != cli.ExitOK || err != nil || cfg.Model.Width != 77 {
		t.Errorf("config: code %d, %v, width %d", code, err, cfg.Model.Width)
	}
}
