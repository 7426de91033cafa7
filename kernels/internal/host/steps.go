package host

import (
	"math"

	"artel/kernels"
	"artel/tensor"
)

// Settle is kernels.Settle by loops, with a fill for contiguous vectors.
func Settle(a kernels.Settle, fill func(tensor.Tensor, float64)) {
	first, table, touched := a.First.I32(), a.Table.I32(), a.Touched.I32()
	m := a.Touched.Dim(1)
	flag := func(i, t int) bool { return touched[i*a.Touched.Stride(0)+t] != 0 }
	for g := range a.First.Dim(0) - 1 {
		lo, hi := int(first[g]), int(first[g+1])
		for t := range m {
			some := false
			for i := lo; i < hi; i++ {
				some = some || flag(i, t)
			}
			if a.Present.Ok() {
				p := &a.Present.I32()[g*a.Present.Stride(0)+t]
				switch {
				case !some || a.Active.Ok() && a.Active.I32()[t] == 0:
					*p = 0
				case !a.And:
					*p = 1
				}
			}
			for i := lo; i < hi && some && a.Rows.Ok(); i++ {
				if e := table[i*kernels.SettleCols:]; e[0] >= 0 && !flag(i, t) {
					fill(line(a.Rows.At(t), e[0], e[2]), 0)
				}
			}
		}
		for i := lo; i < hi && a.Grad.Ok(); i++ {
			e, some := table[i*kernels.SettleCols:], false
			for t := range m {
				some = some || flag(i, t)
			}
			if e[1] >= 0 && !some {
				fill(line(a.Grad, e[1], e[2]), 0)
			}
		}
	}
}

// line is a part of a vector in units of kernels.SettleLine.
func line(x tensor.Tensor, at, n int32) tensor.Tensor {
	return x.Narrow(0, int(at)*kernels.SettleLine, int(n)*kernels.SettleLine)
}

// Check is kernels.Check.
func Check(a kernels.Check) {
	for _, v := range a.X.F64()[:a.X.Len()] {
		if v-v != 0 {
			a.Gate.F64()[0] = math.NaN()
		}
	}
}

// Clip is kernels.Clip.
func Clip(a kernels.Clip) {
	sq, gate, scale := a.SumSq.F64()[0], a.Gate.F64(), a.Scale.F64()
	if !(sq >= 0) || math.IsInf(sq, 1) {
		gate[0] = math.NaN()
	}
	scale[0] = 1
	if a.Max > 0 {
		scale[0] = math.Min(1, a.Max/(math.Sqrt(sq)+1e-6))
	}
	if gate[0] != gate[0] {
		scale[0] = math.NaN()
	}
}

// Times returns factor times by [1], if there is one, and whether the op is to be done at all.
func Times(factor float64, by tensor.Tensor) (f float64, ok bool) {
	if !by.Ok() {
		return factor, true
	}
	b := by.F64()[0]
	return factor * b, b == b
}
