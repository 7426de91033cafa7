package gradsurgery_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"artel/config"
	"artel/gradsurgery"
	"artel/rng"
)

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", parts)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q lacks %q", err, p)
		}
	}
}

func TestNewErrors(t *testing.T) {
	for _, c := range []struct {
		name         string
		cfg          any
		tasks, units int
		want         []string
	}{
		{"pcgrd", nil, 2, 1, []string{`did you mean "pcgrad"`}},
		{"pcgrad", nil, 0, 1, []string{"0 tasks", "1..64"}},
		{"pcgrad", nil, 65, 1, []string{"65 tasks"}},
		{"pcgrad", nil, 2, 0, []string{"0 units"}},
		{"pcgrad", &gradsurgery.MGDAOptions{}, 2, 1, []string{"MGDAOptions", "PCGradOptions"}},
		{"pcgrad", (*gradsurgery.PCGradOptions)(nil), 2, 1, []string{"nil"}},
		{"pcgrad", &gradsurgery.PCGradOptions{Order: "randm", Reduction: "sum"}, 2, 1, []string{`did you mean "random"`}},
		{"pcgrad", &gradsurgery.PCGradOptions{Order: "given", Reduction: "sum", Given: [][]int{{1}}}, 2, 1, []string{"1 orders, want 2"}},
		{"pcgrad", &gradsurgery.PCGradOptions{Order: "given", Reduction: "sum", Given: [][]int{{1}, {1}}}, 2, 1, []string{"given[1]", "lacks task 0"}},
		{"pcgrad", &gradsurgery.PCGradOptions{Order: "given", Reduction: "sum", Given: [][]int{{1, 2}, {0}}}, 2, 1, []string{"ids 0..1"}},
		{"pcgrad", &gradsurgery.PCGradOptions{Order: "index", Reduction: "sum", Given: [][]int{{1}, {0}}}, 2, 1, []string{"given is set"}},
		{"constant", &gradsurgery.ConstantOptions{Weights: []float64{1}}, 2, 1, []string{"1 numbers, want 2"}},
		{"constant", &gradsurgery.ConstantOptions{Weights: []float64{1, -1}}, 2, 1, []string{"task 1", "weights is -1"}},
		{"constant", &gradsurgery.ConstantOptions{Weights: []float64{1, math.NaN()}}, 2, 1, []string{"NaN"}},
		{"cagrad", &gradsurgery.CAGradOptions{C: -1}, 2, 1, []string{"c is -1"}},
		{"cagrad", &gradsurgery.CAGradOptions{Rescale: 3}, 2, 1, []string{"rescale is 3"}},
		{"mgda", &gradsurgery.MGDAOptions{Normalize: "l1"}, 2, 1, []string{`did you mean "l2"`}},
		{"uncertainty", &gradsurgery.UncertaintyOptions{Optimizer: "adam"}, 2, 1, []string{"lr is 0"}},
		{"uncertainty", &gradsurgery.UncertaintyOptions{Optimizer: "adm", LR: 1}, 2, 1, []string{`did you mean "adam"`}},
		{"famo", &gradsurgery.FAMOOptions{LR: 1, MinLosses: []float64{1, math.Inf(1)}}, 2, 1, []string{"task 1"}},
		{"graddrop", &gradsurgery.GradDropOptions{Leak: 2}, 2, 1, []string{"leak is 2, want 0..1"}},
		{"gradnorm", &gradsurgery.GradNormOptions{LR: 1, Layers: "lst"}, 2, 1, []string{`did you mean "last"`}},
		{"moco", &gradsurgery.MoCoOptions{Beta: 2, Gamma: 1}, 2, 1, []string{"beta is 2, want 0..1"}},
		{"excess_mtl", &gradsurgery.ExcessMTLOptions{Normalize: "2"}, 2, 1, []string{"normalize"}},
		{"cagrad_fast", &gradsurgery.CAGradFastOptions{C: 1}, 2, 1, []string{"sample is 0, want 1..64"}},
		{"go4align", &gradsurgery.GO4AlignOptions{}, 2, 1, []string{"groups is 0, want 1..64"}},
		{"trimmed_mean", &gradsurgery.TrimmedMeanOptions{Trim: -1}, 2, 1, []string{"trim is -1"}},
		{"cr_mogm", &gradsurgery.CRMOGMOptions{Base: config.Member{Name: "mgd"}}, 2, 1, []string{`did you mean "mgda"`}},
		{"fairgrad", &gradsurgery.FairGradOptions{}, 2, 1, []string{"alpha is 0"}},
	} {
		_, err := gradsurgery.New(c.name, c.cfg, c.tasks, c.units)
		wantError(t, err, c.want...)
	}
}

