package engine_test

import (
	"math"
	"strings"
	"testing"

	"artel/config"
	"artel/dtype"
	"artel/engine"
	"artel/internal/tol"
)

// exact runs in float64 with plain gradient steps, so that two ways to the same gradient end at the same parameters.
var exact = []string{"device=ref", "optimizer.rule=sgd", "optimizer.lr=0.1", "optimizer.warmup=0"}

// sameRuns checks that two engines train alike.
func sameRuns(t *testing.T, what string, a, b *engine.Engine) {
	t.Helper()
	steps(t, a, 4)
	steps(t, b, 4)
	tol.Check(t, what, dtype.F64, 100000, params(a), params(b))
}

// TestMemoryModes: keeping inner products only gives the parameters that keeping all task gradients gives, on every kind of rows and units.
func TestMemoryModes(t *testing.T) {
	for name, args := range map[string][]string{
		"one unit":        nil,
		"layers":          {"surgery.groups=layer"},
		"experts":         {"surgery.groups=expert"},
		"owned rows":      {"data.domains.0.rows=owned"},
		"owned, experts":  {"data.domains.0.rows=owned", "surgery.groups=expert"},
		"excluded":        {"surgery.exclude=[router, norm]"},
		"auxiliary row":   {"surgery.aux=own-row"},
		"rules":           {"surgery.rules=[{kinds: [expert], method: mgda, groups: layer}, {kinds: [router], method: sum}]"},
		"sparse":          {"surgery.sparse=0.5"},
		"every third":     {"surgery.every=3"},
		"third, by layer": {"surgery.every=3", "surgery.groups=layer"},
		"a silent task":   {"tasks.same.weight=0"},
		"with memory":     {"surgery.method=gradvac"},
		"weights of zero": {"surgery.method=krum"},
		"two domains":     {"data.domains=[{source: multifashion, rows: shared}, {source: wordnet, rows: shared}]"},
		"mixed rows":      {"data.domains=[{source: multifashion, rows: shared}, {source: wordnet, rows: owned}]"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append(append([]string{"surgery.method=mgda", "batch=12"}, exact...), args...)
			rows, gram := newEngine(t, append(args, "surgery.memory=rows")...), newEngine(t, append(args, "surgery.memory=gram")...)
			sameRuns(t, "parameters", gram, rows)
			if a, b := engine.RowBytes(gram), engine.RowBytes(rows); a >= b {
				t.Errorf("gram takes %d bytes, rows %d", a, b)
			}
			again := engine.WithoutPlainPasses(newEngine(t, append(args, "surgery.memory=gram")...))
			steps(t, again, 4)
			tol.Check(t, "by a second combining pass", dtype.F64, 100000, params(again), params(rows))
		})
	}
}

// TestOperands: leaving the task gradients of experts as operands gives the parameters, and the telemetry, that keeping all rows gives.
func TestOperands(t *testing.T) {
	for name, args := range map[string][]string{
		"behind expand":   nil,
		"owned rows":      {"data.domains.0.rows=owned"},
		"layers":          {"data.domains.0.rows=owned", "surgery.groups=layer"},
		"experts":         {"data.domains.0.rows=owned", "surgery.groups=expert", "surgery.method=upgrad"},
		"excluded":        {"surgery.exclude=[expert]"},
		"rules":           {"surgery.rules=[{kinds: [expert], method: mgda, groups: expert}, {kinds: [router], method: sum}]"},
		"every third":     {"data.domains.0.rows=owned", "surgery.every=3"},
		"third, by layer": {"data.domains.0.rows=owned", "surgery.every=3", "surgery.groups=layer"},
		"a silent task":   {"tasks.same.weight=0"},
		"few rows":        {"batch=6", "data.domains.0.rows=owned"},
		"dropped rows":    {"model.blocks.0.moe.capacity=0.5", "data.domains.0.rows=owned"},
		"two domains":     {"data.domains=[{source: multifashion, rows: owned}, {source: wordnet, rows: owned}]"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append(append([]string{"surgery.method=pcgrad", "batch=12"}, exact...), args...)
			rows, held := newEngine(t, append(args, "surgery.memory=rows")...), newEngine(t, append(args, "surgery.memory=operands")...)
			sameRuns(t, "parameters", held, rows)
			if a, b := engine.RowBytes(held), engine.RowBytes(rows); a >= b {
				t.Errorf("operands take %d bytes, rows %d", a, b)
			}
			a, b := held.Units(), rows.Units()
			for i := range b {
				tol.Check(t, "cosines of "+b[i].Name, dtype.F64, 100000, a[i].Cosines, b[i].Cosines)
				for _, p := range b[i].Parts {
					tol.Check(t, "cosines of "+p.Name, dtype.F64, 100000, a[i].Part(p.Name).Cosines, p.Cosines)
				}
			}
		})
	}
}

