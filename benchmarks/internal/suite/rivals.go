package suite

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"artel/internal/mixture"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/numbers"
)

// rivalLimit is how long a Go rival may take to be ready, its first steps included.
const rivalLimit = 60 * time.Second

// Rivals is engines in Go: matrix products, and mixture layers in the forms that each engine allows. Few repetitions: they are slow.
func (t *Tools) Rivals(shapes []string, quick bool) (groups []Group, err error) {
	for _, p := range products {
		if quick && p[0] != 1024 {
			continue
		}
		config := map[string]any{"m": p[0], "n": p[1], "k": p[2], "dtype": "f32"}
		engines := []string{"gonum", "gorgonia", "gomlx simd", "born simd"}
		if p[0]*p[1]*p[2] <= 1<<30 { // default builds take seconds beyond
			engines = append(engines, "gomlx", "born")
		}
		check := &Check{Numbers: func(path string) error { return numbers.Product(path, p[0], p[1], p[2]) }, Most: 1e-4}
		g, err := t.rivalGroup("kernels", fmt.Sprintf("product %d x %d x %d f32", p[0], p[1], p[2]), config, engines, check)
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	for _, name := range layerNames {
		if !slices.Contains(shapes, name) || quick && name != "C" {
			continue
		}
		s := mixture.Shapes[name]
		check := &Check{Numbers: func(path string) error { return numbers.Layer(path, s.T, s.D, s.F, s.E) }, Most: 1e-2}
		engines := []string{"gorgonia:artel", "gorgonia:all-experts", "gomlx:capacity simd", "gomlx:all-experts simd", "gomlx:capacity", "born:sparse simd", "born:sparse"}
		g, err := t.rivalGroup("layer", "layer "+name+" f32", layerConfig(name, "f32"), engines, check)
		if err != nil {
			return nil, err
		}
		for i := range g.Cases {
			if c := &g.Cases[i]; name != "C" && c.System != "Artel" && c.Config["way"] != "capacity" {
				c.Refused = "not run: at its speed on C a step would take 10 s or more"
			}
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// rivalGroup is one of Artel's commands beside engines, each "NAME", "NAME:WAY", "NAME EXPERIMENT" or "NAME:WAY EXPERIMENT".
func (t *Tools) rivalGroup(command, title string, config map[string]any, engines []string, check *Check) (Group, error) {
	ours, err := t.own(command, "Artel", config)
	g := Group{Part: "rivals", Title: title, Cases: []bench.Case{ours}, Plan: bench.Plan{Reps: 5, Burst: 1, Limit: 30 * time.Second}, Check: check}
	if err != nil {
		return g, err
	}
	for _, e := range engines {
		word, experiment, _ := strings.Cut(e, " ")
		engine, way, _ := strings.Cut(word, ":")
		path, ok := t.Rival(engine, experiment)
		if !ok {
			continue
		}
		c := bench.Case{Name: engine, System: engine, Command: []string{path}, Config: maps.Clone(config), Ready: rivalLimit}
		if way != "" {
			c.Config["way"] = way
			c.Name += ", " + ways[way]
		}
		if experiment != "" {
			c.Name += ", GOEXPERIMENT=" + experiment
		}
		if way == "artel" { // weights of its own
			c.Name, c.System, c.Other = "Artel's layer in a Gorgonia graph", "Artel", true
		}
		g.Cases = append(g.Cases, c)
	}
	return g, nil
}

// ways says what the forms of a layer compute.
var ways = map[string]string{
	"artel":       "Artel's layer",
	"all-experts": "all experts for all rows, masked to the picks",
	"capacity":    "as many rows per expert as the fullest one has",
	"sparse":      "rows sorted by expert, a product per expert",
}
