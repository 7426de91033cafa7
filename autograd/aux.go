package autograd

import (
	"artel/kernels"
	"artel/tensor"
)

// auxLoss is the record of an auxiliary loss over all rows of x: balance, z.
//
// Such a loss is a sum over rows, so under surgery its gradient travels with each row's task; a row shared by several tasks gives each an
// equal share, and the shares add up to the plain gradient. With an auxiliary task it goes there as a whole.
type auxLoss struct {
	x, out *Var
	dx     tensor.Tensor // [N,cols]
}

var auxLossKind = NewKind[auxLoss]("auxiliary loss")

func (o *auxLoss) Backward(t *Tape) {
	s := o.x.Space
	if s.aux0 >= 0 {
		if dx, acc, ok := t.intoAux(o.x); ok {
			t.be.Axpy(kernels.Axpy{Dst: dx, Src: o.dx, Alpha: 1, Accumulate: acc})
		}
		return
	}
	for i, b := range s.Blocks {
		if b.N == 0 {
			continue
		}
		if dx, acc, ok := t.intoBlock(o.x, i); ok {
			seed, by := t.Seed(b.Task)
			t.be.Axpy(kernels.Axpy{Dst: dx, Src: o.dx.Narrow(0, b.Act0, b.N), Alpha: b.share * seed, By: by, Accumulate: acc})
		}
	}
}

// BalanceLoss adds Switch Transformer's load-balancing loss on routing probabilities; see kernels.Balance for the formula.
//
//	p [N,E]  count I32 [S,E]  set I32 [N]  weight [S]  rows I32 [S]
func BalanceLoss(t *Tape, p *Var, count, set, weight, rows tensor.Tensor, scale float64) {
	if t.err != nil {
		return
	}
	op := auxLossKind.New(t)
	*op = auxLoss{x: p, dx: t.New(p.Rows(), p.Cols()), out: t.NewVar(tensor.Tensor{}, p.Space)}
	l := t.newLoss("balance", AuxLoss)
	t.be.Balance(kernels.Balance{P: p.Value, DP: op.dx, Count: count, Set: set, Weight: weight, Rows: rows, Loss: l.Value, Scale: scale})
	t.Record("balance", op, op.out, false, p)
}

// ZLoss adds the router z-loss scale * sum over rows of logsumexp(x)^2.
//
//	x [N,E]: router logits
func ZLoss(t *Tape, x *Var, scale float64) {
	if t.err != nil {
		return
	}
	op := auxLossKind.New(t)
	*op = auxLoss{x: x, dx: t.New(x.Rows(), x.Cols()), out: t.NewVar(tensor.Tensor{}, x.Space)}
	l := t.newLoss("z", AuxLoss)
	t.be.ZLoss(kernels.ZLoss{X: x.Value, DX: op.dx, Loss: l.Value, Scale: scale})
	t.Record("z", op, op.out, false, x)
}
