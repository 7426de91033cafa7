//go:build !nocuda && linux && (amd64 || arm64)

package nvtx_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"artel/internal/nvtx"

	"github.com/ebitengine/purego"
)

// TestRanges runs this test again under a profiler that writes ranges down.
func TestRanges(t *testing.T) {
	if path := os.Getenv(nvtx.Env); path != "" {
		listen(t, path)
		return
	}
	if nvtx.Active() {
		t.Error("active without a profiler")
	}
	nvtx.Push(nvtx.New("nobody listens"))
	nvtx.Pop()
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler on the path: the profiler of the test cannot be built")
	}
	lib := filepath.Join(t.TempDir(), "libtool.so")
	if out, err := exec.Command(cc, "-shared", "-fPIC", "-w", "-O1", "-o", lib, "testdata/tool.c").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRanges$", "-test.v")
	cmd.Env = append(os.Environ(), nvtx.Env+"="+lib)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
	cmd = exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), nvtx.Env+"=/nowhere/libtool.so")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("a profiler that is not there: %v: %s", err, out)
	}
}

func listen(t *testing.T, path string) {
	lib, err := purego.Dlopen(path, purego.RTLD_NOW)
	if err != nil {
		t.Fatal(err)
	}
	var text func() string
	purego.RegisterLibFunc(&text, lib, "tool_text")
	if !nvtx.Active() {
		t.Fatal("not active")
	}
	step, layer := nvtx.New("step"), nvtx.New("blocks.0.moe")
	nvtx.Push(step)
	nvtx.Push(layer)
	nvtx.Pop()
	nvtx.Pop()
	if got, want := text(), "+step+blocks.0.moe--"; got != want {
		t.Errorf("ranges %q, want %q", got, want)
	}
	pair := func() {
		nvtx.Push(step)
		nvtx.Pop()
	}
	if n := testing.AllocsPerRun(100, pair); n != 0 {
		t.Errorf("a range allocates %v times", n)
	}
	r := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			pair()
		}
	})
	t.Logf("a range takes %v ns with a profiler", r.NsPerOp())
}

func BenchmarkOff(b *testing.B) {
	n := nvtx.New("step")
	for b.Loop() {
		nvtx.Push(n)
		nvtx.Pop()
	}
}
