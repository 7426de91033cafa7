package optim

import (
	"fmt"

	"artel/config"
	"artel/internal/registry"
	"artel/kernels"
	"artel/tensor"

	"github.com/pkg/errors"
)

// Rule updates one run of parameters. It keeps nothing between calls: all state is in the run's slots.
type Rule interface {
	// Slots names the state tensors; each has one element per parameter and starts at 0.
	Slots() []string
	// Update makes one step of r.P and r.Slots, and does not allocate.
	Update(b *kernels.Backend, r *Run) error
}

// MatrixRule is a Rule that treats whole matrices in its own way. Each matrix is then a run of its own, and Update sees the other
// parameters only.
type MatrixRule interface {
	Rule
	// UpdateMatrix is Update for one matrix [r.Rows,r.Cols].
	UpdateMatrix(b *kernels.Backend, r *Run) error
}

// Run is neighbouring parameters with equal settings, or one matrix.
type Run struct {
	Step  int64   // number of this step, from 1
	LR    float64 // learning rate after schedule and group scale
	Decay float64 // weight decay

	// Scale and Gate (F64 [1]) are known to the device alone. Scale is the factor of the gradient: clipping. Both are NaN in a step that must not change anything, Gate
	// is 1 in others: every op that writes P or Slots is multiplied By one of them.
	Scale, Gate tensor.Tensor

	P, G  tensor.Tensor   // flat [n]; padding between parameters is 0 in both and must stay 0 in P
	Slots []tensor.Tensor // [n] each, in the order of Rule.Slots

	// Rows and Cols are the inputs and outputs of a matrix, which lies row-major in P; 0 in other runs.
	Rows, Cols int
	// Scratch is for temporaries of one update. Its contents are undefined.
	Scratch *tensor.Arena
}

// Entry describes one member of the registry of rules.
type Entry struct {
	Name   string   // the word users write
	Ref    string   // paper, arXiv id, equation
	Doc    string   // the rule as a formula
	Ops    []string // kernels that it calls; a backend without them is refused
	Golden []string // names of the optimizers in testdata that check it
	// Config returns a pointer to an options struct that holds the defaults (fields with yaml and doc tags).
	Config func() any
	// New builds the rule from a pointer like the one Config returns.
	New func(cfg any) (Rule, error)
}

// EntryName returns the name.
func (e Entry) EntryName() string { return e.Name }

var rules = registry.New[Entry]("optimizer")

// Register adds a rule; call it from init. It panics on a duplicate name and after the first look-up.
func Register(e Entry) {
	if e.Config == nil || e.New == nil {
		panic(fmt.Sprintf("optim: entry %q lacks Config or New", e.Name))
	}
	rules.Register(e)
}

// Entries returns all rules in the order of their names.
func Entries() []Entry { return rules.All() }

// buildRule makes the rule that m names; m then holds the effective options. An unknown name or option is an error with the
// nearest word and its place.
func buildRule(m *config.Member) (Entry, Rule, error) {
	e, err := rules.Lookup(m.Name)
	if err != nil {
		return e, nil, errors.Wrap(err, "optim")
	}
	cfg := e.Config()
	if err := m.Decode(cfg); err != nil {
		return e, nil, err
	}
	r, err := e.New(cfg)
	return e, r, errors.Wrapf(err, "optim: %s", e.Name)
}
