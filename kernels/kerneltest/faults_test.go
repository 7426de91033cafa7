package kerneltest

import (
	"math"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/tensor"
)

// fault is a way to break one op of a correct backend.
type fault struct {
	name, op string
	half     bool // of a backend that takes BF16 operands
	wreck    func(b *kernels.Backend)
}

// faults are mistakes that fast kernels make. A suite that lets one pass is broken.
func faults() []fault {
	return []fault{
		{"writes past the row", "GEMM", false, func(b *kernels.Backend) {
			f := b.GEMM
			b.GEMM = func(a kernels.GEMM) {
				f(a)
				if c := a.C; c.Dim(0) > 0 && c.Dim(1) == 15 {
					wide := c.Strided([]int{c.Dim(0), 16}, []int{c.Stride(0), 1})
					b.Fill(wide.Narrow(1, 15, 1), 0)
				}
			}
		}},
		{"multiplies C by zero", "GEMM", false, func(b *kernels.Backend) {
			f := b.GEMM
			b.GEMM = func(a kernels.GEMM) {
				if !a.Accumulate {
					b.Axpy(kernels.Axpy{Dst: a.C, Src: a.C, Alpha: 0})
					a.Accumulate = true
				}
				f(a)
			}
		}},
		{"keeps weights that changed", "Keep", false, func(b *kernels.Backend) {
			kept := map[*tensor.Storage]*tensor.Storage{}
			b.Keep = func(w *tensor.Storage, on bool) {
				if on && kept[w] == nil {
					kept[w] = b.Alloc(w.Type, w.Len)
					b.Copy(kernels.Copy{Dst: tensor.Of(kept[w], 0, w.Len), Src: tensor.Of(w, 0, w.Len)})
				}
			}
			f := b.GEMM
			b.GEMM = func(a kernels.GEMM) {
				if old := kept[a.B.Storage()]; old != nil {
					a.B = a.B.On(old)
				}
				f(a)
			}
		}},
		{"bias only without accumulate", "GEMM", false, func(b *kernels.Backend) {
			f := b.GEMM
			b.GEMM = func(a kernels.GEMM) {
				if a.Accumulate {
					a.Bias = tensor.Tensor{}
				}
				f(a)
			}
		}},
		{"scales the residual", "GEMM", false, func(b *kernels.Backend) {
			f := b.GEMM
			b.GEMM = func(a kernels.GEMM) {
				scale, residual := a.Scale, a.Residual
				if !scale.Ok() || !residual.Ok() {
					f(a)
					return
				}
				a.Scale = tensor.Tensor{}
				f(a)
				b.RowScale(kernels.RowScale{Dst: a.C, S: scale, Y: a.C})
			}
		}},
		{"keeps what the function made", "GEMM", false, func(b *kernels.Backend) {
			f := b.GEMM
			b.GEMM = func(a kernels.GEMM) {
				f(a)
				if a.Pre.Ok() && a.F == kernels.ReLU {
					b.Map(kernels.Map{Dst: a.Pre, X: a.Pre, F: kernels.ReLU})
				}
			}
		}},
		{"loses the last odd step of k", "GEMM", false, func(b *kernels.Backend) {
			f := b.GEMM
			b.GEMM = func(a kernels.GEMM) {
				if k := a.A.Dim(1); k > 1 && k%2 == 1 {
					a.A, a.B = a.A.Narrow(1, 0, k-1), a.B.Narrow(0, 0, k-1)
				}
				f(a)
			}
		}},
		{"changes an input", "GEMM", false, func(b *kernels.Backend) {
			f := b.GEMM
			b.GEMM = func(a kernels.GEMM) {
				f(a)
				b.Axpy(kernels.Axpy{Dst: a.B.T(), Src: a.B.T(), Alpha: 0.5, Accumulate: true})
			}
		}},
		{"depends on the run", "GEMM", false, func(b *kernels.Backend) {
			f, n := b.GEMM, 0
			b.GEMM = func(a kernels.GEMM) {
				f(a)
				if n++; n%3 == 0 && a.C.Len() > 0 {
					a.C.F64()[0] *= 1 + 0x1p-52
				}
			}
		}},
		{"last row of a group", "GroupedGEMM", false, func(b *kernels.Backend) {
			f := b.GroupedGEMM
			b.GroupedGEMM = func(a kernels.GroupedGEMM) {
				off := append([]int32(nil), a.Off.I32()...)
				for i := range off {
					if i+2 < len(off) && off[i+1]-off[i] == 31 {
						off[i+1]--
					}
				}
				a.Off = tensor.FromI32(off, len(off))
				f(a)
			}
		}},
		{"rows past the end", "GroupedGEMM", false, func(b *kernels.Backend) {
			f := b.GroupedGEMM
			b.GroupedGEMM = func(a kernels.GroupedGEMM) {
				b.Fill(a.C, 0)
				f(a)
			}
		}},
		{"touches destinations without rows", "GradW", false, func(b *kernels.Backend) {
			f := b.GradW
			b.GradW = func(a kernels.GradW) {
				f(a)
				for i := 0; i < a.Segs.Dim(0); i++ {
					s := a.Segs.At(i).I32()
					a.Touched.At(int(s[0])).I32()[int(s[1])*a.Touched.Stride(1)] = 1
				}
			}
		}},
		{"always overwrites", "GradW", false, func(b *kernels.Backend) {
			f := b.GradW
			b.GradW = func(a kernels.GradW) {
				for i := 0; i < a.Segs.Dim(0); i++ {
					part := a
					part.Segs = a.Segs.Narrow(0, i, 1)
					part.Touched = tensor.New(dtype.I32, a.Touched.Dim(0), a.Touched.Dim(1))
					f(part)
				}
				b.Fill(a.Touched, 1)
			}
		}},
		{"adds without zeroing", "EmbedGrad", false, func(b *kernels.Backend) {
			f := b.EmbedGrad
			b.EmbedGrad = func(a kernels.EmbedGrad) {
				b.Fill(a.Touched, 1)
				f(a)
			}
		}},
		{"cotangent row for activation row", "RMSNormGrad", false, func(b *kernels.Backend) {
			f := b.RMSNormGrad
			b.RMSNormGrad = func(a kernels.RMSNormGrad) {
				if a.DX.Ok() && a.DX.Dim(0) <= a.X.Dim(0) {
					a.Act = tensor.Tensor{}
				}
				f(a)
			}
		}},
		{"ignores the number of rows", "GatedGrad", false, func(b *kernels.Backend) {
			f := b.GatedGrad
			b.GatedGrad = func(a kernels.GatedGrad) {
				a.Rows = tensor.Tensor{}
				f(a)
			}
		}},
		{"tanh approximation of gelu", "Map", false, func(b *kernels.Backend) {
			f := b.Map
			b.Map = func(a kernels.Map) {
				f(a)
				if a.F == kernels.GELU {
					b.Axpy(kernels.Axpy{Dst: a.Dst, Src: a.Dst, Alpha: 1e-4, Accumulate: true})
				}
			}
		}},
		{"counter of the stream", "Dropout", false, func(b *kernels.Backend) {
			f := b.Dropout
			b.Dropout = func(a kernels.Dropout) {
				a.Key.Key += a.Key.Lo
				f(a)
			}
		}},
		{"overwrites the loss", "CrossEntropy", false, func(b *kernels.Backend) {
			f := b.CrossEntropy
			b.CrossEntropy = func(a kernels.CrossEntropy) {
				b.Fill(a.Loss, 0)
				f(a)
			}
		}},
		{"ties to the higher column", "TopK", false, func(b *kernels.Backend) {
			f := b.TopK
			b.TopK = func(a kernels.TopK) {
				f(a)
				for i := 0; i < a.X.Dim(0); i++ {
					x, idx := a.X.At(i).F64(), a.Index.At(i).I32()
					if j := idx[0]; int(j)+1 < len(x) && x[j+1] == x[j] {
						idx[0]++
					}
				}
			}
		}},
		{"drops the first pick", "RoutePlan", false, func(b *kernels.Backend) {
			f := b.RoutePlan
			b.RoutePlan = func(a kernels.RoutePlan) {
				f(a)
				if p := a.Plan; a.Capacity == 1 && p.Slot.Len() > 1 {
					p.Slot.I32()[0]++
				}
			}
		}},
		{"reads absent tasks", "Gram", false, func(b *kernels.Backend) {
			f := b.Gram
			b.Gram = func(a kernels.Gram) {
				a.Present = tensor.FromI32(make([]int32, a.Present.Len()), a.Present.Len())
				b.Fill(a.Present, 1)
				f(a)
			}
		}},
		{"sign of zero", "Lion", false, func(b *kernels.Backend) {
			f := b.Lion
			b.Lion = func(a kernels.Lion) {
				p, m, g := a.P.F64(), a.M.F64(), a.G.F64()
				for i := range p {
					if m[i] == 0 && g[i] == 0 {
						p[i] -= a.LR
					}
				}
				f(a)
			}
		}},
		{"takes absent tasks for present", "Settle", false, func(b *kernels.Backend) {
			f := b.Settle
			b.Settle = func(a kernels.Settle) {
				a.Active = tensor.Tensor{}
				f(a)
			}
		}},
		{"leaves rows of present tasks", "Settle", false, func(b *kernels.Backend) {
			f := b.Settle
			b.Settle = func(a kernels.Settle) {
				a.Rows = tensor.Tensor{}
				f(a)
			}
		}},
		{"opens a gate again", "Check", false, func(b *kernels.Backend) {
			f := b.Check
			b.Check = func(a kernels.Check) {
				a.Gate.F64()[0] = 1
				f(a)
			}
		}},
		{"leaves the gate open", "Clip", false, func(b *kernels.Backend) {
			f := b.Clip
			b.Clip = func(a kernels.Clip) {
				gate := a.Gate.F64()[0]
				f(a)
				a.Gate.F64()[0] = gate
			}
		}},
		{"writes behind a closed gate", "Axpy", false, func(b *kernels.Backend) {
			f := b.Axpy
			b.Axpy = func(a kernels.Axpy) {
				if a.By.Ok() && math.IsNaN(a.By.F64()[0]) {
					a.By = tensor.Tensor{}
				}
				f(a)
			}
		}},
		{"decay before the gradient is read", "Adam", false, func(b *kernels.Backend) {
			f := b.Adam
			b.Adam = func(a kernels.Adam) {
				a.Decoupled = false
				f(a)
			}
		}},
	}
}

