package optim_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"artel/config"
	"artel/dtype"
	"artel/kernels/ref"
	"artel/optim"
	"artel/tensor"
)

// TestMistakes checks that each mistake is an error that names the thing and what would be right.
func TestMistakes(t *testing.T) {
	set := toy(t, ref.New())
	group := func(g optim.Group) func(*optim.Config) {
		return func(c *optim.Config) { c.Groups = []optim.Group{{Match: "*"}, g} }
	}
	rule := func(name string, options any) func(*optim.Config) {
		return func(c *optim.Config) { c.Rule = config.With(name, options) }
	}
	sched := func(name string, options any) func(*optim.Config) {
		return func(c *optim.Config) { c.Schedule = config.With(name, options) }
	}
	adam := optim.AdamConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
	for name, c := range map[string]struct {
		change func(*optim.Config)
		want   string
	}{
		"lr":             {func(c *optim.Config) { c.LR = -1 }, "lr is -1, want a positive number"},
		"lr nan":         {func(c *optim.Config) { c.LR = math.NaN() }, "lr is NaN, want a positive number"},
		"lr inf":         {func(c *optim.Config) { c.LR = math.Inf(1) }, "lr is +Inf, want a positive number"},
		"decay":          {func(c *optim.Config) { c.WeightDecay = -0.1 }, "weight_decay is -0.1, want a number of at least 0"},
		"clip":           {func(c *optim.Config) { c.ClipNorm = -1 }, "clip_norm is -1, want a number of at least 0"},
		"rule":           {rule("adamv", nil), `optimizer "adamv" is unknown; did you mean "adam"? (known: adam, adamw, lion, muon, sgd)`},
		"wrong options":  {rule("adamw", &optim.LionConfig{}), `options of "adamw": got a optim.LionConfig, want a optim.AdamConfig`},
		"schedule":       {sched("cosin", nil), `schedule "cosin" is unknown; did you mean "cosine"?`},
		"warm-up":        {func(c *optim.Config) { c.Warmup = 200 }, "warmup is 200 steps but the run has 100; a share such as 0.05 fits any length"},
		"warm-up 2.5":    {func(c *optim.Config) { c.Warmup = 2.5 }, "warmup is 2.5, want a whole number of steps, or a share of the run under 1"},
		"warm-up -1":     {func(c *optim.Config) { c.Warmup = -1 }, "warmup is -1, want a number of at least 0"},
		"final":          {sched("cosine", &optim.FinalConfig{Final: 2}), "schedule cosine: final is 2, want 0..1"},
		"final linear":   {sched("linear", &optim.FinalConfig{Final: -1}), "schedule linear: final is -1, want 0..1"},
		"power":          {sched("polynomial", &optim.PolynomialConfig{}), "schedule polynomial: power is 0, want a positive number"},
		"timescale":      {sched("inverse_sqrt", &optim.InverseSqrtConfig{Timescale: -1}), "timescale is -1, want a number of at least 0"},
		"wsd decay":      {sched("wsd", &optim.WSDConfig{Decay: 99, Form: "linear"}), "a warm-up of 10 steps and a decay of 99 do not fit into 100"},
		"wsd no decay":   {sched("wsd", &optim.WSDConfig{Form: "linear"}), "decay is 0, want a positive number"},
		"wsd form":       {sched("wsd", &optim.WSDConfig{Decay: 0.5, Form: "cosin"}), `form is "cosin"; did you mean "cosine"? (linear, cosine, 1-sqrt)`},
		"beta1":          {rule("adam", &optim.AdamConfig{Beta1: 1, Beta2: 0.9, Eps: 1e-8}), "adam: beta1 is 1, want at least 0 and less than 1"},
		"beta2":          {rule("lion", &optim.LionConfig{Beta2: -1}), "lion: beta2 is -1, want at least 0 and less than 1"},
		"eps":            {rule("adamw", &optim.AdamConfig{}), "adamw: eps is 0, want a positive number"},
		"momentum":       {rule("sgd", &optim.SGDConfig{Momentum: 1.5}), "sgd: momentum is 1.5, want at least 0 and less than 1"},
		"dampening":      {rule("sgd", &optim.SGDConfig{Dampening: 2}), "sgd: dampening is 2, want 0..1"},
		"nesterov":       {rule("sgd", &optim.SGDConfig{Nesterov: true}), "nesterov needs momentum above 0 and dampening 0, got momentum 0 and dampening 0"},
		"muon adjust":    {rule("muon", &optim.MuonConfig{Steps: 5, Eps: 1e-7, AdjustLR: "orginal", Adam: adam, AdamLRScale: 1}), `adjust_lr is "orginal"; did you mean "original"?`},
		"muon steps":     {rule("muon", &optim.MuonConfig{Eps: 1e-7, AdjustLR: "original", Adam: adam, AdamLRScale: 1}), "steps is 0, want 1..20"},
		"muon adam":      {rule("muon", &optim.MuonConfig{Steps: 5, Eps: 1e-7, AdjustLR: "original", AdamLRScale: 1}), "muon: adam: eps is 0, want a positive number"},
		"no match":       {group(optim.Group{Match: "blocks.1.expert.*.upp"}), `groups.1: "blocks.1.expert.*.upp" matches no parameter; the nearest name is blocks.1.experts.0.up`},
		"no match glob":  {group(optim.Group{Match: "*.dawn"}), `"*.dawn" matches no parameter; the nearest name is blocks.1.experts.0.down`},
		"word":           {group(optim.Group{Match: "expert"}), `"expert" matches no parameter; did you mean experts?`},
		"pattern":        {group(optim.Group{Match: "blocks.[0"}), `match "blocks.[0" is no pattern`},
		"empty pattern":  {group(optim.Group{}), "groups.1: match is empty"},
		"group lr":       {group(optim.Group{Match: "heads", LRScale: new(0.0)}), "groups.1: heads: lr_scale is 0, want a positive number"},
		"group decay":    {group(optim.Group{Match: "heads", Decay: new(-1.0)}), "groups.1: heads: decay is -1, want a number of at least 0"},
		"all frozen":     {group(optim.Group{Match: "*", Freeze: new(true)}), "all parameters are frozen"},
		"unknown option": {func(c *optim.Config) { c.Rule = parse(t, "rule: {name: adamw, bta1: 0.5}").Rule }, `bta1: unknown key; did you mean "beta1"?`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := optim.Default()
			cfg.Warmup = 10
			c.change(&cfg)
			if _, err := optim.New(ref.New(), set, &cfg, 100); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\n  want %s", err, c.want)
			}
		})
	}
}

