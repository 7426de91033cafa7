package cuda_test

import (
	"math"
	"slices"
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda"
	"artel/kernels/cuda/emu"
	"artel/tensor"
)

// fractions returns numbers of [-1,1] that bfloat16 holds, on the device in an element type.
func fractions(be *kernels.Backend, typ dtype.Type, seed uint64, shape ...int) tensor.Tensor {
	h := integersOf(seed, shape...)
	for i, v := range h.F32() {
		h.F32()[i] = v / 4
	}
	dev := be.New(typ, shape...)
	be.Copy(kernels.Copy{Dst: dev, Src: h})
	return dev
}

// bank is an example of both ops of experts.
type bank struct {
	gated kernels.GroupedGated
	grad  kernels.GroupedGatedGrad
}

func newBank(be *kernels.Backend, typ dtype.Type, gate kernels.Gate, transposed, indexed bool, k, width int) *bank {
	rows, groups := int(groupedOff[len(groupedOff)-1]), len(groupedOff)-1
	ints := func(n int, f func(i int) int32) tensor.Tensor {
		t := be.NewShared(dtype.I32, n)
		for i := range n {
			t.I32()[i] = f(i)
		}
		return t
	}
	matrices := func(seed uint64, k, n int) tensor.Tensor {
		if transposed {
			return fractions(be, typ, seed, groups, n, k).Swap(1, 2)
		}
		return fractions(be, typ, seed, groups, k, n)
	}
	off := ints(groups+1, func(i int) int32 { return groupedOff[i] })
	wide := gate.Width(width)
	b := &bank{}
	b.gated = kernels.GroupedGated{X: fractions(be, typ, 1, rows, k), B: matrices(2, k, wide), H: be.New(typ, rows, wide), A: be.New(typ, rows, width), Off: off, Gate: gate}
	b.grad = kernels.GroupedGatedGrad{DY: fractions(be, typ, 3, rows, k), B: matrices(4, k, width), Off: off, H: fractions(be, typ, 5, rows, wide), Scale: fractions(be, dtype.F32, 6, rows), Gate: gate,
		DH: be.New(typ, rows, wide), DScale: be.New(dtype.F32, rows), DA: be.New(dtype.F32, rows, width)}
	if indexed {
		b.gated.Index = ints(rows, func(i int) int32 { return int32((i*37 + 11) % rows) })
		b.grad.Index = b.gated.Index
		b.grad.Act = ints(rows, func(i int) int32 { return int32((i*7 + 1) % rows) })
	} else {
		b.grad.A = be.New(typ, rows, width)
	}
	return b
}

// run runs both ops and returns what they wrote.
func (b *bank) run(be *kernels.Backend, e kernels.Experts) (out [][]float32) {
	results := []tensor.Tensor{b.gated.H, b.gated.A, b.grad.DH, b.grad.DScale}
	if b.grad.A.Ok() {
		results = append(results, b.grad.A)
	}
	for _, t := range results {
		be.Fill(t, -1)
	}
	e.GroupedGated(b.gated)
	e.GroupedGatedGrad(b.grad)
	for _, t := range results {
		out = append(out, download(be, t))
	}
	return out
}

// TestWarpgroupExperts compares every tile of the experts' kernels with the ops that they unite: the pre-activation to the bit, what functions make of it closely.
func TestWarpgroupExperts(t *testing.T) {
	plain, checked := hopper(t, emu.Options{}, nil), hopper(t, emu.Options{Sanitize: true}, nil)
	for i, tile := range plain.Tiles() {
		if tile == [2]int{64, 128} {
			continue // its warpgroups have no room for halves
		}
		for variant := range 4 {
			be, typ, gate := plain, dtype.F32, kernels.SwiGLU
			if variant == i {
				be = checked
			}
			if variant == 2 {
				typ = dtype.BF16
			}
			if variant == 3 {
				gate = kernels.GELUAct
			}
			example := func(typ dtype.Type) *bank {
				return newBank(be.Backend, typ, gate, variant&1 > 0, variant&2 > 0, 70, 135+variant)
			}
			compareExperts(t, be, i, example(typ), example(dtype.F32))
		}
	}
}

func compareExperts(t *testing.T, be *cuda.Warpgroups, tile int, b, single *bank) {
	t.Helper()
	be.Choose(tile)
	got := b.run(be.Backend, be.Experts)
	be.Units(1)
	again := b.run(be.Backend, be.Experts)
	be.Units(132)
	want := single.run(be.Backend, kernels.Composed(be.Linear, be.Elementwise))
	if err := be.Sync(); err != nil {
		t.Fatal(err)
	}
	limit := 2e-6
	if b.gated.A.Type == dtype.BF16 {
		limit = 1.0 / 128
	}
	for i, name := range []string{"H", "A", "DH", "DScale", "A of the gradient"}[:len(got)] {
		if !slices.Equal(got[i], again[i]) {
			t.Errorf("%v: %s depends on the grid", be.Tiles()[tile], name)
		}
		if i == 0 && b.gated.H.Type == dtype.F32 && !slices.Equal(got[i], want[i]) {
			t.Errorf("%v: H is not that of the product", be.Tiles()[tile])
		}
		size := 0.0
		for _, v := range want[i] {
			size = max(size, math.Abs(float64(v)))
		}
		for j, v := range want[i] {
			if d := math.Abs(float64(got[i][j] - v)); !(d <= limit*(math.Abs(float64(v))+size/16)) {
				t.Errorf("%v, %s at %d: got %v, want %v", be.Tiles()[tile], name, j, got[i][j], v)
				break
			}
		}
	}
}
