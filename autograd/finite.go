package autograd

import (
	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// FirstNotFinite names the first recorded op whose output holds NaN or infinity ("blocks.1: linear"), or "" when there is none. It is slow: for the
// message of a run that stops.
func (t *Tape) FirstNotFinite() string {
	for _, n := range t.nodes {
		v := n.out.Value
		if !v.Ok() || !v.Type.Float() {
			continue
		}
		x := tensor.New(dtype.F64, v.Shape()...)
		t.be.Copy(kernels.Copy{Dst: x, Src: v})
		for _, f := range x.F64() {
			if f-f != 0 {
				return n.scope + ": " + n.name
			}
		}
	}
	return ""
}
