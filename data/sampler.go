package data

import (
	"math"

	"artel/config"
	"artel/internal/registry"
	"artel/rng"

	"github.com/pkg/errors"
)

// Sampler decides how much of a batch each unit gets. A unit is a domain whose rows are shared by its tasks, or one task of a
// domain whose rows are owned. It keeps nothing: shares are a function of the batch number.
type Sampler interface {
	// Shares writes the share of every unit in batch number step, adding up to 1, given the units' sizes.
	Shares(step int64, sizes []float64, out []float64)
}

// SamplerEntry describes one member of the registry of samplers.
type SamplerEntry struct {
	Name   string
	Ref    string
	Doc    string
	Config func() any
	New    func(cfg any) Sampler
}

// EntryName returns the name.
func (e SamplerEntry) EntryName() string { return e.Name }

var samplers = registry.New[SamplerEntry]("sampler")

// RegisterSampler adds a sampler; call it from init.
func RegisterSampler(e SamplerEntry) { samplers.Register(e) }

// Samplers returns all samplers in the order of their names.
func Samplers() []SamplerEntry { return samplers.All() }

func buildSampler(m *config.Member) (Sampler, error) {
	e, err := samplers.Lookup(m.Name)
	if err != nil {
		return nil, errors.Wrap(err, "data")
	}
	cfg := e.Config()
	if err := m.Decode(cfg); err != nil {
		return nil, err
	}
	return e.New(cfg), nil
}

func init() {
	RegisterSampler(SamplerEntry{
		Name: "proportional", Ref: "-", Doc: "share ~ size", Config: func() any { return &struct{}{} },
		New: func(any) Sampler { return power{1} },
	})
	RegisterSampler(SamplerEntry{
		Name: "uniform", Ref: "-", Doc: "equal shares", Config: func() any { return &struct{}{} },
		New: func(any) Sampler { return power{0} },
	})
	RegisterSampler(SamplerEntry{
		Name: "temperature", Ref: "Raffel et al. 2020 (arXiv 1910.10683), section 3.5.2, alpha = 1/T", Doc: "share ~ size^alpha",
		Config: func() any { return &TemperatureConfig{Alpha: 0.5} },
		New:    func(cfg any) Sampler { return power{cfg.(*TemperatureConfig).Alpha} },
	})
	RegisterSampler(SamplerEntry{
		Name: "round_robin", Ref: "-", Doc: "the whole batch to one unit, in turn", Config: func() any { return &struct{}{} },
		New: func(any) Sampler { return roundRobin{} },
	})
}

// TemperatureConfig holds the options of temperature.
type TemperatureConfig struct {
	Alpha float64 `yaml:"alpha" doc:"1 is proportional, 0 is uniform" range:"0..1"`
}

type power struct{ alpha float64 }

func (p power) Shares(_ int64, sizes, out []float64) {
	var sum float64
	for i, n := range sizes {
		out[i] = 0
		if n > 0 {
			out[i] = math.Pow(n, p.alpha)
		}
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
}

type roundRobin struct{}

func (roundRobin) Shares(step int64, sizes, out []float64) {
	live := int64(0)
	for _, n := range sizes {
		if n > 0 {
			live++
		}
	}
	turn := step % live
	for i, n := range sizes {
		out[i] = 0
		if n > 0 {
			if turn == 0 {
				out[i] = 1
			}
			turn--
		}
	}
}

// counts turns shares into whole numbers that add up to rows: systematic sampling, one random number per batch, so that each count is its
// expectation rounded up or down.
func counts(shares []float64, rows int, s rng.Stream, out []int) {
	u := s.Float64()
	var sum float64
	before := 0
	for i, p := range shares {
		sum += p * float64(rows)
		upto := int(math.Floor(sum + u))
		if i == len(shares)-1 {
			upto = rows
		}
		out[i] = max(0, min(upto, rows)-before)
		before += out[i]
	}
}
