package gradsurgery_test

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"sync"
	"testing"

	"artel/gradsurgery"
)

type goldenResult struct {
	Method, Library string
	Options         json.RawMessage
	Weights, Output []float64
}

type goldenCase struct {
	ID, Kind   string
	M, P, Rank int
	J          rows
	Results    []goldenResult
}

type goldenSequence struct {
	Method, Library, Inputs string
	Options                 json.RawMessage
	EpochBatchLosses        json.RawMessage `json:"epoch_batch_losses"`
	Steps                   []goldenStep
}

type goldenStep struct {
	Weights, Output []float64
	Value           float64
	DLoss           []float64   `json:"dvalue_dloss"`
	Logits          []float64   `json:"logits_after"`
	Param           []float64   `json:"param_after"`
	Grad            []float64   `json:"grad_param"`
	Phi             [][]float64 `json:"phi_after"`
	Permutations    [][]int
	Draw            []float64
}

type goldenFile struct {
	Cases  []goldenCase
	Inputs struct {
		Losses [][]float64
		J      []rows `json:"J_sequence"`
		J2     []rows `json:"J2_sequence"`
	} `json:"sequence_inputs"`
	Sequences []json.RawMessage
}

var golden = sync.OnceValues(func() (*goldenFile, error) {
	f, err := os.Open("testdata/surgery.json.gz")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var g goldenFile
	return &g, json.NewDecoder(z).Decode(&g)
})

