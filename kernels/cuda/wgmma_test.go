package cuda_test

import (
	"bytes"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda"
	"artel/kernels/cuda/emu"
	"artel/kernels/cuda/emu/provider"
	"artel/kernels/kerneltest"
	"artel/rng"
	"artel/tensor"
)

// hopper opens the emulator as a device of compute capability 9.0 whose products run on warpgroups at any size; code is the shipped one when nil.
func hopper(t *testing.T, o emu.Options, code fs.FS) *cuda.Warpgroups {
	t.Helper()
	o.Capability = 90
	drv := provider.New(o)
	drv.Defer()
	be, err := cuda.OpenWarpgroups(drv.API(), code)
	if err != nil {
		t.Fatal(err)
	}
	return be
}

// TestWarpgroups runs the conformance suite of products on the kernels of compute capability 9.0: every op that they have, all types of operands, under all detectors.
func TestWarpgroups(t *testing.T) {
	for _, o := range []emu.Options{{}, {Sanitize: true, GlobalRaces: true}} {
		be := hopper(t, o, nil)
		opts := kerneltest.Options{MaxWork: 1 << 20, Every: sample(43), Transfer: func(dst, src *tensor.Storage) error {
			be.Copy(kernels.Copy{Dst: tensor.Of(dst, 0, dst.Len), Src: tensor.Of(src, 0, src.Len)})
			return be.Sync()
		}}
		if o.Sanitize {
			opts.Every = sample(131)
		}
		only := onlyProducts(be.Backend)
		only.Gated, only.GatedGrad, only.CellGram = nil, nil, nil
		kerneltest.RunWith(t, only, opts)
	}
}

// integers returns integers of [-4,4], of which sums of products are exact, on the host and on the device in an element type.
func integers(be *kernels.Backend, typ dtype.Type, seed uint64, shape ...int) (host []float32, dev tensor.Tensor) {
	h := integersOf(seed, shape...)
	dev = be.New(typ, shape...)
	be.Copy(kernels.Copy{Dst: dev, Src: h})
	return h.F32(), dev
}

func integersOf(seed uint64, shape ...int) tensor.Tensor {
	h := tensor.New(dtype.F32, shape...)
	for i, s := 0, rng.New(seed); i < h.Len(); i++ {
		h.F32()[i] = float32(s.Block(1, uint64(i))[0]%9) - 4
	}
	return h
}

// grouped is a product of ragged groups, one of them empty, whose sizes are no multiples of tiles or steps, deep enough that the ring goes round.
type grouped struct {
	kernels.GroupedGEMM
	want []float32
}

var groupedOff = []int32{0, 130, 130, 135}

func newGrouped(be *kernels.Backend, typ dtype.Type, indexed, deepB bool, n, k int) *grouped {
	rows, groups := int(groupedOff[3]), 3
	g := &grouped{want: make([]float32, rows*n)}
	a, x := integers(be, typ, 1, rows, k)
	shape := []int{groups, k, n}
	if deepB {
		shape = []int{groups, n, k}
	}
	b, y := integers(be, typ, 2, shape...)
	if deepB {
		y = y.Swap(1, 2)
	}
	index := make([]int32, rows)
	for r := range index {
		if index[r] = int32(r); indexed {
			index[r] = int32((r*37 + 11) % rows)
		}
	}
	device := func(v []int32) tensor.Tensor {
		t := be.NewShared(dtype.I32, len(v))
		copy(t.I32(), v)
		return t
	}
	for e := range groups {
		for r := groupedOff[e]; r < groupedOff[e+1]; r++ {
			for p := range k {
				v := a[int(index[r])*k+p]
				for j := range n {
					if deepB {
						g.want[int(r)*n+j] += v * b[(e*n+j)*k+p]
					} else {
						g.want[int(r)*n+j] += v * b[(e*k+p)*n+j]
					}
				}
			}
		}
	}
	g.GroupedGEMM = kernels.GroupedGEMM{A: x, B: y, C: be.New(dtype.F32, rows, n), Off: device(groupedOff)}
	if indexed {
		g.Index = device(index)
	}
	return g
}

func download(be *kernels.Backend, t tensor.Tensor) []float32 {
	h := tensor.New(dtype.F32, t.Shape()...)
	be.Copy(kernels.Copy{Dst: h, Src: t})
	return h.F32()
}