// TestBadInput: what the engine may hand over by mistake, or a diverged model, is an error that says where.
func TestBadInput(t *testing.T) {
	good := func() *gradsurgery.Input {
		return &gradsurgery.Input{Step: 7, Tasks: []int{1, 3}, Losses: []float64{1, 2}, Gram: []float64{1, 0, 0, 1}}
	}
	s, err := gradsurgery.New("pcgrad", nil, 4, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		edit func(in *gradsurgery.Input)
		want []string
	}{
		{func(in *gradsurgery.Input) { in.Losses[1] = math.NaN() }, []string{"pcgrad: step 7, unit 0", "loss of task 3 is NaN"}},
		{func(in *gradsurgery.Input) { in.Gram[1] = math.Inf(1) }, []string{"G[1,3] = +Inf"}},
		{func(in *gradsurgery.Input) { in.Gram[3] = -1 }, []string{"G[3,3] = -1"}},
		{func(in *gradsurgery.Input) { in.Gram = in.Gram[1:] }, []string{"3 entries, want 4"}},
		{func(in *gradsurgery.Input) { in.Tasks[1] = 1 }, []string{"ascending ids of 0..3"}},
		{func(in *gradsurgery.Input) { in.Tasks[1] = 4 }, []string{"ascending ids of 0..3"}},
		{func(in *gradsurgery.Input) { in.Losses = in.Losses[1:] }, []string{"1 losses for 2"}},
		{func(in *gradsurgery.Input) { in.Unit = 2 }, []string{"unit 2, want 0..1"}},
	} {
		in := good()
		c.edit(in)
		wantError(t, s.Weights(in, make([]float64, 2)), c.want...)
	}
	wantError(t, s.Weights(good(), make([]float64, 3)), "length 3, want 2")
	wantError(t, s.AfterStep([]int{0}, []float64{1}), "does not use losses after the step")
	wantError(t, s.Columns(good(), &gradsurgery.Column{}), "no column kernel")

	modo, err := gradsurgery.New("modo", nil, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, modo.Weights(good(), make([]float64, 2)), "J1 J2^T has 0 entries")
	drop, err := gradsurgery.New("graddrop", nil, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, drop.Weights(good(), make([]float64, 2)), "Columns")
	wantError(t, drop.Columns(good(), &gradsurgery.Column{Leak: make([]float64, 1)}), "room for 1")
	famo, err := gradsurgery.New("famo", nil, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, famo.AfterStep([]int{0}, []float64{1}), "not those of the step")
	in := good()
	in.Losses[0] = -1
	wantError(t, famo.Weights(in, make([]float64, 2)), "task 1 is -1", "min_losses")
	wantError(t, build(t, "mgda", &gradsurgery.MGDAOptions{Normalize: "loss"}, 4).Weights(in, make([]float64, 2)), "task 1")
}

// TestMGDANormalize: the normalised problem, solved by hand for orthogonal rows: w_t is inversely proportional to the square of
// the normalised length.
func TestMGDANormalize(t *testing.T) {
	in := rows{{2, 0}, {0, 4}}.input()
	in.Losses = []float64{0.5, 8}
	for normalize, lengths := range map[string][]float64{"none": {2, 4}, "l2": {1, 1}, "loss": {4, 0.5}, "loss+": {2, 0.125}} {
		w := weights(t, "mgda", &gradsurgery.MGDAOptions{Normalize: normalize}, in)
		a, b := 1/lengths[0]/lengths[0], 1/lengths[1]/lengths[1]
		if !near(w[0], a/(a+b), 1e-14) || !near(w[1], b/(a+b), 1e-14) {
			t.Errorf("%s: %v, want %v", normalize, w, []float64{a / (a + b), b / (a + b)})
		}
	}
}

// TestGradDropKey: units, steps and seeds draw different coordinates, the same ones draw the same.
func TestGradDropKey(t *testing.T) {
	s := build(t, "graddrop", nil, 2)
	in := rows{{1}, {-1}}.input()
	key := func() uint64 {
		c := gradsurgery.Column{Leak: make([]float64, 2)}
		if err := s.Columns(in, &c); err != nil {
			t.Fatal(err)
		}
		if c.Kernel != gradsurgery.GradDropColumns {
			t.Fatalf("kernel %v", c.Kernel)
		}
		return c.Key
	}
	a, b := key(), key()
	in.RNG = rng.New(43)
	if c := key(); a != b || a == c {
		t.Errorf("keys %x %x %x, want the first two equal", a, b, c)
	}
}

// TestBuild decodes every member's options from YAML, strictly.
func TestBuild(t *testing.T) {
	type file struct {
		Surgery config.Member `yaml:"surgery"`
	}
	decode := func(text string) (*gradsurgery.Surgery, error) {
		var f file
		if _, err := config.Decode(&f, config.File("test.yaml", []byte(text))); err != nil {
			t.Fatal(err)
		}
		return gradsurgery.Build(&f.Surgery, 2, 1)
	}
	for _, e := range gradsurgery.Entries() {
		if s, err := decode("surgery: " + e.Name + "\n"); err != nil || s.Entry.Name != e.Name {
			t.Errorf("%s: %v", e.Name, err)
		}
		v := reflect.TypeOf(e.Config()).Elem()
		for i := range v.NumField() {
			if tag := v.Field(i).Tag; tag.Get("yaml") == "" || tag.Get("doc") == "" {
				t.Errorf("%s: option %s lacks a yaml or doc tag", e.Name, v.Field(i).Name)
			}
		}
	}
	s, err := decode("surgery:\n  name: pcgrad\n  order: given\n  given: [[0, 1], [1, 0]]\n")
	if err != nil {
		t.Fatal(err)
	}
	w := make([]float64, 2)
	if err := s.Weights(rows{{1, 0}, {-1, 0}}.input(), w); err != nil || w[0] != 2 || w[1] != 2 {
		t.Errorf("weights %v, %v", w, err)
	}
	_, err = decode("surgery:\n  name: cagrad\n  rescle: 1\n")
	wantError(t, err, "rescle", "rescale", "3")
	_, err = decode("surgery: {name: mgda, normalize: l3}\n")
	wantError(t, err, "l3")
	_, err = decode("surgery: mgd\n")
	wantError(t, err, `did you mean "mgda"`)
	m := config.With("mgda", &gradsurgery.PCGradOptions{})
	_, err = gradsurgery.Build(&m, 2, 1)
	wantError(t, err, "PCGradOptions", "MGDAOptions")
	m = config.With("cagrad", &gradsurgery.CAGradOptions{C: 0.7})
	if _, err = gradsurgery.Build(&m, 2, 1); err != nil || m.Options().(*gradsurgery.CAGradOptions).C != 0.7 {
		t.Errorf("%v, options %+v", err, m.Options())
	}
}
