package kernels

import "artel/tensor"

// Experts holds the products of banks of experts together with what follows them row by row, so that it happens while rows are in the caches.
type Experts struct {
	GroupedGated     func(GroupedGated)
	GroupedGatedGrad func(GroupedGatedGrad)
}

// GroupedGated is a GroupedGEMM and the Gated of its result: for r in [Off[g], Off[g+1])
//
//	H[r,:] = X[Index[r],:] * B[g]        (X[r,:] without Index)
//	A[r,:] = act(H[r,:])
//
//	X [N,k]  Index I32 [>=R] or none  B [G,k,Width(F)]  H [>=R,Width(F)]  A [>=R,F]  Off I32 [G+1] as in GroupedGEMM, R = Off[G]
//
// Rows from R on are left alone. X and B round as operands of products do. With Halves H and A may be BF16, each for itself; the activation of such an H is
// that of its rounded numbers, so that a backward pass sees the same ones.
type GroupedGated struct {
	X, Index, B, H, A, Off tensor.Tensor
	Gate                   Gate
}

// GroupedGatedGrad is a GroupedGEMM and the GatedGrad of its result, which need not be kept: for c in [Off[g], Off[g+1])
//
//	da[c,:]   = DY[Index[c],:] * B[g]
//	DH[c,:]   = scale[act(c)] * da[c,:] * act'(H[act(c),:])
//	DScale[c] = <da[c,:], act(H[act(c),:])>                     when given
//	A[c,:]    = scale[c] * act(H[c,:])                          when given; Act must be none then
//
//	DY [N,k]  Index I32 [>=R] or none  B [G,k,F]  Off I32 [G+1]  H [*,Width(F)]  Act I32 [>=R] or none  Scale [*] or none
//	DH [>=R,Width(F)]  DScale [>=R] or none  A [>=R,F] or none
//	DA [>=R,F]  memory for da; what it holds afterwards is not defined
//
// Rows from R on are left alone. B may be a transposed view, as in GroupedGEMM. With Halves H, DH and A may be BF16, each for itself; da is Float.
// Without Act DH may be the same memory as H.
type GroupedGatedGrad struct {
	DY, Index, B, Off tensor.Tensor
	H, Act, Scale     tensor.Tensor
	DH, DScale, A, DA tensor.Tensor
	Gate              Gate
}

// Composed makes the ops of experts from the ops that they unite. It defines them, and serves backends that gain nothing from uniting them.
func Composed(l Linear, e Elementwise) Experts {
	last := func(off tensor.Tensor) tensor.Tensor { return off.Narrow(0, off.Dim(0)-1, 1) }
	return Experts{
		GroupedGated: func(a GroupedGated) {
			l.GroupedGEMM(GroupedGEMM{A: a.X, Index: a.Index, B: a.B, C: a.H, Off: a.Off})
			e.Gated(Gated{A: a.A, H: a.H, Gate: a.Gate, Rows: last(a.Off)})
		},
		GroupedGatedGrad: func(a GroupedGatedGrad) {
			l.GroupedGEMM(GroupedGEMM{A: a.DY, Index: a.Index, B: a.B, C: a.DA, Off: a.Off})
			if a.A.Ok() { // before DH may have taken the place of H
				e.Gated(Gated{A: a.A, H: a.H, Scale: a.Scale, Gate: a.Gate, Rows: last(a.Off)})
			}
			e.GatedGrad(GatedGrad{DH: a.DH, H: a.H, DA: a.DA, Act: a.Act, Scale: a.Scale, DScale: a.DScale, Rows: last(a.Off), Gate: a.Gate})
		},
	}
}
