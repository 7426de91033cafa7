package cuda

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"artel/dtype"
	"artel/kernels"
)

// numbered is an enumeration outside of functions and structures.
var numbered = regexp.MustCompile(`(?m)^enum \{ (.*) \};`)

// enums reads the enumerations of a source: names and values.
func enums(t *testing.T, file string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("src", file))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, m := range numbered.FindAllStringSubmatch(string(text), -1) {
		next := 0
		for _, part := range strings.Split(m[1], ", ") {
			name, value, given := strings.Cut(part, " = ")
			if given {
				if next, err = strconv.Atoi(value); err != nil {
					continue // an expression of others
				}
			}
			out[name] = next
			next++
		}
	}
	return out
}

// TestConstants checks that numbers in the sources are those of the Go packages; some of them size memory that kernels write.
func TestConstants(t *testing.T) {
	for file, want := range map[string]map[string]int{
		"moves.cu": {"F32": int(dtype.F32), "F64": int(dtype.F64), "BF16": int(dtype.BF16), "I32": int(dtype.I32)},
		"functions.cuh": {
			"IDENTITY": int(kernels.Identity), "RELU": int(kernels.ReLU), "GELU": int(kernels.GELU), "SILU": int(kernels.SiLU), "SIGMOID": int(kernels.Sigmoid),
			"TANH": int(kernels.Tanh), "EXP": int(kernels.Exp), "LOG": int(kernels.Log), "SQUARE": int(kernels.Square), "SOFTPLUS": int(kernels.Softplus),
			"SWIGLU": int(kernels.SwiGLU), "GELU_GATE": int(kernels.GELUAct), "RELU_GATE": int(kernels.ReLUAct), "LINEAR_GATE": int(kernels.LinearAct),
		},
		"training.cu":  {"BLOCK": block},
		"plan.cu":      {"CHUNK": chunk},
		"steps.cu":     {"TABLE": kernels.SettleCols, "LINE": kernels.SettleLine, "PARTS": settleParts},
		"products.cuh": {"HALF_A": halfA, "HALF_B": halfB, "HALF_H": halfH, "HALF_OUT": halfOut, "HALF_AGAIN": halfAgain, "ROUNDS": rounds},
	} {
		got := enums(t, file)
		for name, v := range want {
			if n, ok := got[name]; !ok || n != v {
				t.Errorf("%s: %s is %d (there: %v), want %d", file, name, n, ok, v)
			}
		}
	}
	if kernels.SegCols != 5 {
		t.Error("common.cuh has the columns of segment tables otherwise")
	}
}
