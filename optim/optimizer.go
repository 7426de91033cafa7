package optim

import (
	"fmt"
	"math"

	"artel/dtype"
	"artel/kernels"
	"artel/param"
	"artel/tensor"

	"github.com/pkg/errors"
)

// Optimizer applies a rule to the parameters of a set, in runs of equal settings. It is not safe for concurrent use.
type Optimizer struct {
	be      *kernels.Backend
	rule    Rule
	matrix  MatrixRule // nil for rules without
	rate    *Rate
	clip    float64 // largest norm, 0 = none
	step    int64   // steps made
	len     int     // P
	set     *param.Set
	runs    []run
	spans   []span // what is trained
	state   []State
	scratch *tensor.Arena

	scale, sumSq, open tensor.Tensor // F64 [1]: factor of the gradient; what Step was given
}

// Info tells what a step did.
type Info struct {
	LR    float64 // learning rate after warm-up and schedule, before group scales
	Norm  float64 // global gradient norm before clipping
	Scale float64 // factor of the gradient, 1 where it was not clipped
}

// NotFinite reports a gradient with NaN or infinity in it. Nothing was changed: the caller may go on with another batch.
type NotFinite struct {
	Step   int64   // the step that was not made, from 1
	NormSq float64 // what was given
}

// Error says which step.
func (e *NotFinite) Error() string {
	return fmt.Sprintf("optim: step %d: the squared norm of the gradient is %v", e.Step, e.NormSq)
}

// NormSq writes the squared norm of the trained part of a flat gradient: dst[0] = sum of grad^2 over all that is not frozen.
//
//	grad [P]  dst F64 [1]
func (o *Optimizer) NormSq(grad, dst tensor.Tensor) {
	o.be.Fill(dst, 0)
	for _, s := range o.spans {
		o.be.SumSquares(kernels.SumSquares{Dst: dst, X: grad.Narrow(0, s.lo, s.hi-s.lo)})
	}
}

// Step updates all parameters by the flat gradient [P], whose squared norm is normSq (see NormSq). With a limit c the gradient is
// multiplied by min(1, c/(norm + 1e-6)), as torch.nn.utils.clip_grad_norm_ does. It allocates nothing.
//
// A normSq that is not finite gives a *NotFinite and changes nothing. Any other error comes from the rule.
func (o *Optimizer) Step(grad tensor.Tensor, normSq float64) (Info, error) {
	info := o.Info(o.step, normSq)
	if !(normSq >= 0) || math.IsInf(normSq, 1) {
		return info, &NotFinite{Step: o.step + 1, NormSq: normSq}
	}
	o.be.Fill(o.sumSq, normSq)
	o.be.Fill(o.open, 1)
	return info, o.Queue(grad, o.sumSq, o.open)
}

// Queue is Step for a squared norm that only the device knows, sumSq F64 [1]. Where it is not finite, or gate (F64 [1]) is NaN, nothing is changed and gate becomes NaN,
// so that later steps change nothing either; see kernels.Clip.
func (o *Optimizer) Queue(grad, sumSq, gate tensor.Tensor) error {
	if grad.Len() != o.len {
		return errors.Errorf("optim: step: gradient %v, want [%d]", grad, o.len)
	}
	o.be.Clip(kernels.Clip{SumSq: sumSq, Gate: gate, Scale: o.scale, Max: o.clip})
	lr := o.rate.At(o.step)
	o.step++
	for i := range o.runs {
		r := &o.runs[i]
		r.Run.Step, r.LR, r.Scale, r.Gate = o.step, lr*r.lrScale, o.scale, gate
		r.G = grad.Narrow(0, r.lo, r.hi-r.lo)
		if err := o.update(&r.Run); err != nil {
			return errors.Wrapf(err, "optim: step %d", o.step)
		}
		o.set.Refresh(r.lo, r.hi)
		o.scratch.Reset()
	}
	return nil
}

// Info tells what a step, counted from 0, does with a gradient of the given squared norm.
func (o *Optimizer) Info(step int64, normSq float64) Info {
	info := Info{LR: o.rate.At(step), Norm: math.Sqrt(normSq), Scale: 1}
	if o.clip > 0 {
		info.Scale = math.Min(1, o.clip/(info.Norm+1e-6))
	}
	return info
}

func (o *Optimizer) update(r *Run) error {
	if r.Rows > 0 {
		return o.matrix.UpdateMatrix(o.be, r)
	}
	return o.rule.Update(o.be, r)
}

// build lays out the runs and takes memory for their slots.
func build(be *kernels.Backend, set *param.Set, rule Rule, all []settings, rate *Rate, clip float64) (*Optimizer, error) {
	o := &Optimizer{be: be, rule: rule, rate: rate, clip: clip, len: set.Flat.Len(), set: set, scratch: tensor.NewArena(be.Alloc)}
	o.scale, o.sumSq, o.open = be.New(dtype.F64, 1), be.New(dtype.F64, 1), be.New(dtype.F64, 1)
	o.matrix, _ = rule.(MatrixRule)
	o.runs, o.spans = layout(set, all, o.matrix != nil)
	if len(o.runs) == 0 {
		return nil, errors.New("optim: all parameters are frozen; there is nothing to train")
	}
	for _, name := range rule.Slots() {
		o.state = append(o.state, State{name, be.New(be.Float, o.len)})
	}
	for i := range o.runs {
		r := &o.runs[i]
		r.Scratch = o.scratch
		r.P = set.Flat.Narrow(0, r.lo, r.hi-r.lo)
		for _, s := range o.state {
			r.Slots = append(r.Slots, s.Value.Narrow(0, r.lo, r.hi-r.lo))
		}
	}
	return o, nil
}
