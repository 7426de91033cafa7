package engine

import (
	"artel/dtype"
	"artel/kernels"
	"artel/param"
	"artel/tensor"

	"github.com/pkg/errors"
)

// operands is surgery.memory: operands. The task gradient of an expert with n_t rows of task t is a sum of n_t outer products, so where rows are few the rows say
// all: inner products of task gradients come from those of rows (kernels.CellGram), and the combined gradient is one product of rows scaled by the weights of their
// tasks. No task gradient of an expert is ever made, and the price does not depend on the number of tasks.
type operands struct {
	e     *Engine
	hold  []bool // by group
	held  []param.Held
	grams []tensor.Tensor // F64 [E,M,M] of what is held
	sink  *param.Sink     // plain, over the same memory as the step's gradient
	host  tensor.Tensor   // F64: factors of rows
	scale tensor.Tensor   // the same for kernels
}

// bankUse is what a look at a few rows tells of a bank of experts.
type bankUse struct {
	bank  *param.Bank
	owned bool    // every row belongs to one task
	rows  float64 // routed rows of an expert in a step, when experts get equal shares
	k, n  int     // size of a matrix
}

// look notes how a recording of some rows uses banks, for a step of batch rows.
func (e *Engine) look(rows, batch int) {
	uses := make([]int, len(e.Set.Params))
	e.tape.Banks(func(b *param.Bank, owned bool, routed int) {
		for _, p := range b.Experts {
			uses[p.Index]++
		}
		s := b.Experts[0].Shape()
		u := bankUse{b, owned, float64(routed) / float64(rows*len(b.Experts)) * float64(batch), s[0], s[1]}
		for i := range e.banks {
			if old := &e.banks[i]; old.bank.Experts[0] == b.Experts[0] {
				old.owned, old.rows = old.owned && owned && uses[b.Experts[0].Index] == 1, max(old.rows, u.rows)
				return
			}
		}
		e.banks = append(e.banks, u)
	})
}

// holdable returns the groups whose task gradients can be left as operands, and whether that takes less time than keeping rows. It weighs arithmetic of n^2 (k + n') for n rows of an
// expert against three passes over M*k*n' numbers in memory, at a fixed ratio, so that it does not depend on the machine.
func (e *Engine) holdable(reach []uint64, rows int) (hold []bool, faster bool) {
	const ratio = 45 // multiply-adds in the time of a number that is written once and read twice
	hold = make([]bool, len(e.Set.Groups))
	params := map[*param.Param]bool{}
	products, moved := 0.0, 0.0
	for _, u := range e.banks {
		if !u.owned || !param.Several(reach[u.bank.Experts[0].Group.Index]) {
			continue
		}
		for _, p := range u.bank.Experts {
			params[p] = true
		}
		e := float64(len(u.bank.Experts))
		products += e * u.rows * u.rows * float64(u.k+u.n)
		moved += e * float64(rows*u.k*u.n)
	}
	some := false
	for i, g := range e.Set.Groups {
		hold[i] = true
		for _, p := range g.Params {
			hold[i] = hold[i] && params[p]
		}
		hold[i] = hold[i] && len(g.Params) > 0
		some = some || hold[i]
	}
	for p := range params { // a bank is held as a whole
		if !hold[p.Group.Index] {
			return nil, false
		}
	}
	if !some {
		return nil, false
	}
	return hold, products < ratio*moved
}

// newOperands prepares a run that keeps operands. It has to be there before the sink and the surgeon are.
func (e *Engine) newOperands(hold []bool) *operands {
	return &operands{e: e, hold: hold}
}

// begin forgets the operands of the last step, and its inner products unless they serve again.
func (o *operands) begin() {
	o.held, o.grams = o.held[:0], o.grams[:0]
	for i, hold := range o.hold {
		if hold && !o.e.surgeon.reused {
			o.e.be.Fill(o.e.surgeon.cells[i].gram, 0)
		}
	}
}

// keep takes operands from the sink during a backward pass.
func (o *operands) keep(h param.Held) {
	o.held = append(o.held, h)
	s := o.e.surgeon
	if s.reused {
		return
	}
	n, m := len(h.Bank.Experts), s.rows
	g := o.e.tape.NewShared(dtype.F64, n, m, m)
	o.e.be.Fill(g, 0)
	d := h.Grad
	o.e.be.CellGram(kernels.CellGram{X: d.X, XIndex: d.XIndex, DY: d.DY, YIndex: d.YIndex, Segs: d.Segs, G: g})
	o.grams = append(o.grams, g)
}

