package engine

import (
	"artel/autograd"
	"artel/dtype"
	"artel/gradsurgery"
	"artel/kernels"
	"artel/param"
	"artel/rng"
	"artel/tensor"

	"github.com/pkg/errors"
)

// at combines task gradients at an activation Z: MGDA-UB (Sener & Koltun 2018, arXiv 1810.04650, section 3.3), Aligned-MTL-UB (Senushkin et al. 2023,
// arXiv 2305.19000), GradDrop on representations (Chen et al. 2020, arXiv 2010.06808), or any other method. The part of the model below Z goes backward once; parameters above
// Z get the sum of their task gradients.
type at struct {
	e    *Engine
	unit [1]unit // what the method is asked with; it has no groups

	take    autograd.Combiner // combine; made once
	grams   []tensor.Tensor   // F64 [m,m] of the runs
	present tensor.Tensor     // I32 [M]: ones
	rep     *rep              // for Rep-MTL, or nil
}

// newAt prepares surgery at an activation.
func (e *Engine) newAt(cfg *Config, method *gradsurgery.Surgery, rows int, seed rng.Stream) error {
	c := &cfg.Surgery
	if err := known("surgery.at", []string{c.At}, e.Model.Activations()); err != nil {
		return err
	}
	n := method.Needs
	switch {
	case c.Aux == "own-row":
		return errors.New("surgery.at: auxiliary losses have no gradient of their own there; want aux: with-task")
	case c.Every > 1 || len(c.Rules) > 0 || len(c.Exclude) > 0 || c.Groups != "global" || c.Memory == "gram":
		return errors.New("surgery.at: every, rules, exclude, groups and memory are about task gradients of parameters; leave them at their defaults")
	case n.Track || n.Squares || n.Batches > 1 || n.LastLayer:
		return errors.Errorf("surgery.at: %s needs task gradients of parameters", method.Entry.Name)
	case cfg.Accumulate > 1:
		return errors.New("surgery.at: accumulate: the gradients of several passes would have to be known at once; want accumulate: 1")
	}
	c.Memory = "rows"
	e.methods, e.method = []*gradsurgery.Surgery{method}, method
	e.at = &at{e: e, present: e.be.NewShared(dtype.I32, rows)}
	e.be.Fill(e.at.present, 1)
	e.at.take = e.at.combine
	if n.Saliency != nil {
		if err := e.newRep(n.Saliency, c.At, method.Entry.Name); err != nil {
			return err
		}
	}
	u := &e.at.unit[0]
	u.name, u.method = c.At, method
	u.prepare(e.be, rows)
	e.Model.At = c.At
	reach, err := e.reach(false, cfg.Batch)
	if err != nil {
		return err
	}
	sink, err := param.NewPerTask(e.be, e.Set, rows, reach)
	if err != nil {
		return err
	}
	e.sinks, e.sink = []*param.Sink{sink}, sink
	e.surgeon = newSurgeon(e.be, e.sinks, nil, e.Set.Groups, seed)
	return nil
}

// prepare makes a recording that has just begun take task gradients at the activation.
func (a *at) prepare(t *autograd.Tape) {
	if a.rep == nil {
		t.TakeAt(a.take)
		return
	}
	t.Spread(a.take)
	if a.rep.alpha != 0 {
		t.ShiftAt(a.rep.shift, a.rep.alpha)
	}
}

// combine is what the tape calls with the task gradients at the activation.
func (a *at) combine(runs []autograd.TapRun) error {
	s, u := a.e.surgeon, &a.unit[0]
	if a.rep != nil {
		a.rep.measure(runs)
	}
	a.grams = a.grams[:0]
	for i := range runs {
		a.products(&runs[i])
	}
	a.e.tape.Sync()
	if err := a.e.met(); err != nil {
		return err
	}
	for t := range u.any {
		u.any[t] = a.e.labels[t] > 0
	}
	clear(u.gram)
	for i := range runs {
		a.sum(&runs[i], a.grams[i].F64(), u.gram)
	}
	s.ask(a.e.step, u)
	if u.method.Needs.Level == gradsurgery.TaskGradients {
		return a.columns(runs)
	}
	s.gram = s.ofPresent(s.gram, u.gram)
	s.in.Gram = s.gram
	w := s.w[:len(s.tasks)]
	if err := u.method.Weights(&s.in, w); err != nil {
		return errors.Wrapf(err, "at %s", u.name)
	}
	clear(u.w.F64())
	for i, t := range s.tasks {
		u.w.F64()[t] = w[i]
	}
	for _, r := range runs {
		m := len(r.Tasks)
		a.e.be.Combine(kernels.Combine{Dst: r.Dst, J: r.J, Present: a.present.Narrow(0, 0, m), W: a.of(u.w, r.Tasks)})
	}
	return nil
}

// products makes the inner products of a run.
func (a *at) products(r *autograd.TapRun) {
	m := len(r.Tasks)
	g := a.e.tape.NewShared(dtype.F64, m, m)
	a.e.be.Fill(g, 0)
	a.e.be.Gram(kernels.Gram{J: r.J, Present: a.present.Narrow(0, 0, m), G: g})
	a.grams = append(a.grams, g)
}

// sum adds the inner products of a run to a Gram matrix over all tasks [M*M]. Tasks of different runs have no common coordinate.
func (a *at) sum(r *autograd.TapRun, g, gram []float64) {
	m, rows := len(r.Tasks), a.e.surgeon.rows
	for i, x := range r.Tasks {
		for j, y := range r.Tasks {
			gram[x*rows+y] += g[i*m+j]
		}
	}
}

// of gathers the numbers of a run's tasks.
func (a *at) of(w tensor.Tensor, tasks []int) tensor.Tensor {
	x := a.e.tape.NewShared(dtype.F64, len(tasks))
	for i, t := range tasks {
		x.F64()[i] = w.F64()[t]
	}
	return x
}

// columns runs a method's column kernel over the coordinates of the activation.
func (a *at) columns(runs []autograd.TapRun) error {
	s, u := a.e.surgeon, &a.unit[0]
	if err := u.method.Columns(&s.in, &s.column); err != nil {
		return errors.Wrapf(err, "at %s", u.name)
	}
	clear(u.w.F64())
	for i, t := range s.tasks {
		if i < len(s.column.Leak) {
			u.w.F64()[t] = s.column.Leak[i]
		}
	}
	offset := 0
	for _, r := range runs {
		m := len(r.Tasks)
		present := a.present.Narrow(0, 0, m)
		if s.column.Kernel == gradsurgery.TrimmedMeanColumns {
			a.e.be.TrimmedMean(kernels.TrimmedMean{Dst: r.Dst, J: r.J, Present: present, Trim: s.column.Trim})
		} else {
			a.e.be.GradDrop(kernels.GradDrop{Dst: r.Dst, J: r.J, Present: present, Leak: a.of(u.w, r.Tasks), Key: s.column.Key, Hi: s.column.Hi, Offset: offset})
		}
		offset += (r.Dst.Len() + 3) / 4 * 4
	}
	return nil
}
