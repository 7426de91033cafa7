package arch_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// foreign names the packages that may import a library which nothing else in the module should pull in.
var foreign = map[string][]string{
	"gorgonia.org/": {"interop/gorgonia", "examples/gorgonia", "kernels/cuda/driver/cu"},
}

// foreignImports wants libraries for one purpose to stay where that purpose is.
func foreignImports(t *tree) (out []string) {
	for _, dir := range slices.Sorted(maps.Keys(t.dirs)) {
		for _, f := range t.dirs[dir] {
			for _, p := range f.imports() {
				for prefix, where := range foreign {
					if strings.HasPrefix(p, prefix) && !slices.Contains(where, dir) {
						out = append(out, fmt.Sprintf("%s: imports %s; only %s may", f.path, p, strings.Join(where, ", ")))
					}
				}
			}
		}
	}
	return out
}

func TestForeignImports(t *testing.T) {
	check(t, foreignImports, src(
		"engine/a.go", "package engine\n\nimport _ \"gorgonia.org/gorgonia\"\n",
		"interop/gorgonia/a.go", "package gorgonia\n\nimport _ \"gorgonia.org/tensor\"\n",
	), "engine/a.go: imports gorgonia.org/gorgonia")
}