// met adds up the inner products, and notes which tasks are present, once the ops of the backward pass have finished.
func (o *operands) met() {
	s := o.e.surgeon
	present := s.present.I32()
	for i, hold := range o.hold {
		if hold {
			clear(present[i*s.rows : (i+1)*s.rows])
		}
	}
	for i := range o.held {
		h := &o.held[i]
		for j, p := range h.Bank.Experts {
			if i < len(o.grams) {
				add(s.cells[p.Group.Index].gram.F64(), o.grams[i].At(j).F64()[:s.rows*s.rows])
			}
		}
		segs := h.Segs.I32()
		for j := range h.Segs.Dim(0) {
			seg := segs[j*kernels.SegCols:][:kernels.SegCols]
			if t := int(seg[1]); seg[4] > 0 && o.e.takesPart(t) {
				present[h.Bank.Experts[seg[0]].Group.Index*s.rows+t] = 1
			}
		}
	}
}

// apply makes the gradients of the held groups by the weights of their units.
func (o *operands) apply() error {
	be, s := o.e.be, o.e.surgeon
	if o.sink == nil {
		o.sink = param.NewPlainOf(be, o.e.Set, o.e.sink.Grad, o.hold)
	}
	o.sink.Begin(be)
	for i := range o.held {
		if err := o.product(&o.held[i]); err != nil {
			return err
		}
	}
	o.sink.Settle(be, tensor.Tensor{}, tensor.Tensor{}, false)
	for i, g := range o.e.Set.Groups {
		if o.hold[i] {
			be.SumSquares(kernels.SumSquares{X: o.sink.GroupGrad(g), Dst: s.normSq})
		}
	}
	return nil
}

// product makes the gradient of one bank. The rows of the narrower operand get the weights, in the order of experts and tasks.
func (o *operands) product(h *param.Held) error {
	be, d := o.e.be, h.Grad
	of, index, first := &d.X, &d.XIndex, 2                                             // column of the segment table
	if d.X.Type == dtype.BF16 || d.DY.Type != dtype.BF16 && d.DY.Dim(1) < d.X.Dim(1) { // rounding twice would not be what rows give
		of, index, first = &d.DY, &d.YIndex, 3
	}
	n := o.factors(h, first)
	rows := of.Narrow(0, 0, min(n, of.Dim(0)))
	if index.Ok() {
		rows = o.e.tape.New(n, of.Dim(1))
		be.GatherRows(kernels.GatherRows{Dst: rows, Src: *of, Index: index.Narrow(0, 0, n)})
		*index = tensor.Tensor{}
	}
	*of = o.e.tape.New(rows.Dim(0), rows.Dim(1))
	be.RowScale(kernels.RowScale{Dst: *of, S: o.scale.Narrow(0, 0, rows.Dim(0)), Y: rows})
	segs, err := o.merge(h.Segs.I32()[:h.Segs.Len()], len(h.Bank.Experts))
	if err != nil {
		return err
	}
	d.Segs = segs
	d.Dst, d.Touched = o.sink.BankRows(h.Bank)
	be.GradW(d)
	return nil
}

// factors writes the weights of rows and returns their number; first is the column of the segment table that says where a segment's rows begin.
func (o *operands) factors(h *param.Held, first int) (rows int) {
	be, s := o.e.be, o.e.surgeon
	segs := h.Segs.I32()
	for i := range h.Grad.Segs.Dim(0) {
		if seg := segs[i*kernels.SegCols:][:kernels.SegCols]; seg[4] > 0 {
			rows = max(rows, int(seg[first]+seg[4]))
		}
	}
	if !o.host.Ok() || o.host.Len() < rows {
		o.host, o.scale = tensor.New(dtype.F64, rows), be.New(be.Float, rows)
	}
	f := o.host.F64()[:rows]
	clear(f)
	for i := range h.Grad.Segs.Dim(0) {
		seg := segs[i*kernels.SegCols:][:kernels.SegCols]
		w, t := 1.0, int(seg[1])
		if u := s.cells[h.Bank.Experts[seg[0]].Group.Index].unit; u != nil {
			w = u.w.F64()[t]
		}
		if !o.e.takesPart(t) {
			w = 0
		}
		for r := range seg[4] {
			f[seg[first]+r] = w
		}
	}
	be.Copy(kernels.Copy{Dst: o.scale.Narrow(0, 0, rows), Src: o.host.Narrow(0, 0, rows)})
	return rows
}

// merge makes one segment of the segments of every expert.
func (o *operands) merge(in []int32, experts int) (tensor.Tensor, error) {
	out := o.e.tape.NewShared(dtype.I32, experts, kernels.SegCols)
	clear(out.I32()[:experts*kernels.SegCols])
	for i := range len(in) / kernels.SegCols {
		s := in[i*kernels.SegCols:][:kernels.SegCols]
		if s[4] == 0 {
			continue
		}
		d := out.I32()[s[0]*kernels.SegCols:][:kernels.SegCols]
		if d[4] == 0 {
			d[0], d[2], d[3] = s[0], s[2], s[3]
		}
		if s[2] != d[2]+d[4] || s[3] != d[3]+d[4] {
			return out, errors.Errorf("surgery.memory: operands: rows of expert %d do not follow one another", s[0])
		}
		d[4] += s[4]
	}
	return out, nil
}
