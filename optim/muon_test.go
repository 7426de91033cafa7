package optim_test

import (
	"math"
	"testing"

	"artel/config"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/optim"
	"artel/param"
	"artel/rng"
	"artel/tensor"

	"gonum.org/v1/gonum/mat"
)

// muonStep returns what one step of muon at rate 1 without momentum subtracts from a matrix of zeros with gradient g, divided by the
// adjustment of the learning rate.
func muonStep(t *testing.T, g *mat.Dense, adjust string, k float64) *mat.Dense {
	t.Helper()
	rows, cols := g.Dims()
	be := ref.New()
	b := param.NewBuilder()
	b.Add(param.Key{Layer: "l"}, "w", true, func(rng.Stream, int) float64 { return 0 }, rows, cols)
	set, err := b.Build(be, rng.New(1))
	if err != nil {
		t.Fatal(err)
	}
	o := mustNew(t, be, set, plain(config.With("muon", &optim.MuonConfig{
		Steps: 5, Eps: 1e-7, AdjustLR: adjust, Adam: optim.AdamConfig{Eps: 1}, AdamLRScale: 1,
	}), 1), 10)
	grad := be.New(be.Float, set.Flat.Len())
	be.Copy(kernels.Copy{Dst: grad.Narrow(0, 0, rows*cols).Reshape(rows, cols), Src: tensor.FromF64(g.RawMatrix().Data, rows, cols)})
	if _, err := o.Step(grad, square(grad)); err != nil {
		t.Fatal(err)
	}
	out := mat.NewDense(rows, cols, nil)
	for i, v := range set.Params[0].Value.F64() {
		out.RawMatrix().Data[i] = -v / k
	}
	return out
}

func gaussian(seed uint64, rows, cols int) *mat.Dense {
	s := rng.New(seed)
	m := mat.NewDense(rows, cols, nil)
	for i := range m.RawMatrix().Data {
		m.RawMatrix().Data[i] = s.Normal()
	}
	return m
}

// TestOrthogonal checks the update against a singular value decomposition: with G = U S V^T it is U P V^T, and every p is in the band that the
// quintic leads to.
func TestOrthogonal(t *testing.T) {
	for i, shape := range [][2]int{{6, 6}, {4, 9}, {9, 4}, {1, 5}, {5, 1}, {17, 12}} {
		rows, cols := shape[0], shape[1]
		g := gaussian(uint64(i), rows, cols)
		o := muonStep(t, g, "match_rms_adamw", 0.2*math.Sqrt(float64(max(rows, cols))))
		var svd mat.SVD
		if !svd.Factorize(g, mat.SVDThin) {
			t.Fatal("no decomposition")
		}
		var u, v, left, p mat.Dense
		svd.UTo(&u)
		svd.VTo(&v)
		left.Mul(u.T(), o)
		p.Mul(&left, &v)
		s := svd.Values(nil)
		norm := mat.Norm(g, 2)
		for a := range min(rows, cols) {
			for b := range min(rows, cols) {
				got, want := p.At(a, b), 0.0
				if a == b {
					want = s[a] / norm
					for range 5 {
						want = 3.4445*want - 4.7750*math.Pow(want, 3) + 2.0315*math.Pow(want, 5)
					}
					if s[a]/norm > 0.02 && (want < 0.65 || want > 1.25) {
						t.Errorf("%dx%d: singular value %v becomes %v", rows, cols, s[a]/norm, want)
					}
				}
				if math.Abs(got-want) > 1e-10 {
					t.Errorf("%dx%d: (%d,%d) of U^T O V is %v, want %v", rows, cols, a, b, got, want)
				}
			}
		}
	}
}

// TestOrientation checks that a matrix [in,out] that fans out gets the larger rate, and a matrix and its transpose otherwise the same update.
func TestOrientation(t *testing.T) {
	g := gaussian(9, 3, 12)
	wide := muonStep(t, g, "original", 2) // sqrt(12/3)
	tall := muonStep(t, mat.DenseCopyOf(g.T()), "original", 1)
	if mat.Norm(wide, 2) < 1 || !mat.EqualApprox(wide, tall.T(), 1e-12) {
		t.Errorf("wide\n%v\ntall\n%v", mat.Formatted(wide), mat.Formatted(tall.T()))
	}
}

// TestIdleExpert checks that a matrix without a gradient stays where it is.
func TestIdleExpert(t *testing.T) {
	for _, v := range muonStep(t, mat.NewDense(4, 3, nil), "original", 1).RawMatrix().Data {
		if v != 0 {
			t.Fatalf("a zero gradient moves by %v", v)
		}
	}
}

// TestRest checks that what is no hidden matrix moves as with adamw, at its own rate.
func TestRest(t *testing.T) {
	be := ref.New()
	a, b := toy(t, be), toy(t, be)
	cfg := plain(config.With("adamw", &optim.AdamConfig{Beta1: 0.8, Beta2: 0.9, Eps: 1e-6}), 0.1*0.25)
	cfg.WeightDecay = 0.5
	train(t, mustNew(t, be, a, cfg, 5), a, 5)
	cfg.LR = 0.1
	cfg.Rule = config.With("muon", &optim.MuonConfig{
		Momentum: 0.9, Steps: 5, Eps: 1e-7, AdjustLR: "original", Adam: optim.AdamConfig{Beta1: 0.8, Beta2: 0.9, Eps: 1e-6}, AdamLRScale: 0.25,
	})
	train(t, mustNew(t, be, b, cfg, 5), b, 5)
	for _, p := range a.Params {
		matrix := p.Decay && p.Group.Kind != param.Head
		q := b.Lookup(p.Name)
		for i, v := range p.Value.F64() {
			if w := q.Value.F64()[i]; math.Abs(v-w) > 1e-12 != matrix {
				t.Errorf("%s[%d]: %v with adamw, %v with muon", p.Name, i, v, w)
				break
			}
		}
	}
}