// TestAutoMemory: operands where experts see few rows, rows elsewhere.
func TestAutoMemory(t *testing.T) {
	for want, args := range map[string][]string{
		"rows":     {"batch=400", "data.domains.0.rows=owned"},
		"operands": {"batch=8", "data.domains.0.rows=owned"},
	} {
		if e := newEngine(t, args...); e.Config.Surgery.Memory != want {
			t.Errorf("%v: memory %q, want %q", args, e.Config.Surgery.Memory, want)
		}
	}
}

// TestEvery: weights that are used again give the same parameters in a weighted plain pass as where rows are combined; and they are those of the step
// that chose them.
func TestEvery(t *testing.T) {
	args := append([]string{"surgery.method=nash_mtl", "surgery.every=3"}, exact...)
	sameRuns(t, "plain pass", newEngine(t, args...), engine.WithoutPlainPasses(newEngine(t, args...)))
	e := newEngine(t, args...)
	var last []float64
	for i := range 7 {
		steps(t, e, 1)
		w := e.Units()[0].Weights
		if same := i > 0 && equal(w, last); same != (i%3 != 0) {
			t.Errorf("step %d: weights %v after %v", i, w, last)
		}
		last = w
	}
}

func equal(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// TestRules: rules that say what the run says change nothing; a rule takes what it names and leaves the rest.
func TestRules(t *testing.T) {
	same := append([]string{"surgery.method=upgrad", "surgery.groups=layer"}, exact...)
	sameRuns(t, "the same by rules", newEngine(t, append(same, "surgery.rules=[{layers: [blocks.0], method: upgrad, groups: layer}, {method: upgrad, groups: layer}]")...),
		newEngine(t, same...))
	sameRuns(t, "excluded by a rule", newEngine(t, append(exact, "surgery.rules=[{kinds: [router, norm], method: sum}]")...),
		newEngine(t, append(exact, "surgery.exclude=[norm, router]")...))
	e := newEngine(t, "surgery.rules=[{kinds: [expert], method: graddrop}, {kinds: [router], method: mgda, groups: layer}]")
	steps(t, e, 1)
	methods := map[string]int{}
	for _, u := range e.Units() {
		methods[u.Method]++
	}
	if methods["pcgrad"] != 1 || methods["graddrop"] != 1 || methods["mgda"] != 2 {
		t.Errorf("units by method: %v", methods)
	}
}

// TestSparse: what the mask leaves out never moves, whatever the method and the optimizer, and of every neuron the largest inputs train.
func TestSparse(t *testing.T) {
	for _, args := range [][]string{
		{"surgery.method=pcgrad"}, {"surgery.method=graddrop"}, {"surgery.method=uncertainty"}, {"surgery.memory=gram"}, {"surgery.method=moco"}, {"surgery.every=2"},
	} {
		e := newEngine(t, append(args, "surgery.sparse=0.25", "optimizer.weight_decay=0.5", "optimizer.lr=0.01")...)
		before, keep := params(e), engine.Trains(e)
		steps(t, e, 4)
		after := params(e)
		frozen, moved := 0, 0
		for i, k := range keep {
			if k == 0 {
				frozen++
				if after[i] != before[i] {
					t.Fatalf("%v: element %d does not train and moved from %v to %v", args, i, before[i], after[i])
				}
			} else if after[i] != before[i] {
				moved++
			}
		}
		if frozen == 0 || moved == 0 {
			t.Errorf("%v: %d elements frozen, %d moved", args, frozen, moved)
		}
		p := e.Set.Lookup("blocks.0.experts.1.up")
		in, out := p.Shape()[0], p.Shape()[1]
		for j := range out {
			n, least, most := 0, math.Inf(1), 0.0
			for i := range in {
				w := math.Abs(before[p.Off+i*out+j])
				if keep[p.Off+i*out+j] != 0 {
					n++
					least = min(least, w)
				} else {
					most = max(most, w)
				}
			}
			if n != in/4 || least < most {
				t.Fatalf("neuron %d: %d of %d inputs train, the least is %v, the largest of the others %v", j, n, in, least, most)
			}
		}
	}
}

// TestSurgeryRefusals: what cannot work is an error that names the key and what would.
func TestSurgeryRefusals(t *testing.T) {
	for arg, want := range map[string]string{
		"surgery.exclude=[rooter]":                      `did you mean "router"`,
		"surgery.rules=[{kinds: [experts]}]":            `surgery.rules.0.kinds: "experts" is unknown; did you mean "expert"`,
		"surgery.rules=[{layers: [blocks.9]}]":          `did you mean "blocks.`,
		"surgery.at=blocks.7":                           `"blocks.7" is unknown; did you mean "blocks.`,
		"surgery.at=blocks.1":                           "every row belongs to one task",
		"surgery.at=inputs surgery.method=moco":         "moco needs task gradients of parameters",
		"surgery.at=inputs surgery.every=2":             "leave them at their defaults",
		"surgery.at=inputs surgery.method=famo":         "reads losses only",
		"surgery.at=inputs surgery.aux=own-row":         "want aux: with-task",
		"surgery.at=inputs accumulate=2":                "want accumulate: 1",
		"surgery.method=rep_mtl":                        "surgery.at: rep_mtl works at an activation",
		"surgery.at=inputs surgery.method=rep_mtl":      "want an activation behind the last mixture",
		"surgery.method={name: rep_mtl, base: moco}":    "want a method that turns one Gram matrix",
		"surgery.rules=[{method: famo}]":                "method of a whole run",
		"surgery.rules=[{method: mgda}, {method: sum}]": "surgery.rules.1: it matches no parameters",
		"surgery.memory=gram surgery.method=graddrop":   "graddrop reads every coordinate",
		"surgery.memory=gram surgery.method=moco":       "moco remembers task gradients",
		"surgery.memory=gram surgery.method=modo":       "modo compares independent batches",
		"surgery.memory=operands surgery.sparse=0.5":    "operands: sparse training",
		"surgery.memory=operands surgery.method=moco":   "operands: moco remembers",
		"surgery.method=mgda model.blocks=[{moe: {experts: 4, hidden: 8}}] surgery.memory=operands": "no mixture has rows",
		"surgery.memory=gram accumulate=2":                            "accumulate",
		"surgery.memory=gram surgery.method=uncertainty":              "reads losses only",
		"surgery.every=2 surgery.method=excess_mtl":                   "excess_mtl has to see every step",
		"surgery.every=2 surgery.method=dwa":                          "chooses weights in every step",
		"surgery.method=dwa surgery.rules=[{method: mgda}]":           "weighs all parameters alike",
		"surgery.method={name: cr_mogm, base: {name: mgda, norm: 1}}": "norm",
	} {
		cfg := engine.Default()
		_, err := config.Decode(&cfg, config.File("small.yaml", []byte(small)), config.Args(splitArgs(arg)))
		if err == nil {
			_, err = engine.New(&cfg, device(t, "cpu"))
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", arg, err, want)
		}
	}
}

// splitArgs cuts "a=1 b=[x, y]" at the blanks before keys.
func splitArgs(s string) []string {
	var out []string
	for _, part := range strings.Split(s, " surgery.") {
		if len(out) > 0 || !strings.HasPrefix(part, "surgery.") {
			part = "surgery." + part
		}
		for _, key := range []string{"accumulate=", "model.blocks="} {
			if a, b, ok := strings.Cut(part, " "+key); ok {
				out, part = append(out, a), key+b
			}
		}
		out = append(out, part)
	}
	return out
}

// TestTelemetry: the layers and experts that a unit is made of show the cosines that they show as units of their own.
func TestTelemetry(t *testing.T) {
	whole := newEngine(t)
	steps(t, whole, 1)
	seen := 0
	for _, groups := range []string{"layer", "expert"} {
		e := newEngine(t, "surgery.groups="+groups)
		steps(t, e, 1)
		for _, u := range e.Units() {
			p := whole.Units()[0].Part(u.Name)
			if groups == "expert" && !strings.Contains(u.Name, "/expert.") {
				continue
			}
			if len(u.Tasks) < len(whole.Units()[0].Tasks) {
				continue // a task that is absent there has a place in the whole
			}
			seen++
			if !equal(p.Cosines, u.Cosines) || p.Conflicts != u.Conflicts {
				t.Errorf("%s: as a part %v, as a unit %v", u.Name, p, u.Angles)
			}
		}
	}
	if seen < 6 {
		t.Errorf("only %d units compared", seen)
	}
}

// TestAtActivation: surgery at an activation trains, and where its weights are those of the sum it is the plain sum.
func TestAtActivation(t *testing.T) {
	// One task alone: every method gives it weight 1, wherever gradients are taken.
	single := append([]string{"tasks.right.weight=0", "tasks.same.weight=0", "tasks.placement.weight=0", "model.blocks.0.moe.balance=0", "model.blocks.0.moe.z_loss=0",
		"model.blocks.2.moe.balance=0", "model.blocks.2.moe.task_balance=0", "model.blocks.2.moe.z_loss=0"}, exact...)
	sameRuns(t, "one task", newEngine(t, append(single, "surgery.at=blocks.0")...), newEngine(t, append(single, "surgery.method=sum")...))
	for _, method := range []string{"mgda", "aligned_mtl", "graddrop", "trimmed_mean"} {
		e := newEngine(t, "surgery.at=blocks.0", "surgery.method="+method)
		var first, last float64
		for i := range 60 {
			steps(t, e, 1)
			loss := 0.0
			for _, l := range engine.Losses(e) {
				loss += l
			}
			if i < 10 {
				first += loss
			}
			if i >= 50 {
				last += loss
			}
		}
		if last > 0.9*first {
			t.Errorf("%s: losses went from %v to %v", method, first/10, last/10)
		}
		if u := e.Units(); len(u) != 1 || u[0].Name != "blocks.0" || len(u[0].Cosines) != 6 {
			t.Errorf("%s: units %v", method, u)
		}
	}
}