// halfFaults are mistakes with tensors of bfloat16 numbers.
func halfFaults() []fault {
	return []fault{
		{"cuts instead of rounding", "GroupedGEMM", true, func(b *kernels.Backend) {
			f := b.GroupedGEMM
			b.GroupedGEMM = func(a kernels.GroupedGEMM) {
				half := a.C
				if half.Type != dtype.BF16 {
					f(a)
					return
				}
				a.C = tensor.New(dtype.F64, half.Shape()...)
				f(a)
				for r := range int(a.Off.I32()[a.Off.Len()-1]) {
					set, get := setter(half.At(r)), getter(a.C.At(r))
					for j := range half.Dim(1) {
						set(j, float64(math.Float32frombits(math.Float32bits(float32(get(j)))&^0xFFFF)))
					}
				}
			}
		}},
		{"activation of unrounded numbers", "GroupedGated", true, func(b *kernels.Backend) {
			f := b.GroupedGated
			b.GroupedGated = func(a kernels.GroupedGated) {
				half, n := a.H, int(a.Off.I32()[a.Off.Len()-1])
				if half.Type == dtype.BF16 {
					a.H = tensor.New(dtype.F64, half.Shape()...)
				}
				f(a)
				if half.Type == dtype.BF16 {
					b.Copy(kernels.Copy{Dst: half.Narrow(0, 0, n), Src: a.H.Narrow(0, 0, n)})
				}
			}
		}},
		{"swaps neighbours of an odd depth", "GradW", true, func(b *kernels.Backend) {
			f := b.GradW
			b.GradW = func(a kernels.GradW) {
				if x := a.X; x.Type == dtype.BF16 && x.Dim(1)%2 == 1 && x.Dim(1) > 1 {
					a.X = tensor.New(dtype.F64, x.Shape()...)
					for j := range x.Dim(1) {
						b.Copy(kernels.Copy{Dst: a.X.Narrow(1, j, 1), Src: x.Narrow(1, min(j^1, x.Dim(1)-1), 1)})
					}
				}
				f(a)
			}
		}},
	}
}

