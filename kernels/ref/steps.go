package ref

import (
	"math"

	"artel/kernels"
	"artel/tensor"
)

func steps() kernels.Steps { return kernels.Steps{Settle: settle, Check: check, Clip: clip} }

// settle follows the lines of the definition one by one, and not the loops of the fast forms.
func settle(a kernels.Settle) {
	first, table := a.First.I32(), a.Table.I32()
	touched := func(i, t int) bool { return a.Touched.At(i).At(t).I32()[0] != 0 }
	anyOf := func(lo, hi int, f func(int) bool) bool {
		for i := lo; i < hi; i++ {
			if f(i) {
				return true
			}
		}
		return false
	}
	zero := func(x tensor.Tensor, at, n int32) {
		clear(vec(x)[int(at)*kernels.SettleLine : int(at+n)*kernels.SettleLine])
	}
	m := a.Touched.Dim(1)
	for g := range a.First.Dim(0) - 1 {
		lo, hi := int(first[g]), int(first[g+1])
		has := func(t int) bool { return anyOf(lo, hi, func(i int) bool { return touched(i, t) }) }
		for t := range m {
			if a.Present.Ok() {
				p := a.Present.At(g).At(t).I32()
				holds := has(t) && (!a.Active.Ok() || a.Active.I32()[t] != 0)
				if !holds {
					p[0] = 0
				} else if !a.And {
					p[0] = 1
				}
			}
		}
		for i := lo; i < hi; i++ {
			column, offset, n := table[i*kernels.SettleCols], table[i*kernels.SettleCols+1], table[i*kernels.SettleCols+2]
			for t := range m {
				if a.Rows.Ok() && column >= 0 && has(t) && !touched(i, t) {
					zero(a.Rows.At(t), column, n)
				}
			}
			if a.Grad.Ok() && offset >= 0 && !anyOf(0, m, func(t int) bool { return touched(i, t) }) {
				zero(a.Grad, offset, n)
			}
		}
	}
}

func check(a kernels.Check) {
	for _, v := range a.X.F64()[:a.X.Len()] {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			a.Gate.F64()[0] = math.NaN()
			return
		}
	}
}

func clip(a kernels.Clip) {
	norm := math.Sqrt(a.SumSq.F64()[0])
	if math.IsNaN(norm) || math.IsInf(norm, 0) || math.IsNaN(a.Gate.F64()[0]) {
		a.Gate.F64()[0], a.Scale.F64()[0] = math.NaN(), math.NaN()
		return
	}
	a.Scale.F64()[0] = 1
	if most := a.Max / (norm + 1e-6); a.Max > 0 && most < 1 {
		a.Scale.F64()[0] = most
	}
}

// times is factor * By[0], and false where nothing is to be written.
func times(factor float64, by tensor.Tensor) (f float64, ok bool) {
	if by.Ok() {
		factor *= by.F64()[0]
		ok = !math.IsNaN(by.F64()[0])
		return factor, ok
	}
	return factor, true
}
