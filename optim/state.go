package optim

import "artel/tensor"

// State is one named state tensor [P], in the layout of the parameters' flat space.
type State struct {
	Name  string
	Value tensor.Tensor
}

// State returns the live state tensors in a fixed order. With Steps they are all that a checkpoint needs: reading them saves the
// optimizer, writing them (and SetSteps) restores it, and what a resumed run computes is the same to the last bit.
func (o *Optimizer) State() []State { return o.state }

// Steps returns the number of steps made.
func (o *Optimizer) Steps() int64 { return o.step }

// SetSteps sets the number of steps made, at least 0.
func (o *Optimizer) SetSteps(n int64) { o.step = n }