func loadGolden(t testing.TB) *goldenFile {
	t.Helper()
	g, err := golden()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// options are all options that occur in the reference results.
type options struct {
	C            float64
	Alpha        float64
	ScaleMode    string `json:"scale_mode"`
	Gn           string `json:"mgda_gn"`
	Order        string
	Permutations [][]int
	Pref         []float64 `json:"pref_vector"`
	Leak         []float64
	Trim         int `json:"trim_number"`
	Outliers     int `json:"n_byzantine"`
	Selected     int `json:"n_selected"`
	U            json.RawMessage
	Tau, Beta    float64
	Calpha       float64
	Rescale      json.RawMessage
	Reg          float64 `json:"reg_eps"`
	NormEps      float64 `json:"norm_eps"`
}

// match is how one reference result is compared: tol is relative to the size of the terms of the update.
type match struct {
	name    string
	cfg     any
	tol     float64
	weights bool // the weights are unique, so they are compared too
}

func TestGolden(t *testing.T) {
	g := loadGolden(t)
	compared := map[string]int{}
	worst := map[string]float64{}
	for _, c := range g.Cases {
		var orders [][]int
		var u []float64
		for _, r := range c.Results {
			var o options
			if err := json.Unmarshal(r.Options, &o); err != nil {
				t.Fatalf("%s %s: %v", c.ID, r.Method, err)
			}
			if r.Method == "graddrop" {
				if u == nil {
					if err := json.Unmarshal(o.U, &u); err != nil {
						t.Fatal(err)
					}
				}
				leak := o.Leak
				if leak == nil {
					leak = make([]float64, c.M)
				}
				got := gradDrop(c.J, columnLeak(t, leak), u)
				for p := range got {
					if !near(got[p], r.Output[p], 1e-14*(1+math.Abs(r.Output[p]))) {
						t.Errorf("%s graddrop: coordinate %d is %v, want %v", c.ID, p, got[p], r.Output[p])
					}
				}
				compared["graddrop"]++
				continue
			}
			if r.Method == "trimmed_mean" {
				got, _ := c.J.columns(t, build(t, "trimmed_mean", &gradsurgery.TrimmedMeanOptions{Trim: o.Trim}, c.M), c.J.input())
				for p := range got {
					if !near(got[p], r.Output[p], 1e-14*(1+math.Abs(r.Output[p]))) {
						t.Errorf("%s trimmed_mean: coordinate %d is %v, want %v", c.ID, p, got[p], r.Output[p])
					}
				}
				compared[r.Method]++
				continue
			}
			if len(o.Permutations) > 0 {
				orders = o.Permutations
			}
			m, ok := matching(&c, &r, &o, orders)
			if !ok {
				continue
			}
			s := build(t, m.name, m.cfg, c.M)
			w := make([]float64, c.M)
			if err := s.Weights(c.J.input(), w); err != nil {
				t.Errorf("%s: %v", c.ID, err)
				continue
			}
			compared[r.Method]++
			j := c.J
			if o.Gn == "l2" { // the library combines the normalised rows
				j = make(rows, c.M)
				for i, row := range c.J {
					j[i] = row
					if n := norm(row); n > 0 {
						j[i] = rows{row}.scaled(1 / n)[0]
					}
				}
			}
			out, size := j.times(w)
			if want := norm(r.Output); want > size {
				size = want
			}
			for p := range out {
				e := math.Abs(out[p]-r.Output[p]) / (size + 1e-50) // the exact answer 0 is 1e-65 in the file
				if !(e <= m.tol) {
					t.Errorf("%s %s %s %s: output[%d] = %v, want %v (relative %.2g)", c.ID, m.name, r.Library, r.Options, p, out[p], r.Output[p], e)
					break
				}
				worst[r.Method] = max(worst[r.Method], e)
			}
			if !m.weights || r.Weights == nil {
				continue
			}
			for i := range w {
				if e := math.Abs(w[i]-r.Weights[i]) * norm(j[i]); !(e <= m.tol*size) {
					t.Errorf("%s %s: weight %d = %v, want %v", c.ID, m.name, i, w[i], r.Weights[i])
				}
			}
		}
	}
	for _, e := range gradsurgery.Entries() {
		for _, name := range e.Golden {
			if compared[name] == 0 && sequenceTests[name] == nil {
				t.Errorf("%s names the reference %q, but nothing was compared with it", e.Name, name)
			}
		}
	}
	t.Log("compared:", compared)
	t.Log("worst relative difference:", worst)
}

// columnLeak passes leak through the method, which must hand it on per present task.
func columnLeak(t *testing.T, leak []float64) []float64 {
	t.Helper()
	s := build(t, "graddrop", &gradsurgery.GradDropOptions{TaskLeak: leak}, len(leak))
	in := make(rows, len(leak)).input()
	c := gradsurgery.Column{Leak: make([]float64, 0, len(leak))}
	if err := s.Columns(in, &c); err != nil {
		t.Fatal(err)
	}
	return c.Leak
}

// matching says which member and options reproduce a reference result.
func matching(c *goldenCase, r *goldenResult, o *options, orders [][]int) (match, bool) {
	regular := c.Kind != "rank_deficient" && c.Kind != "zero_row"
	unique := c.Rank == c.M
	switch r.Method {
	case "sum", "mean":
		return match{r.Method, nil, 1e-15, true}, true
	case "mgda":
		if o.Gn == "l2" { // Frank-Wolfe that stops at a change of 1e-5, gamma clipped to 0.001..0.999
			return match{r.Method, &gradsurgery.MGDAOptions{Normalize: "l2"}, 5e-3, false}, regular && c.M == 2
		}
		return match{r.Method, nil, 1e-10, unique}, true
	case "cagrad":
		if r.Library == "libmtl" { // its general solver is 1e-4 off, and more where 0 is nearly in the hull
			var rescale int
			if json.Unmarshal(o.Rescale, &rescale) != nil {
				return match{}, false
			}
			return match{r.Method, &gradsurgery.CAGradOptions{C: o.Calpha, Rescale: rescale}, 1e-3, false}, regular && c.Kind != "scales"
		}
		return match{r.Method, &gradsurgery.CAGradOptions{C: o.C}, 1e-8, unique}, r.Weights != nil
	case "pcgrad":
		cfg := &gradsurgery.PCGradOptions{Order: "index", Reduction: "sum", Self: r.Library == "libmtl"}
		if o.Order == "recorded" {
			cfg.Order, cfg.Given = "given", orders
		}
		return match{r.Method, cfg, 1e-12, true}, true
	case "krum":
		return match{r.Method, &gradsurgery.KrumOptions{Outliers: o.Outliers, Selected: o.Selected, Plain: true}, 1e-14, true}, regular // ties break differently
	case "upgrad", "dualproj":
		if r.Library == "torchjd" { // where it does not take G for 0
			trace := 0.0
			for _, row := range c.J {
				trace += dot(row, row)
			}
			return match{r.Method, &gradsurgery.ConeOptions{Regularize: o.Reg}, 1e-6, o.Reg > 1e-6}, trace > 1.1*o.NormEps && (o.Reg > 1e-6 || c.Kind == "gaussian")
		}
		return match{r.Method, &gradsurgery.ConeOptions{Pref: o.Pref}, 1e-10, unique}, true
	case "pcd": // 1e-8 added to squared lengths
		return match{r.Method, &gradsurgery.PCDOptions{Tau: o.Tau, Beta: o.Beta}, 1e-6, unique}, c.Kind != "scales"
	case "imtl_g": // a pseudo-inverse of G depends on row lengths, ours does not: equal where the distinct rows are independent
		if c.Kind == "scales" { // inverting a badly scaled matrix cost LibMTL its digits; TestEqualProjections has no such limit
			return match{r.Method, nil, 2e-3, false}, c.M <= c.P
		}
		return match{r.Method, nil, 1e-8, unique}, c.M <= c.P && (unique || !regular)
	case "config":
		return match{r.Method, &gradsurgery.ConFIGOptions{Pref: o.Pref}, 1e-9, false}, true
	case "nash_mtl":
		return match{r.Method, nil, 1e-9, true}, true
	case "fairgrad": // SciPy stops at 1e-8 of the residual
		if r.Library != "formula" {
			return match{r.Method, &gradsurgery.FairGradOptions{Alpha: o.Alpha}, 1e-6, false}, c.Kind != "scales" && unique
		}
		return match{r.Method, &gradsurgery.FairGradOptions{Alpha: o.Alpha}, 1e-9, true}, true
	case "aligned_mtl":
		cfg := &gradsurgery.AlignedOptions{Scale: "min", Pref: o.Pref, RankTol: 1e-12}
		if o.ScaleMode != "" {
			cfg.Scale = o.ScaleMode
		}
		return match{r.Method, cfg, 1e-8, true}, c.Kind != "scales" // eigenvalues 1e16 apart: the rank is a matter of the cut
	case "gradvac": // an absolute 1e-8 beside lengths
		cfg := &gradsurgery.GradVacOptions{Beta: 0.5, Order: "index", Reduction: "sum", Track: "all"}
		if o.Order == "recorded" {
			cfg.Order, cfg.Given = "given", orders
		}
		return match{r.Method, cfg, 1e-7, true}, c.Kind != "scales"
	}
	return match{}, false
}
