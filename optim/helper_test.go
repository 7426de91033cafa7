package optim_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"artel/config"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/optim"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

// options are all options that occur in the reference values.
type options struct {
	LR          *float64
	Momentum    *float64
	Dampening   float64
	Nesterov    *bool
	WeightDecay *float64 `json:"weight_decay"`
	Betas       []float64
	Eps         *float64
	AdjustLR    *string `json:"adjust_lr_fn"`

	Warmup    int64   `json:"num_warmup_steps"`
	Total     int64   `json:"num_training_steps"`
	MinRate   float64 `json:"min_lr_rate"`
	MinRatio  float64 `json:"min_lr_ratio"`
	Decay     float64 `json:"num_decay_steps"`
	DecayType string  `json:"decay_type"`
	Timescale float64
	LREnd     float64 `json:"lr_end"`
	Power     float64
	Cycles    float64 `json:"num_cycles"`
	WarmupBy  string  `json:"warmup_type"`
}

type matrix = [][]float64

type goldenRun struct {
	Optimizer, Library string
	Options            options
	Clip               *struct{ Max float64 }
	Steps              []struct {
		Grads, Params []matrix
		Norm          float64 `json:"total_norm"`
	}
}

type goldenSchedule struct {
	Schedule string
	Base     float64 `json:"base_lr"`
	Options  options
	Values   []float64
}

type goldenFile struct {
	Problem   struct{ W0 []matrix }
	Runs      []goldenRun
	Schedules []goldenSchedule
}

func loadGolden(t *testing.T) *goldenFile {
	t.Helper()
	data, err := os.ReadFile("testdata/optim.json")
	if err != nil {
		t.Fatal(err)
	}
	var g goldenFile
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return &g
}

// or returns *p, or what stands for nil.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// toy declares a small model of every sort of parameter: an embedding, norms, a dense layer with a bias, a router, experts, a head.
func toy(t testing.TB, be *kernels.Backend) *param.Set {
	t.Helper()
	b := param.NewBuilder()
	init := func(s rng.Stream, _ int) float64 { return s.Normal() }
	in, l0 := param.Key{Kind: param.Shared, Layer: "inputs"}, param.Key{Kind: param.Shared, Layer: "blocks.0"}
	b.Add(in, "inputs.table", false, init, 5, 6)
	b.Add(l0, "blocks.0.norm.weight", false, init, 6)
	b.Add(l0, "blocks.0.weight", true, init, 6, 4)
	b.Add(l0, "blocks.0.bias", false, init, 4)
	b.Add(param.Key{Kind: param.Router, Layer: "blocks.1"}, "blocks.1.router.gate", true, init, 4, 3)
	for e := range 2 {
		key := param.Key{Kind: param.Expert, Layer: "blocks.1", Expert: e}
		b.Add(key, "blocks.1.experts."+string(rune('0'+e))+".up", true, init, 4, 8)
		b.Add(key, "blocks.1.experts."+string(rune('0'+e))+".down", true, init, 8, 4)
	}
	b.Add(param.Key{Kind: param.Head, Layer: "heads.a"}, "heads.a.weight", true, init, 4, 3)
	b.Add(param.Key{Kind: param.Head, Layer: "heads.a"}, "heads.a.bias", false, init, 3)
	set, err := b.Build(be, rng.New(7))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// plain is a configuration without warm-up, schedule, decay and clipping.
func plain(rule config.Member, lr float64) optim.Config {
	return optim.Config{Rule: rule, LR: lr, Schedule: config.Member{Name: "constant"}}
}

// mustNew builds an optimizer on the reference backend or the given one.
func mustNew(t testing.TB, be *kernels.Backend, set *param.Set, cfg optim.Config, total int64) *optim.Optimizer {
	t.Helper()
	o, err := optim.New(be, set, &cfg, total)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// bowl is the gradient of 1/2 sum_i c_i (p_i - 1)^2 with 0.5 <= c_i <= 2 at the parameters of set; padding has none.
func bowl(set *param.Set, grad tensor.Tensor) (loss float64) {
	g, flat := grad.F64(), set.Flat.F64()
	for _, p := range set.Params {
		for i := p.Off; i < p.Off+p.Len(); i++ {
			c := 0.5 + 1.5*math.Abs(math.Sin(float64(i)))
			g[i] = c * (flat[i] - 1)
			loss += 0.5 * c * (flat[i] - 1) * (flat[i] - 1)
		}
	}
	return loss
}

// train makes steps on the bowl and returns the last loss before a step.
func train(t testing.TB, o *optim.Optimizer, set *param.Set, steps int) (loss float64) {
	t.Helper()
	be := ref.New()
	grad := be.New(be.Float, set.Flat.Len())
	for range steps {
		loss = bowl(set, grad)
		if _, err := o.Step(grad, square(grad)); err != nil {
			t.Fatal(err)
		}
	}
	return loss
}

func square(grad tensor.Tensor) (sum float64) {
	for _, v := range grad.F64() {
		sum += v * v
	}
	return sum
}