// parse decodes YAML over the defaults.
func parse(t *testing.T, text string) optim.Config {
	t.Helper()
	cfg := optim.Default()
	if _, err := config.Decode(&cfg, config.File("test.yaml", []byte(text))); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestNoSuchSort checks the message for a word that this model has nothing for.
func TestNoSuchSort(t *testing.T) {
	cfg := plain(config.Member{Name: "sgd"}, 1)
	cfg.Groups = []optim.Group{{Match: "experts"}}
	_, err := optim.New(ref.New(), golden0(t, loadGolden(t).Problem.W0), &cfg, 10)
	if err == nil || !strings.Contains(err.Error(), `"experts" matches no parameter; this model has shared`) {
		t.Errorf("error %v", err)
	}
}

// TestRefusal checks that a backend without a kernel of the rule, a run without steps, and a gradient of another length are errors.
func TestRefusal(t *testing.T) {
	set := toy(t, ref.New())
	be := ref.New()
	be.GEMM = nil
	cfg := optim.Default()
	mustNew(t, be, set, cfg, 100)
	cfg.Rule = config.Member{Name: "muon"}
	if _, err := optim.New(be, set, &cfg, 100); err == nil || !strings.Contains(err.Error(), "muon: kernels: backend ref lacks GEMM") {
		t.Errorf("error %v", err)
	}
	cfg = optim.Default()
	if _, err := optim.New(be, set, &cfg, 0); err == nil || !strings.Contains(err.Error(), "a run of 0 steps, want at least 1") {
		t.Errorf("error %v", err)
	}
	if _, err := mustNew(t, be, set, cfg, 1).Step(tensor.New(dtype.F64, 3), 1); err == nil || !strings.Contains(err.Error(), "gradient F64[3], want [") {
		t.Errorf("error %v", err)
	}
}

// TestYAML reads a file with everything in it, writes the effective configuration, and reads that.
func TestYAML(t *testing.T) {
	cfg := parse(t, `
rule: {name: muon, momentum: 0.9, adam: {beta1: 0.8}}
lr: 0.01
schedule: {name: wsd, decay: 0.3}
warmup: 20
groups:
  - {match: experts, lr_scale: 0.5}
  - match: "*.bias"
    decay: 0
    freeze: true
`)
	set := toy(t, ref.New())
	mustNew(t, ref.New(), set, cfg, 100)
	if _, err := optim.New(ref.New(), set, &cfg, 100); err != nil {
		t.Fatal(err)
	}
	m := cfg.Rule.Options().(*optim.MuonConfig)
	if m.Momentum != 0.9 || m.Adam != (optim.AdamConfig{Beta1: 0.8, Beta2: 0.999, Eps: 1e-8}) || cfg.Schedule.Options().(*optim.WSDConfig).Decay != 0.3 {
		t.Errorf("options %+v", m)
	}
	want := []optim.Group{{Match: "experts", LRScale: new(0.5)}, {Match: "*.bias", Decay: new(0.0), Freeze: new(true)}}
	if !reflect.DeepEqual(cfg.Groups, want) {
		t.Errorf("groups %+v", cfg.Groups)
	}
	text, err := config.Encode(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	again := parse(t, string(text))
	mustNew(t, ref.New(), set, again, 100)
	if !reflect.DeepEqual(again.Groups, want) {
		t.Errorf("groups after writing and reading: %+v in\n%s", again.Groups, text)
	}
}

// TestDocs checks that every member explains itself: formula, source, and a line for each option.
func TestDocs(t *testing.T) {
	check := func(name, ref, doc string, cfg any) {
		if ref == "" || doc == "" {
			t.Errorf("%s lacks a source or a formula", name)
		}
		for _, d := range config.Docs(cfg) {
			if d.Doc == "" {
				t.Errorf("%s: %s has no doc", name, d.Key)
			}
		}
	}
	for _, e := range optim.Entries() {
		check(e.Name, e.Ref, e.Doc, e.Config())
	}
	for _, e := range optim.Schedules() {
		check(e.Name, e.Ref, e.Doc, e.Config())
	}
	cfg := optim.Default()
	check("config", "-", "-", &cfg)
}
