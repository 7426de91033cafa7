//go:build !nocuda && linux && (amd64 || arm64)

package engine_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"artel/internal/nvtx"

	"github.com/ebitengine/purego"
)

// TestRanges trains a step under a profiler that writes ranges down, in a process of its own.
func TestRanges(t *testing.T) {
	if path := os.Getenv(nvtx.Env); path != "" {
		lib, err := purego.Dlopen(path, purego.RTLD_NOW)
		if err != nil {
			t.Fatal(err)
		}
		var text func() string
		purego.RegisterLibFunc(&text, lib, "tool_text")
		e := newEngine(t, "surgery.method=pcgrad")
		before := len(text()) // building an engine records the model too
		steps(t, e, 1)
		got := text()[before:]
		if strings.Count(got, "+") != strings.Count(got, "-") || !strings.HasPrefix(got, "+step+forward+") || !strings.HasSuffix(got, "-+surgery-+update--") {
			t.Errorf("ranges %s", got)
		}
		for _, want := range []string{"+blocks.0", "+experts-", "+blocks.2+experts-", "-+blocks.0+experts-"} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in %s", want, got)
			}
		}
		return
	}
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler on the path: the profiler of the test cannot be built")
	}
	lib := filepath.Join(t.TempDir(), "libtool.so")
	if out, err := exec.Command(cc, "-shared", "-fPIC", "-w", "-O1", "-o", lib, "../internal/nvtx/testdata/tool.c").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRanges$", "-test.v")
	cmd.Env = append(os.Environ(), nvtx.Env+"="+lib)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