// TestWarpgroupTiles runs every tile with A as it lies and gathered and B in both layouts, one case a tile under the detectors, and wants exact sums, with the tile's
// first case for several numbers of multiprocessors. TestWarpgroupTransposed has the other layouts.
func TestWarpgroupTiles(t *testing.T) {
	plain, checked := hopper(t, emu.Options{}, nil), hopper(t, emu.Options{Sanitize: true}, nil)
	for i, tile := range plain.Tiles() {
		for variant := range 4 {
			indexed, deepB, typ := variant&1 > 0, variant&2 > 0, dtype.BF16
			if (variant+i)%3 == 2 {
				typ = dtype.F32
			}
			be, units := plain, []int{132}
			switch variant {
			case i:
				be = checked
			case 0:
				units = []int{132, 1, 3}
			}
			if testing.Short() && be == plain {
				continue
			}
			be.Choose(i)
			g := newGrouped(be.Backend, typ, indexed, deepB, tile[1]+8-variant, 330)
			for _, n := range units {
				be.Units(n)
				be.Fill(g.C, -1)
				be.GroupedGEMM(g.GroupedGEMM)
				got := download(be.Backend, g.C)
				if err := be.Sync(); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, g.want) {
					t.Errorf("%v, index %v, deep B %v, %v, %d multiprocessors: other numbers than the sums", tile, indexed, deepB, typ, n)
				}
			}
		}
	}
}

// TestWarpgroupTransposed multiplies by A^T, which one tile has kernels for, under the detectors, with B in both layouts, and wants exact sums.
func TestWarpgroupTransposed(t *testing.T) {
	const m, n, k = 200, 136, 330
	be := hopper(t, emu.Options{Sanitize: true}, nil)
	for _, deepB := range []bool{false, true} {
		a, x := integers(be.Backend, dtype.BF16, 1, k, m)
		b, y := integers(be.Backend, dtype.BF16, 2, k, n)
		if deepB {
			b, y = integers(be.Backend, dtype.BF16, 2, n, k)
			y = y.Swap(0, 1)
		}
		want := make([]float32, m*n)
		for i := range m {
			for j := range n {
				for p := range k {
					at := p*n + j
					if deepB {
						at = j*k + p
					}
					want[i*n+j] += a[p*m+i] * b[at]
				}
			}
		}
		c := be.New(dtype.F32, m, n)
		be.GEMM(kernels.GEMM{A: x.Swap(0, 1), B: y, C: c})
		got := download(be.Backend, c)
		if err := be.Sync(); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("deep B %v: other numbers than the sums", deepB)
		}
	}
}

// weights is a gradient of weights over segments of every kind: whole steps and ends, an empty one, two for one destination, gathered rows on either side, a
// destination that holds something already.
type weights struct {
	kernels.GradW
	want []float32
}

func newWeights(be *kernels.Backend, typ dtype.Type, xIndexed, yIndexed, transposed bool, k, n int) *weights {
	const groups, tasks, acts, cots = 2, 2, 330, 300
	segs := [][]int32{{0, 0, 0, 0, 128}, {0, 1, 128, 128, 7}, {1, 0, 135, 135, 0}, {1, 1, 135, 135, 64}, {0, 0, 199, 199, 101}}
	x, xs := integers(be, typ, 3, acts, k)
	y, ys := integers(be, typ, 4, cots, n)
	xi, yi := make([]int32, acts), make([]int32, cots)
	for i := range xi {
		if xi[i] = int32(i); xIndexed {
			xi[i] = int32(i * 7 % acts)
		}
	}
	for i := range yi {
		if yi[i] = int32(i); yIndexed {
			yi[i] = int32((i*11 + 3) % cots)
		}
	}
	w := &weights{want: make([]float32, groups*tasks*k*n)}
	for i := range w.want {
		w.want[i] = -1
	}
	fresh := map[[2]int32]bool{}
	for _, g := range segs {
		to := w.want[int(g[0]*tasks+g[1])*k*n:][:k*n]
		if cell := [2]int32{g[0], g[1]}; g[4] > 0 && cell != [2]int32{1, 1} && !fresh[cell] {
			fresh[cell] = true
			clear(to)
		}
		for r := range g[4] {
			a, b := x[int(xi[g[2]+r])*k:][:k], y[int(yi[g[3]+r])*n:][:n]
			for i, v := range a {
				for j, u := range b {
					if transposed {
						to[j*k+i] += v * u
					} else {
						to[i*n+j] += v * u
					}
				}
			}
		}
	}
	w.GradW = kernels.GradW{X: xs, DY: ys, Segs: be.NewShared(dtype.I32, len(segs), kernels.SegCols), Touched: be.NewShared(dtype.I32, groups, tasks)}
	for i, g := range segs {
		copy(w.Segs.I32()[i*kernels.SegCols:], g)
	}
	if xIndexed {
		w.XIndex = be.NewShared(dtype.I32, acts)
		copy(w.XIndex.I32(), xi)
	}
	if yIndexed {
		w.YIndex = be.NewShared(dtype.I32, cots)
		copy(w.YIndex.I32(), yi)
	}
	if w.Dst = be.New(dtype.F32, groups, tasks, k, n); transposed {
		w.Dst = w.Dst.Reshape(groups, tasks, n, k).Swap(2, 3)
	}
	return w
}