// TestFaultsAreFound runs the suite on broken backends in a second process, where it must fail, once for each fault.
func TestFaultsAreFound(t *testing.T) {
	if os.Getenv(faultyRun) == "" {
		expectFailures(t, len(faults())+len(halfFaults()))
		return
	}
	for _, f := range append(faults(), halfFaults()...) {
		t.Run(f.name, func(t *testing.T) {
			b := ref.New()
			if f.half {
				b = ref.BF16()
			}
			f.wreck(b)
			testOp(t, b, f.op)
		})
	}
}

// faultyRun is set in the environment of the process that runs the suite on broken backends.
const faultyRun = "KERNELTEST_FAULTY_RUN"

// expectFailures runs the calling test again in a process of its own and wants n failing subtests.
func expectFailures(t *testing.T, n int) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs parts of the suite many times")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-rapid.nofailfile")
	cmd.Env = append(os.Environ(), faultyRun+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("the suite passes broken backends")
	}
	lines := regexp.MustCompile(`--- (PASS|FAIL): [^ ]*/.*|panic.*`).FindAllString(string(out), -1)
	failed := 0
	for _, l := range lines {
		if strings.HasPrefix(l, "--- FAIL") {
			failed++
		}
	}
	if failed != n {
		t.Errorf("%d of %d faults found:\n%s", failed, n, strings.Join(lines, "\n"))
	}
}

// TestEveryOpHasATest compares the suite with the contract.
func TestEveryOpHasATest(t *testing.T) {
	have := map[string]bool{}
	for _, e := range opTests() {
		have[e.op] = true
	}
	ops := new(kernels.Backend).Missing()
	for _, op := range ops {
		if !have[op] {
			t.Errorf("op %s has no test", op)
		}
	}
	if len(have) != len(ops) {
		t.Errorf("%d tests for %d ops", len(have), len(ops))
	}
}
