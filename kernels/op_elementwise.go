package kernels

import (
	"artel/rng"
	"artel/tensor"
)

// Elementwise holds maps over elements and their gradients.
type Elementwise struct {
	Map       func(Map)
	MapGrad   func(MapGrad)
	Mul       func(Mul)
	Gated     func(Gated)
	GatedGrad func(GatedGrad)
	RowScale  func(RowScale)
	RowDot    func(RowDot)
	Dropout   func(Dropout)
	AddByRow  func(AddByRow)
	Noise     func(Noise)
}

// Unary names a function of one variable.
type Unary uint8

// The functions of Map.
const (
	Identity Unary = iota
	ReLU           // max(x, 0); derivative 0 for x <= 0
	GELU           // x * Phi(x), the exact form with erf
	SiLU           // x * sigmoid(x)
	Sigmoid        // 1 / (1 + exp(-x))
	Tanh
	Exp
	Log
	Square
	Softplus // log(1 + exp(x))
)

// unaryNames spells the functions as config files do.
var unaryNames = [...]string{"identity", "relu", "gelu", "silu", "sigmoid", "tanh", "exp", "log", "square", "softplus"}

// String returns the config spelling.
func (u Unary) String() string { return unaryNames[u] }

// Map is Dst = f(X), shapes [N,D].
type Map struct {
	Dst, X tensor.Tensor
	F      Unary
}

// MapGrad is dX[c,:] (=|+=) f'(X[act(c),:]) * dY[c,:].
//
//	X [N,D]  DY, DX [C,D]  Act I32 [C] or none
type MapGrad struct {
	DX, X, DY, Act tensor.Tensor
	F              Unary
	Accumulate     bool
}

// Mul is Dst[c,:] (=|+=) X[act(c),:] * Y[c,:] element by element.
//
//	X [N,D]  Y, Dst [C,D]  Act I32 [C] or none
type Mul struct {
	Dst, X, Y, Act tensor.Tensor
	Accumulate     bool
}

// Gate names the activation between the two products of a feed-forward network.
type Gate uint8

// The gates. SwiGLU reads [g | u] of width 2F; the others read H of width F.
const (
	SwiGLU    Gate = iota // silu(g) * u
	GELUAct               // gelu(h)
	ReLUAct               // relu(h)
	LinearAct             // h
)

// gateNames spells the gates as config files do.
var gateNames = [...]string{"swiglu", "gelu", "relu", "linear"}

// String returns the config spelling.
func (g Gate) String() string { return gateNames[g] }

// ParseGate returns the gate with the given config spelling; ok is false for an unknown one.
func ParseGate(s string) (g Gate, ok bool) {
	for i, n := range gateNames {
		if n == s {
			return Gate(i), true
		}
	}
	return 0, false
}

// GateNames lists the config spellings.
func GateNames() []string { return append([]string(nil), gateNames[:]...) }

// Width returns the width of H for an output of width f: 2f for SwiGLU, f otherwise.
func (g Gate) Width(f int) int {
	if g == SwiGLU {
		return 2 * f
	}
	return f
}

// Gated is A[r,:] = scale[r] * act(H[r,:]).
//
//	H [N,Width(F)]: for SwiGLU columns 0..F-1 are g and F..2F-1 are u   A [N,F]   Scale [N] or none
//
// Rows from Rows[0] on are left alone when Rows (I32 [1]) is given: the number of routed rows may live on a device. With Halves (see Backend) H and A may be BF16,
// each for itself.
type Gated struct {
	A, H, Scale, Rows tensor.Tensor
	Gate              Gate
}

// GatedGrad is the gradient of Gated with respect to H and to the row scale. With a = act(H[act(c),:]) and s = Scale[act(c)]
// (1 without Scale):
//
//	dH[c,:]    (=|+=) s * act'(H[act(c),:]) * dA[c,:]
//	dScale[c]  =  <dA[c,:], a>          (only when DScale is given)
//
//	H [N,Width(F)]  DA [C,F]  DH [C,Width(F)]  Act I32 [C] or none  Scale [N] or none  DScale [C] or none
//	Rows I32 [1] or none: number of valid cotangent rows; the rows of DH and DScale from there on are left alone
//
// Accumulate concerns DH; DScale is overwritten. Without Accumulate DH may be the same memory as DA for the gates of width F, and without Act too as
// H for every gate. With Halves (see Backend) H may be BF16,
// and DH too without Accumulate.
type GatedGrad struct {
	DH, DScale, H, DA, Act, Scale, Rows tensor.Tensor
	Gate                                Gate
	Accumulate                          bool
}

// RowScale is Dst[c,:] (=|+=) S[act(c)] * Y[c,:].
//
//	S [N]  Y, Dst [C,D]  Act I32 [C] or none
type RowScale struct {
	Dst, S, Y, Act tensor.Tensor
	Accumulate     bool
}

// RowDot is Dst[c] (=|+=) <X[act(c),:], Y[c,:]>.
//
//	X [N,D]  Y [C,D]  Dst [C]  Act I32 [C] or none
type RowDot struct {
	Dst, X, Y, Act tensor.Tensor
	Accumulate     bool
}

// Dropout is Dst[c,j] (=|+=) X[c,j] / (1-P) with probability 1-P, and (=|+=) 0 otherwise.
//
// The decision for element j of activation row a = act(c) is word j%4 of the Philox block of Key.Key at the counter
// (hi = Keys[a,0] | Keys[a,1]<<32 as unsigned halves, lo = j/4): it is kept when that word >= P*2^32. It depends on the row's
// key and on nothing else, so batches may be cut and stacked freely and nothing is saved for the backward pass, which is
// the same op on cotangents.
//
//	X, Dst [C,D]  Keys I32 [N,2]  Act I32 [C] or none  0 <= P < 1
type Dropout struct {
	Dst, X, Keys, Act tensor.Tensor
	Key               rng.Stream
	P                 float64
	Accumulate        bool
}

// AddByRow is Dst[i,:] = X[i,:] + Table[Row[i],:]; a negative row adds nothing. Dst may be X.
//
//	X, Dst [N,D]  Table [V,D]  Row I32 [N]
type AddByRow struct{ Dst, X, Table, Row tensor.Tensor }

// Noise fills Dst with standard normal numbers: element (i,j) is the Box-Muller value sqrt(-2 ln u) cos(2 pi v) of words
// w0 and w2 of the Philox block of Key.Key at the counter (hi = Keys[i,0] | Keys[i,1]<<32 as unsigned halves, lo = j), with
// u = (w0 + 1) / 2^32 and v = w2 / 2^32, computed in float64 and rounded once: near u = 1 float32 has too few digits.
//
//	Dst [N,E]  Keys I32 [N,2]
type Noise struct {
	Dst, Keys tensor.Tensor
	Key       rng.Stream
}
