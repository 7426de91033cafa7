package nn

import (
	"artel/autograd"
	"artel/config"
	"artel/internal/registry"
	"artel/tensor"

	"github.com/pkg/errors"
)

// Loss compares a task's outputs with its targets.
type Loss interface {
	// Record adds the loss of the rows of x to the tape: scale * sum over the rows (or elements) that have a target.
	//
	//	x [n,V]  labels I32 [n] for classes (negative: missing), values float [n,V] otherwise (NaN: missing)
	Record(t *autograd.Tape, x *autograd.Var, target tensor.Tensor, scale float64)
}

// LossEntry describes one member of the registry of losses.
type LossEntry struct {
	Name    string
	Ref     string // definition
	Doc     string // formula
	Classes bool   // targets are class numbers, the head is as wide as there are classes; otherwise targets are values
	// Metrics names what is reported for a task with this loss, the first one being its headline.
	Metrics []string
	Config  func() any
	New     func(cfg any) (Loss, error)
}

// EntryName returns the name.
func (e LossEntry) EntryName() string { return e.Name }

var losses = registry.New[LossEntry]("loss")

// RegisterLoss adds a loss; call it from init.
func RegisterLoss(e LossEntry) { losses.Register(e) }

// Losses returns all losses in the order of their names.
func Losses() []LossEntry { return losses.All() }

// BuildLoss makes the loss that m names; m then holds the effective options.
func BuildLoss(m *config.Member) (Loss, LossEntry, error) {
	e, err := losses.Lookup(m.Name)
	if err != nil {
		return nil, e, errors.Wrap(err, "nn")
	}
	cfg := e.Config()
	if err := m.Decode(cfg); err != nil {
		return nil, e, err
	}
	l, err := e.New(cfg)
	return l, e, err
}
