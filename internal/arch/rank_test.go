package arch_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// ranks is the order of the packages: each row may import only the rows above it. Packages of one row do not know each other.
var ranks = []string{
	"dtype rng internal/nvtx internal/registry internal/linalg internal/sass data/fashion data/wordnet kernels/cpu/internal/pool kernels/cuda/emu/ptx kernels/cuda/driver",
	"tensor safetensors config internal/tol kernels/cpu/internal/gemm kernels/cpu/internal/vec kernels/cuda/driver/fake kernels/cuda/driver/dl kernels/cuda/driver/cu kernels/cuda/driver/drivertest",
	"kernels kernels/cuda/emu",
	"param internal/observe kernels/internal/host kernels/cuda/emu/provider kernels/cuda/emu/roofline",
	"kernels/ref kernels/cpu kernels/cuda autograd optim gradsurgery data",
	"kernels/kerneltest internal/tapetest internal/apart nn",
	"moe",
	"model internal/mixture",
	"checkpoint report",
	"engine",
	"internal/gpumodel",
	"cli",
	// Examples of members, and programs.
	"examples/recipes/router examples/recipes/surgery examples/recipes/optimizer examples/recipes/loss",
	"interop/gorgonia",
	"cmd/train examples examples/gorgonia examples/recipes docs scripts/gate scripts/mainloops data/fashion/gen data/wordnet/gen kernels/cpu/internal/gemm/asmgen kernels/cpu/internal/vec/asmgen internal/arch",
}

func rankTable() map[string]int {
	rank := map[string]int{}
	for i, row := range ranks {
		for _, p := range strings.Fields(row) {
			rank[p] = i
		}
	}
	return rank
}

// lowerRanks wants every package in the table, and every import of a package of this module to go to a lower rank. External test packages
// may import what they like.
func lowerRanks(t *tree) (out []string) {
	rank := rankTable()
	for _, dir := range slices.Sorted(maps.Keys(t.dirs)) {
		mine, ok := rank[dir]
		if !ok {
			out = append(out, fmt.Sprintf("%s: package without a rank: add it to the table in internal/arch", dir))
			continue
		}
		for _, f := range t.dirs[dir] {
			if f.external() {
				continue
			}
			for _, p := range f.imports() {
				p, ok := strings.CutPrefix(p, "artel/")
				if !ok {
					continue
				}
				if r, known := rank[p]; known && r >= mine {
					out = append(out, fmt.Sprintf("%s: imports %s, which is not below %s", f.path, p, dir))
				}
			}
		}
	}
	return out
}

func TestImportsGoDown(t *testing.T) {
	check(t, lowerRanks, src(
		"tensor/a.go", "package tensor\n\nimport _ \"artel/dtype\"\n",
		"dtype/a.go", "package dtype\n\nimport _ \"artel/engine\"\n",
		"dtype/a_test.go", "package dtype_test\n\nimport _ \"artel/engine\"\n",
		"data/a.go", "package data\n\nimport _ \"artel/optim\"\n",
		"unheard/a.go", "package unheard\n",
	), "data/a.go: imports optim", "dtype/a.go: imports engine", "unheard: package without a rank")
}

// TestRankTable checks that the table names only packages that exist, each once.
func TestRankTable(t *testing.T) {
	tr, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range strings.Fields(strings.Join(ranks, " ")) {
		if tr.dirs[p] == nil || seen[p] {
			t.Errorf("%s: no such package, or in the table twice", p)
		}
		seen[p] = true
	}
}
