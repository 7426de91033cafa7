package optim

import (
	"artel/config"
	"artel/internal/registry"
	"artel/kernels"
	"artel/tensor"

	"github.com/pkg/errors"
)

// Rule updates one run of parameters. It keeps nothing between calls: all state is in the run's slots.
type Rule interface {
	// Slots names the state tensors of a run; each is as long as its parameters.
	Slots() []string
	// Update makes one step.
	Update(b *kernels.Backend, r *Run) error
}

// Run is neighbouring parameters with equal settings.
type Run struct {
	Step  int64   // from 1
	LR    float64 // after schedule and group scale
	Decay float64 // weight decay
	Scale float64 // factor of the gradient: clipping

	P, G     tensor.Tensor   // flat [n]
	Slots    []tensor.Tensor // [n] each, in the order of Rule.Slots
	Matrices []Matrix        // the parameters of the run that are matrices
	Scratch  *tensor.Arena   // for temporaries; reset after the run
}

// Matrix is a parameter of rank 2 inside a run: elements [Off, Off+Rows*Cols).
type Matrix struct{ Off, Rows, Cols int }

// Entry describes one member of the registry of rules.
type Entry struct {
	Name string
	Ref  string // paper, equation
	Doc  string // formula
	// Config returns a pointer to an options struct that holds the defaults.
	Config func() any
	New    func(cfg any) (Rule, error)
}

// EntryName returns the name.
func (e Entry) EntryName() string { return e.Name }

var rules = registry.New[Entry]("optimizer")

// Register adds a rule; call it from init.
func Register(e Entry) { rules.Register(e) }

// Entries returns all rules in the order of their names.
func Entries() []Entry { return rules.All() }

// BuildRule makes the rule that m names; m then holds the effective options.
func BuildRule(m *config.Member) (Rule, error) {
	e, err := rules.Lookup(m.Name)
	if err != nil {
		return nil, errors.Wrap(err, "optim")
	}
	cfg := e.Config()
	if err := m.Decode(cfg); err != nil {
		return nil, err
	}
	return e.New(cfg)
}
