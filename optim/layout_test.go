package optim_test

import (
	"reflect"
	"testing"

	"artel/config"
	"artel/dtype"
	"artel/kernels/ref"
	"artel/optim"
	"artel/param"
)

// calls returns what one step at rate 1 asks the backend for.
func calls(t *testing.T, set *param.Set, rule string, groups ...optim.Group) []call {
	t.Helper()
	be := newRecorder()
	cfg := plain(config.Member{Name: rule}, 1)
	cfg.WeightDecay, cfg.Groups = 0.1, groups
	o := mustNew(t, be.Backend, set, cfg, 10)
	if _, err := o.Step(be.New(be.Float, set.Flat.Len()), 1); err != nil {
		t.Fatal(err)
	}
	return be.calls
}

// over is the call that updates the parameters from first to last, both included.
func over(set *param.Set, op, first, last string, lr, decay float64) call {
	a, b := set.Lookup(first), set.Lookup(last)
	return call{op, a.Off, b.Off + b.Len() - a.Off, lr, decay}
}

func same(t *testing.T, what string, got, want []call) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// TestRuns checks how neighbours merge, the decay mask, and settings by group.
func TestRuns(t *testing.T) {
	set := toy(t, ref.New())
	const table, norm, weight, bias, gate = "inputs.table", "blocks.0.norm.weight", "blocks.0.weight", "blocks.0.bias", "blocks.1.router.gate"
	const up0, down0, up1, down1 = "blocks.1.experts.0.up", "blocks.1.experts.0.down", "blocks.1.experts.1.up", "blocks.1.experts.1.down"
	const head, headBias = "heads.a.weight", "heads.a.bias"
	part := func(op, first, last string, lr, decay float64) call { return over(set, op, first, last, lr, decay) }

	same(t, "decay mask", calls(t, set, "adamw"), []call{
		part("adam", table, norm, 1, 0), part("adam", weight, weight, 1, 0.1), part("adam", bias, bias, 1, 0),
		part("adam", gate, head, 1, 0.1), part("adam", headBias, headBias, 1, 0),
	})
	same(t, "equal settings", calls(t, set, "lion", optim.Group{Match: "*", Decay: new(0.0)}), []call{part("lion", table, headBias, 1, 0)})
	same(t, "groups", calls(t, set, "adamw",
		optim.Group{Match: "*", Decay: new(0.0)},
		optim.Group{Match: "experts", LRScale: new(0.5), Decay: new(0.2)},
		optim.Group{Match: "*.down", LRScale: new(2.0)},
		optim.Group{Match: "blocks.1.experts.1.*", LRScale: new(2.0)},
	), []call{
		part("adam", table, gate, 1, 0), part("adam", up0, up0, 0.5, 0.2), part("adam", down0, down1, 2, 0.2),
		part("adam", head, headBias, 1, 0),
	})
	same(t, "all but the heads frozen", calls(t, set, "adamw",
		optim.Group{Match: "*", Freeze: new(true)}, optim.Group{Match: "heads", Freeze: new(false)},
	), []call{part("adam", head, head, 1, 0.1), part("adam", headBias, headBias, 1, 0)})
	same(t, "a frozen one in the middle", calls(t, set, "lion",
		optim.Group{Match: "*", Decay: new(0.0)}, optim.Group{Match: "router", Freeze: new(true)},
	), []call{part("lion", table, bias, 1, 0), part("lion", up0, headBias, 1, 0)})
	same(t, "words", calls(t, set, "lion",
		optim.Group{Match: "*", Decay: new(0.0)}, optim.Group{Match: "norms", LRScale: new(2.0)}, optim.Group{Match: "embeddings", LRScale: new(3.0)},
		optim.Group{Match: "router", LRScale: new(4.0)},
	), []call{
		part("lion", table, table, 3, 0), part("lion", norm, norm, 2, 0), part("lion", weight, bias, 1, 0), part("lion", gate, gate, 4, 0),
		part("lion", up0, headBias, 1, 0),
	})
}

// TestMatrixRuns checks what muon takes for a matrix: not the embedding, not the head, unless a group says so. The
// update of a matrix is one plain step of descent along the orthogonal factor.
func TestMatrixRuns(t *testing.T) {
	set := toy(t, ref.New())
	matrices := func(groups ...optim.Group) (names []string) {
		groups = append([]optim.Group{{Match: "*", Decay: new(0.0)}}, groups...)
		for _, c := range calls(t, set, "muon", groups...) {
			for _, p := range set.Params {
				if c.op == "sgd" && c.off == p.Off {
					names = append(names, p.Name)
					if c.n != p.Len() {
						t.Errorf("%s: %d elements, want %d", p.Name, c.n, p.Len())
					}
				}
			}
		}
		return names
	}
	usual := []string{"blocks.0.weight", "blocks.1.router.gate", "blocks.1.experts.0.up", "blocks.1.experts.0.down", "blocks.1.experts.1.up", "blocks.1.experts.1.down"}
	if got := matrices(); !reflect.DeepEqual(got, usual) {
		t.Errorf("matrices %q, want %q", got, usual)
	}
	got := matrices(optim.Group{Match: "experts", Matrix: new(false)}, optim.Group{Match: "heads", Matrix: new(true)})
	if want := []string{usual[0], usual[1], "heads.a.weight"}; !reflect.DeepEqual(got, want) {
		t.Errorf("matrices %q, want %q", got, want)
	}
	// What is left are few runs: a matrix parts its neighbours.
	n := 0
	for _, c := range calls(t, set, "muon", optim.Group{Match: "*", Decay: new(0.0)}) {
		if c.op == "adam" {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d runs of other parameters, want 3", n)
	}
}

// TestNormSq checks that frozen parameters do not count and that neighbours are summed in one call.
func TestNormSq(t *testing.T) {
	be := newRecorder()
	set := toy(t, ref.New())
	cfg := plain(config.Member{Name: "adamw"}, 1)
	cfg.WeightDecay = 0.1
	cfg.Groups = []optim.Group{{Match: "router", Freeze: new(true)}, {Match: "experts", LRScale: new(0.5)}}
	grad, dst := be.New(be.Float, set.Flat.Len()), be.New(dtype.F64, 1)
	mustNew(t, be.Backend, set, cfg, 10).NormSq(grad, dst)
	same(t, "sums", be.calls, []call{
		over(set, "sum", "inputs.table", "blocks.0.bias", 0, 0), over(set, "sum", "blocks.1.experts.0.up", "heads.a.bias", 0, 0),
	})

	exact := ref.New()
	var want float64
	for _, p := range set.Params {
		for i := p.Off; i < p.Off+p.Len(); i++ {
			grad.F64()[i] = float64(i)
			if p.Group.Kind != param.Router {
				want += float64(i) * float64(i)
			}
		}
	}
	dst.F64()[0] = 1e9 // overwritten
	mustNew(t, exact, set, cfg, 10).NormSq(grad, dst)
	if got := dst.F64()[0]; got != want {
		t.Errorf("squared norm %v, want %v", got, want)
	}
}