// TestWarpgroupWeights is TestWarpgroupTiles for gradients of weights.
func TestWarpgroupWeights(t *testing.T) {
	plain, checked := hopper(t, emu.Options{}, nil), hopper(t, emu.Options{Sanitize: true}, nil)
	for i, tile := range plain.Tiles() {
		for variant := range 4 {
			xIndexed, yIndexed, typ := variant&1 > 0, variant&2 > 0, dtype.BF16
			if variant == 3 {
				typ = dtype.F32
			}
			be, units := plain, []int{132}
			switch variant {
			case i:
				be = checked
			case 0:
				units = []int{132, 1, 3}
			}
			if testing.Short() && be == plain {
				continue
			}
			be.Choose(i)
			w := newWeights(be.Backend, typ, xIndexed, yIndexed, variant%2 > 0, 72, tile[1]+8-variant)
			whole := w.Dst
			if whole.Stride(3) != 1 {
				whole = whole.Swap(2, 3)
			}
			for _, n := range units {
				be.Units(n)
				be.Fill(w.Dst, -1)
				clear(w.Touched.I32())
				w.Touched.I32()[3] = 1
				be.GradW(w.GradW)
				got := download(be.Backend, whole)
				if err := be.Sync(); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, w.want) {
					t.Errorf("%v, X gathered %v, DY gathered %v, %v, %d multiprocessors: other numbers than the sums", tile, xIndexed, yIndexed, typ, n)
				}
				if got := w.Touched.I32(); !slices.Equal(got, []int32{1, 1, 0, 1}) {
					t.Errorf("touched %v", got)
				}
			}
		}
	}
}

// TestPlantedFaults takes a wait or a fence out of the kernels, which the emulator must notice.
func TestPlantedFaults(t *testing.T) {
	for _, c := range []struct{ what, old, with, want string }{
		{"no fence after copies", "fence.proxy.async.shared::cta;", "", "fence.proxy.async"},
		{"copies are announced too early", "cp.async.wait_group 3;", "cp.async.wait_group 4;", "no barrier lies between"},
		{"a stage is given back too early", "wgmma.wait_group.sync.aligned 1;", "wgmma.wait_group.sync.aligned 2;", "no barrier lies between"},
		{"no wait for bulk copies", `mbarrier.arrive.expect_tx.shared::cta.b64 _, \[(%r[0-9]+)\], %r[0-9]+;`, "mbarrier.arrive.shared::cta.b64 _, [${1}];", "an asynchronous copy to this address is not waited for"},
		{"no fence before products", "wgmma.fence.sync.aligned;", "", "no wgmma.fence"},
		{"no wait for the last product", "wgmma.wait_group.sync.aligned 0;", "", "never waits"},
	} {
		text, err := os.ReadFile("ptx/wgmma.sm_90a.ptx")
		if err != nil {
			t.Fatal(err)
		}
		wrecked := regexp.MustCompile(c.old).ReplaceAll(text, []byte(c.with))
		if bytes.Equal(wrecked, text) {
			t.Fatalf("%s: nothing to take out", c.what)
		}
		be := hopper(t, emu.Options{Sanitize: true}, fstest.MapFS{"wgmma.sm_90a.ptx": {Data: wrecked}})
		be.Choose(3)
		g := newGrouped(be.Backend, dtype.BF16, true, false, 264, 600)
		be.GroupedGEMM(g.GroupedGEMM)
		if err := be.Sync(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want one with %q", c.what, err, c.want)
		}
	}
}
