package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "softadapt", Ref: "Heydari, Thompson & Mehmood 2019, SoftAdapt, arXiv 1912.12355",
		Doc: "w = m softmax(beta s), s_t = L_t - L_t(previous step of the task), 0 at first: tasks that fall slowest, or rise, count more.\n" +
			"normalize divides s by sum |s|; weighted multiplies the softmax terms by L_t. (The factor m keeps the learning rate comparable to sum.)",
		Traits: Traits{PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Config: func() any { return &SoftAdaptOptions{Beta: 0.1} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*SoftAdaptOptions)
			return &softadapt{o: *o, last: make([]float64, tasks), seen: make([]float64, tasks)}, within("beta", o.Beta, -1e6, 1e6)
		},
	})
}

// SoftAdaptOptions are the options of "softadapt".
type SoftAdaptOptions struct {
	Beta      float64 `yaml:"beta" doc:"sharpness; negative favours the tasks that fall fastest"`
	Normalize bool    `yaml:"normalize" doc:"divide the loss changes by the sum of their sizes"`
	Weighted  bool    `yaml:"weighted" doc:"multiply the terms of the softmax by the losses, which must then be positive"`
}

type softadapt struct {
	o          SoftAdaptOptions
	last, seen []float64 // [tasks] last loss, and 1 where there is one
}

func (*softadapt) Needs() Needs { return Needs{Level: Losses, Batches: 1} }

func (s *softadapt) Weights(in *Input, w []float64) error {
	if s.o.Weighted {
		if err := positiveLosses(in); err != nil {
			return err
		}
	}
	var size float64
	for t, id := range in.Tasks {
		w[t] = (in.Losses[t] - s.last[id]) * s.seen[id]
		size += math.Abs(w[t])
		s.last[id], s.seen[id] = in.Losses[t], 1
	}
	if !s.o.Normalize || size == 0 {
		size = 1
	}
	for t := range w {
		if w[t] *= s.o.Beta / size; s.o.Weighted {
			w[t] += math.Log(in.Losses[t])
		}
	}
	softmax(w)
	for t := range w {
		w[t] *= float64(len(w))
	}
	return nil
}

// State is the last loss of every task.
func (s *softadapt) State() []Array { return []Array{{"last", s.last}, {"seen", s.seen}} }
