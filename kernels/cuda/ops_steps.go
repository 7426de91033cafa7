package cuda

import "artel/kernels"

// settleParts is the number of blocks that share the clearing of a parameter, PARTS in steps.cu.
const settleParts = 16

func (d *device) steps() kernels.Steps {
	return kernels.Steps{
		Settle: func(a kernels.Settle) {
			n, m, groups := a.Touched.Dim(0), a.Touched.Dim(1), a.First.Dim(0)-1
			if a.Present.Ok() {
				d.op("steps", "settle_present").mat(a.Touched).ptr(a.First).i32(groups, m).ptr(a.Active).mat(a.Present).flag(a.And).over(groups * m)
			}
			if a.Rows.Ok() || a.Grad.Ok() {
				d.op("steps", "settle_fill").optional(a.Rows).ptr(a.Grad).mat(a.Touched).ptr(a.Table).ptr(a.First).i32(groups, n, m).blocks(n * settleParts)
			}
		},
		Check: func(a kernels.Check) {
			if n := a.X.Len(); n > 0 {
				d.op("steps", "check").ptr(a.X).i64(n).ptr(a.Gate).blocks(1)
			}
		},
		Clip: func(a kernels.Clip) {
			d.op("steps", "clip").ptr(a.SumSq).ptr(a.Gate).ptr(a.Scale).f64(a.Max).one()
		},
	}
}
