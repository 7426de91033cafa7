// Package kerneltest is the conformance suite of kernel backends: RunAll proves that a backend computes what the op
// contracts of package kernels say.
//
// Every case builds inputs from a counter-based random stream, rounds them to the backend's float type, runs the op on
// the backend and, on float64 copies of the same memory, on kernels/ref, and compares. The comparison covers whole
// storages, guard words and gaps between strided rows included: an element is either an output of the op (compared
// within a tolerance, I32 and pure moves exactly) or must hold the bits that it held before. Outputs hold NaN at first,
// so that an op that adds where it should overwrite shows. Each case runs several times, for several worker counts when
// the backend has a hook for them, and must give the same bits.
package kerneltest

import (
	"fmt"
	"testing"

	"artel/kernels"
	"artel/rng"
	"artel/tensor"
)

// Options adjusts the suite to a backend. The zero value suits a backend in host memory.
type Options struct {
	// SetWorkers sets the number of threads; results must be the same bits for 1, 2, 3 and 8 as for the number set before.
	// Every case leaves it at 1.
	SetWorkers func(int)
	// Transfer copies all elements of src to dst of the same type and length, where one of them is on the host and the
	// other came from the backend's Alloc. Without it the backend's Copy does that.
	Transfer func(dst, src *tensor.Storage) error
	// RequireAll makes an op that the backend lacks a failure instead of a skip.
	RequireAll bool
	// MaxWork leaves out cases of more than so many elements or multiply-adds, for backends that are emulated; 0 keeps all.
	MaxWork int
	// Every runs one case in so many, for backends that are emulated; 1 runs all, and so does 0 without -short.
	Every int
}

// RunAll tests every op of b in a subtest of the op's name. Ops that b lacks are skipped.
func RunAll(t *testing.T, b *kernels.Backend) { RunWith(t, b, Options{}) }

// RunWith is RunAll with options. With -short it runs one case in four.
func RunWith(t *testing.T, b *kernels.Backend, o Options) {
	if testing.Short() && o.Every == 0 {
		o.Every = 4
	}
	lacks := map[string]bool{}
	for _, op := range b.Missing() {
		lacks[op] = true
	}
	for _, e := range opTests() {
		t.Run(e.op, func(t *testing.T) {
			switch {
			case !lacks[e.op]:
				e.run(&suite{t: t, b: b, o: o, stream: rng.New(20).Sub(e.op)})
			case o.RequireAll:
				t.Errorf("backend %s lacks %s", b.Name, e.op)
			default:
				t.Skipf("backend %s lacks %s", b.Name, e.op)
			}
		})
	}
}

// opTest is the test of one op.
type opTest struct {
	op   string
	test func(*suite)
}

// opTests lists the tests in the order of the contract.
func opTests() []opTest {
	return []opTest{
		{"Alloc", testAlloc}, {"AllocShared", testAllocShared}, {"Sync", testSync}, {"Submit", testSubmit}, {"Wait", testSubmit}, {"Call", testCall}, {"Keep", testKeep}, {"Notes", testNotes},
		{"Fill", testFill}, {"Copy", testCopy}, {"Axpy", testAxpy},
		{"GatherRows", testGatherRows}, {"ScatterRows", testScatterRows}, {"GatherCols", testGatherCols}, {"ScatterCols", testScatterCols},
		{"GEMM", testGEMM}, {"GroupedGEMM", testGroupedGEMM}, {"GradW", testGradW}, {"GradB", testGradB},
		{"GroupedGated", testGroupedGated}, {"GroupedGatedGrad", testGroupedGatedGrad},
		{"Embed", testEmbed}, {"EmbedGrad", testEmbedGrad},
		{"Map", testMap}, {"MapGrad", testMapGrad}, {"Mul", testMul}, {"Gated", testGated}, {"GatedGrad", testGatedGrad},
		{"RowScale", testRowScale}, {"RowDot", testRowDot}, {"Dropout", testDropout}, {"Noise", testNoise},
		{"AddByRow", testAddByRow},
		{"RMSNorm", testRMSNorm}, {"RMSNormGrad", testRMSNormGrad}, {"LayerNorm", testLayerNorm},
		{"LayerNormGrad", testLayerNormGrad}, {"Softmax", testSoftmax}, {"SoftmaxGrad", testSoftmaxGrad},
		{"CrossEntropy", testCrossEntropy}, {"BCE", testBCE}, {"Regression", testRegression},
		{"Balance", testBalance}, {"ZLoss", testZLoss}, {"Metrics", testMetrics},
		{"TopK", testTopK}, {"TopKGrad", testTopKGrad}, {"RoutePlan", testRoutePlan}, {"GatherSum", testGatherSum},
		{"RowNormalize", testRowNormalize}, {"RowNormalizeGrad", testRowNormalizeGrad}, {"CountPicks", testCountPicks},
		{"Gram", testGram}, {"CrossGram", testCrossGram}, {"Combine", testCombine}, {"SumSquares", testSumSquares},
		{"GradDrop", testGradDrop}, {"TrimmedMean", testTrimmedMean}, {"Track", testTrack}, {"Excess", testExcess}, {"MaskRows", testMaskRows}, {"Select", testSelect}, {"Saliency", testSaliency}, {"CellGram", testCellGram},
		{"Settle", testSettle}, {"Check", testCheck}, {"Clip", testClip},
		{"SGD", testSGD}, {"Adam", testAdam}, {"Lion", testLion},
	}
}

// suite is the test of one op on one backend.
type suite struct {
	t      *testing.T
	b      *kernels.Backend
	o      Options
	stream rng.Stream
	cases  uint64
	failed int

	halves        halves // tensors that are BF16
	share, shares int    // which of how many parts of the cases this combination runs; all without shares
}

// maxFailures ends an op's test: the first few failures tell as much as hundreds.
const maxFailures = 8

// errorf reports a failure of a case.
func (s *suite) errorf(c *testCase, format string, args ...any) {
	s.t.Helper()
	s.t.Errorf("%s: %s", c.name, fmt.Sprintf(format, args...))
	if s.failed++; s.failed == maxFailures {
		s.t.Fatal("too many failures")
	}
}

// leftOut tells whether the options leave out a case that holds so many elements.
func (s *suite) leftOut(elements int) bool {
	if s.shares > 0 && s.cases/uint64(max(s.o.Every, 1))%uint64(s.shares) != uint64(s.share) {
		return true
	}
	return s.tooBig(elements) || s.o.Every > 1 && s.cases%uint64(s.o.Every) != 0
}

// tooBig tells whether a case of the given multiply-adds is to be left out.
func (s *suite) tooBig(work int) bool { return s.o.MaxWork > 0 && work > s.o.MaxWork }
