// Package kernels defines the operations that touch tensor elements. It holds definitions only: one op_*.go file per
// family, each op an argument struct whose doc comment is the specification, and a Backend that is a struct of functions.
//
// Package kernels/ref implements every op by plain float64 loops and is the living definition; kernels/cpu and
// kernels/cuda implement the same contract for speed. Package kernels/kerneltest runs one conformance suite over all.
//
// # Conventions
//
// Dimensions: B batch, T tokens, D width, F expert hidden, E experts, K picks per token, R routed rows, M tasks,
// P parameters, C cotangent rows. "float" is the backend's Float type. Matrices are rank-2 tensors; unless an op says
// otherwise rows may be strided but the last dimension has stride 1, outputs do not overlap inputs, and shapes agree
// (the caller checked them). Accumulate selects between dst = v and dst += v. Every op is deterministic: the same
// inputs give the same bits for any number of threads. An op on zero rows writes no rows; what does not
// depend on rows (offsets and counts of RoutePlan and CountPicks) is written all the same. Indices are in range unless an op
// gives negative ones a meaning.
//
// NaN and infinity propagate as the formulas say. Where a formula multiplies by a factor that is exactly 0 (the derivative
// of ReLU, a dropped element), infinity or NaN on the other side may give 0 or NaN. What is skipped (negative indices,
// absent tasks, rows past a count) is not read.
//
// # Cotangent rows
//
// A backward op works on C cotangent rows that belong to activation rows: the optional tensor Act (I32 [C]) gives the
// activation row of each cotangent row; without it cotangent row c belongs to activation row c. When rows are shared by
// M tasks, C = M*T and the activations are read in place, never copied.
//
// # Segments
//
// Gradients of parameters are cut by task: Segs is an I32 tensor [S,SegCols] whose rows are {group, task, act0, row0, n}:
// cotangent rows row0..row0+n belong to the task and, in order, to activation rows act0..act0+n; group is the expert of
// a bank and 0 elsewhere. Segments with n = 0 are allowed. A destination is dst[group][task]; the Touched tensor (I32,
// indexed like dst, 0 or 1) tells whether a destination holds a gradient already: the first segment of an untouched
// destination overwrites it and sets the flag to 1, later ones add, in the order of the rows of Segs. A segment with n = 0
// is skipped: it neither writes nor sets the flag, so a destination without rows stays untouched. A stride of 0 along the
// task dimension of dst and Touched makes all tasks share one destination.
package kernels

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"artel/dtype"
	"artel/tensor"
)

// SegCols is the number of columns of a segment table: group, task, act0, row0, n.
const SegCols = 5

// Backend is a set of kernels. A nil function is an op that the backend lacks.
type Backend struct {
	Name  string     // "cpu/avx512", "ref"
	Float dtype.Type // element type of parameters, activations and gradients
	// Products is BF16 when GEMM, GroupedGEMM and GradW round the elements of their two operands to bfloat16 first, else Float or not set.
	Products dtype.Type
	// Halves says that tensors which are operands of such products may lie in memory as BF16; see Linear.
	Halves bool

	// Alloc returns zeroed storage that the backend can compute on. With Apart the host does not reach it.
	Alloc func(d dtype.Type, n int) *tensor.Storage
	// AllocShared is Alloc for small tables that the host writes or reads itself. What an op wrote there is read after a Sync, and what the
	// host writes there is written when no op that reads the old content can be under way.
	AllocShared func(d dtype.Type, n int) *tensor.Storage
	// Apart says that ops may still run when they return, in order, on memory of their own. Copy alone has finished when it returns, if one
	// side of it is in the process's own memory.
	Apart bool
	// Sync waits until every op has finished and returns the first error of the device since the last Sync.
	Sync func() error
	// Submit hands the ops so far to the device and returns a ticket for them; tickets grow. Wait waits until the ops of a ticket have finished, as Sync
	// does for all ops, while later ones may be under way.
	Submit func() uint64
	Wait   func(ticket uint64) error
	// Call runs f on the host between the ops before it and those after it, with Apart on another thread and after Call has returned. It sees what the ops before it wrote
	// to shared tables, and those after it see what it writes there; f does not use the backend, and nothing waits for it but they.
	Call func(f func())
	// Keep says that a storage of weights does not change until Keep(w, false), and is read more than once before that: products may keep w, their right operand B,
	// in the form in which they read it. Results are the same bits.
	Keep func(w *tensor.Storage, on bool)
	// Notes returns what the device's compiler said of the kernels since the last call, though they work: warnings.
	Notes func() []string

	Moves
	Linear
	Experts
	Elementwise
	Norms
	Losses
	Routing
	Training
	Steps
	Surgery
}

// New returns a contiguous zeroed tensor in the backend's memory.
func (b *Backend) New(d dtype.Type, shape ...int) tensor.Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return tensor.Of(b.Alloc(d, n), 0, shape...)
}

// NewShared is New for memory that the host reaches too.
func (b *Backend) NewShared(d dtype.Type, shape ...int) tensor.Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return tensor.Of(b.AllocShared(d, n), 0, shape...)
}

// AtOnce makes Sync, Submit, Wait, Call, Keep and Notes those of a backend whose ops have finished when they return.
func (b *Backend) AtOnce() {
	b.Sync, b.Submit, b.Wait = func() error { return nil }, func() uint64 { return 0 }, func(uint64) error { return nil }
	b.Call = func(f func()) { f() }
	b.Notes, b.Keep = func() []string { return nil }, func(*tensor.Storage, bool) {}
}

// Missing lists the ops that b lacks, in the order of the contract.
func (b *Backend) Missing() []string {
	var out []string
	v := reflect.ValueOf(*b)
	for i := 0; i < v.NumField(); i++ {
		f := v.Field(i)
		switch f.Kind() {
		case reflect.Func:
			if f.IsNil() {
				out = append(out, v.Type().Field(i).Name)
			}
		case reflect.Struct:
			for j := 0; j < f.NumField(); j++ {
				if f.Field(j).IsNil() {
					out = append(out, f.Type().Field(j).Name)
				}
			}
		}
	}
	return out
}

// Lacking is Missing without the ops that few runs need, and which these ask for by Require: Saliency and CellGram.
func (b *Backend) Lacking() []string {
	return slices.DeleteFunc(b.Missing(), func(op string) bool { return op == "Saliency" || op == "CellGram" })
}

// Require returns an error that names the ops of want that b lacks.
func (b *Backend) Require(want ...string) error {
	missing := map[string]bool{}
	for _, m := range b.Missing() {
		missing[m] = true
	}
	var lack []string
	for _, w := range want {
		if missing[w] {
			lack = append(lack, w)
		}
	}
	if len(lack) > 0 {
		return fmt.Errorf("kernels: backend %s lacks %s", b.Name, strings.Join(lack, ", "))
	}
	return nil
}
