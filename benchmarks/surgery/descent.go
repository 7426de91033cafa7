package main

import (
	"artel/dtype"
	"artel/gradsurgery"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/rng"
	"artel/tensor"
)

// descent drives a method on two tasks with two parameters, as the engine does on a model, with the float64 kernels.
type descent struct {
	be     *kernels.Backend
	s      *gradsurgery.Surgery
	n      int64
	j, y   tensor.Tensor // [2,2] task gradients, and tracked ones
	square tensor.Tensor // [2,2]
	g, w   tensor.Tensor
	excess tensor.Tensor
	keep   tensor.Tensor
	take   tensor.Tensor
	all    tensor.Tensor // present: both
	dst    tensor.Tensor
}

func newDescent(name string) (*descent, error) {
	s, err := gradsurgery.New(name, nil, 2, 1)
	if err != nil {
		return nil, err
	}
	be := ref.New()
	d := &descent{be: be, s: s, all: be.New(dtype.I32, 2), dst: be.New(be.Float, 2), j: be.New(be.Float, 2, 2), y: be.New(be.Float, 2, 2), square: be.New(be.Float, 2, 2)}
	d.g, d.w, d.excess, d.keep, d.take = be.New(dtype.F64, 2, 2), be.New(dtype.F64, 2), be.New(dtype.F64, 2), be.New(dtype.F64, 2), be.New(dtype.F64, 2)
	be.Fill(d.all, 1)
	return d, nil
}

// step returns x - rate * (the update at x).
func (d *descent) step(p *pair, x [2]float64, rate float64) ([2]float64, error) {
	loss, grad := p.at(x)
	for t, g := range grad {
		copy(d.j.F64()[2*t:], g[:])
	}
	in := &gradsurgery.Input{Step: d.n, Tasks: []int{0, 1}, Losses: loss[:], RNG: rng.New(1).At(uint64(d.n))}
	d.n++
	if err := d.combine(in); err != nil {
		return x, err
	}
	for i, v := range d.dst.F64() {
		x[i] -= rate * v
	}
	if d.s.Needs.AfterStep {
		after, _ := p.at(x)
		return x, d.s.AfterStep(in.Tasks, after[:])
	}
	return x, nil
}

// combine makes the update in d.dst from the task gradients in d.j.
func (d *descent) combine(in *gradsurgery.Input) error {
	needs := d.s.Needs
	if needs.Level == gradsurgery.TaskGradients {
		c := gradsurgery.Column{Leak: d.w.F64()}
		if err := d.s.Columns(in, &c); err != nil {
			return err
		}
		if c.Kernel == gradsurgery.TrimmedMeanColumns {
			d.be.TrimmedMean(kernels.TrimmedMean{Dst: d.dst, J: d.j, Present: d.all, Trim: c.Trim})
		} else {
			d.be.GradDrop(kernels.GradDrop{Dst: d.dst, J: d.j, Present: d.all, Leak: d.w, Key: c.Key, Hi: c.Hi})
		}
		return nil
	}
	rows := d.j
	d.gram(in, rows)
	if needs.Squares {
		d.be.Fill(d.excess, 0)
		d.be.Excess(kernels.Excess{S: d.square, J: d.j, Present: d.all, Dst: d.excess, Eps: 1e-7})
		in.Excess = d.excess.F64()
	}
	if needs.Track {
		if err := d.s.Track(in, d.keep.F64(), d.take.F64()); err != nil {
			return err
		}
		d.be.Track(kernels.Track{Y: d.y, J: d.j, Present: d.all, Keep: d.keep, Take: d.take})
		rows = d.y
		d.gram(in, rows)
	}
	if err := d.s.Weights(in, d.w.F64()); err != nil {
		return err
	}
	d.be.Combine(kernels.Combine{Dst: d.dst, J: rows, Present: d.all, W: d.w})
	return nil
}

func (d *descent) gram(in *gradsurgery.Input, rows tensor.Tensor) {
	d.be.Fill(d.g, 0)
	d.be.Gram(kernels.Gram{J: rows, Present: d.all, G: d.g})
	in.Gram, in.Cross = d.g.F64(), d.g.F64()
}
