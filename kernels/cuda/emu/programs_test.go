package emu_test

import (
	"math"
	"math/bits"
	"testing"

	"artel/kernels/cuda/emu"
	"artel/rng"
)

// The programs of testdata/programs.cu were written and compiled without a thought of the emulator; what they compute is known.

func programs(t *testing.T) (*rig, *emu.Module) {
	r := newRig(t, emu.Options{Sanitize: true, Profile: true, Capability: 80})
	return r, r.load("programs.sm_80.ptx")
}

func randoms(n int, seed uint64) []float32 {
	s := rng.New(seed)
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(s.Normal())
	}
	return x
}

func TestBlockSum(t *testing.T) {
	r, m := programs(t)
	x := randoms(1000, 1)
	out := make([]float32, 3)
	p := r.alloc(12)
	r.launch(r.fn(m, "block_sum"), d1(3), d1(96), 0, r.put(x), p, len(x))
	r.get(p, out)
	var want, got float64
	for _, v := range x {
		want += float64(v)
	}
	for _, v := range out {
		got += float64(v)
	}
	near(t, "sum", got, want, 1e-4)
}

func TestScan(t *testing.T) {
	r, m := programs(t)
	x := make([]int32, 200)
	for i := range x {
		x[i] = int32(i*i%17 - 5)
	}
	p := r.alloc(4 * len(x))
	r.launch(r.fn(m, "scan"), d1(1), d1(256), 256*8, r.put(x), p, len(x))
	got := make([]int32, len(x))
	r.get(p, got)
	s := int32(0)
	for i, v := range x {
		if s += v; got[i] != s {
			t.Fatalf("scan[%d] = %d, want %d", i, got[i], s)
		}
	}
}

func TestMatmul(t *testing.T) {
	r, m := programs(t)
	for _, s := range [][3]int{{1, 1, 1}, {16, 16, 16}, {33, 47, 21}} {
		a, b := randoms(s[0]*s[2], 2), randoms(s[2]*s[1], 3)
		p := r.alloc(4 * s[0] * s[1])
		r.launch(r.fn(m, "matmul"), d2((s[1]+15)/16, (s[0]+15)/16), d2(16, 16), 0, r.put(a), r.put(b), p, s[0], s[1], s[2])
		got := make([]float32, s[0]*s[1])
		r.get(p, got)
		for i := range s[0] {
			for j := range s[1] {
				var want float64
				for k := range s[2] {
					want += float64(a[i*s[2]+k]) * float64(b[k*s[1]+j])
				}
				near(t, "c", float64(got[i*s[1]+j]), want, 1e-5)
			}
		}
	}
}

func TestCollatz(t *testing.T) {
	r, m := programs(t)
	x := make([]uint32, 100)
	for i := range x {
		x[i] = uint32(i*7 + 1)
	}
	p := r.alloc(4 * len(x))
	r.launch(r.fn(m, "collatz"), d1(2), d1(64), 0, r.put(x), p, len(x))
	got := make([]int32, len(x))
	r.get(p, got)
	for i, v := range x {
		n := int32(0)
		for w := uint64(v); w != 1; n++ {
			if w&1 != 0 {
				w = 3*w + 1
			} else {
				w /= 2
			}
		}
		if got[i] != n {
			t.Fatalf("collatz(%d) = %d, want %d", v, got[i], n)
		}
	}
}

func branchesTwin(v int32) int32 {
	r := int32(0)
	for k := int32(0); k < 8; k++ {
		switch (v >> k) & 7 {
		case 0:
			r++
		case 1:
			r ^= v
			continue
		case 2:
			r = r*3 + k - 7
		case 3:
			r -= 7
		case 4:
			if r > 100 {
				return -r
			}
			r += 50
		case 5:
			r = int32(bits.OnesCount32(uint32(r)))
		case 6:
			for j := int32(0); j < v&3; j++ {
				r += j * k
			}
		default:
			r = ^r
		}
		if k&1 != 0 {
			r += 2
		}
	}
	return r
}

func TestBranches(t *testing.T) {
	r, m := programs(t)
	s := rng.New(5)
	x := make([]int32, 500)
	for i := range x {
		x[i] = int32(s.Uint64())
	}
	p := r.alloc(4 * len(x))
	r.launch(r.fn(m, "branches"), d1(4), d1(128), 0, r.put(x), p, len(x))
	got := make([]int32, len(x))
	r.get(p, got)
	for i, v := range x {
		if want := branchesTwin(v); got[i] != want {
			t.Fatalf("branches(%#x) = %d, want %d", v, got[i], want)
		}
	}
}

func TestHistogram(t *testing.T) {
	r, m := programs(t)
	x := make([]byte, 5000)
	var want, got [256]uint32
	for i := range x {
		x[i] = byte(i * i / 3)
		want[x[i]]++
	}
	p := r.put(make([]uint32, 256))
	r.launch(r.fn(m, "histogram"), d1(4), d1(128), 0, r.put(x), p, len(x))
	r.get(p, &got)
	if got != want {
		t.Fatalf("got %v\nwant %v", got, want)
	}
}

func TestSoftmax(t *testing.T) {
	r, m := programs(t)
	const rows, cols = 3, 300
	x := randoms(rows*cols, 7)
	p := r.alloc(4 * len(x))
	c := r.launch(r.fn(m, "softmax"), d1(rows), d1(128), 0, r.put(x), p, cols)
	got := make([]float32, len(x))
	r.get(p, got)
	for i := range rows {
		var s float64
		for _, v := range x[i*cols : (i+1)*cols] {
			s += math.Exp(float64(v))
		}
		for j, v := range x[i*cols : (i+1)*cols] {
			near(t, "p", float64(got[i*cols+j]), math.Exp(float64(v))/s, 1e-6)
		}
	}
	// Every row is read three times and written once.
	if want := uint64(4 * rows * cols * 4); c.GlobalBytes != want {
		t.Errorf("%d bytes of global memory, want %d", c.GlobalBytes, want)
	}
	// The sectors at the ends of rows are shared by two rows, but each is touched.
	if want := uint64(2 * rows * cols * 4); c.Footprint != (want/2+31)/32*32*2 {
		t.Errorf("footprint %d, want %d", c.Footprint, want)
	}
}

func TestFunctions(t *testing.T) {
	r, m := programs(t)
	x := append(randoms(60, 8), 0, 1, -1, 30, -30)
	f, g := make([]float32, 8*len(x)), make([]float64, 4*len(x))
	pf, pg := r.alloc(4*len(f)), r.alloc(8*len(g))
	r.launch(r.fn(m, "functions"), d1(3), d1(32), 0, r.put(x), pf, pg, len(x))
	r.get(pf, f)
	r.get(pg, g)
	for i, v := range x {
		d := float64(v)
		want := []float64{math.Exp(d), math.Log(math.Abs(d) + 1), math.Sin(d), math.Cos(d), math.Tanh(d), math.Sqrt(math.Abs(d)), math.Pow(math.Abs(d), 1.5), math.Erf(d)}
		for k := range 8 {
			near(t, "float function", float64(f[i*8+k]), want[(k+i)&7], 1e-6)
		}
		for k, w := range []float64{math.Exp(d), math.Sqrt(math.Abs(d)), d / 3, math.Log(math.Abs(d) + 1)} {
			near(t, "double function", g[i*4+k], w, 1e-14)
		}
	}
}

func TestIntegers(t *testing.T) {
	r, m := programs(t)
	s := rng.New(9)
	x, y := make([]int32, 200), make([]int32, 200)
	for i := range x {
		x[i], y[i] = int32(s.Uint64())>>(i%20), int32(s.Uint64())>>(i%28)|1
	}
	p := r.alloc(64 * len(x))
	r.launch(r.fn(m, "integers"), d1(2), d1(128), 0, r.put(x), r.put(y), p, len(x))
	got := make([]int64, 8*len(x))
	r.get(p, got)
	for i := range x {
		a, b := x[i], y[i]
		hi, _ := bits.Mul64(uint64(int64(a)<<33), uint64(int64(b)<<31))
		h := int64(hi)
		if int64(a)<<33 < 0 {
			h -= int64(b) << 31
		}
		if int64(b)<<31 < 0 {
			h -= int64(a) << 33
		}
		ua, ub := uint32(a), uint32(b)
		perm := uint32(uint8(ua>>8)) | uint32(uint8(ub))<<8 | uint32(uint8(ub>>8))<<16 | uint32(uint8(ua>>16))<<24
		shift := uint(i & 31)
		want := []int64{int64(a / b), int64(a % b), int64(ua / ub), int64(a) * int64(b), h, int64(bits.LeadingZeros32(ua)*100 + bits.TrailingZeros32(ub) + 1),
			int64(bits.Reverse32(ua) ^ perm), (int64(a)<<20)/int64(b|1) + int64(uint32((uint64(ub)<<32|uint64(ua))<<shift>>32))}
		for k := range want {
			if got[i*8+k] != want[k] {
				t.Fatalf("a = %d, b = %d: result %d is %d, want %d", a, b, k, got[i*8+k], want[k])
			}
		}
	}
}

func TestLastBlock(t *testing.T) {
	r, m := programs(t)
	x := randoms(3000, 10)
	out := r.alloc(4)
	for range 2 {
		r.launch(r.fn(m, "last_block"), d1(9), d1(32), 0, r.put(x), r.alloc(36), out, len(x))
		var got float32
		r.get(out, &got)
		var want float64
		for _, v := range x {
			want += float64(v)
		}
		near(t, "sum", float64(got), want, 1e-4)
	}
}

func TestHalves(t *testing.T) {
	r, m := programs(t)
	x := append(randoms(300, 11), 65520, 1e-7, 3e38, -1e-40)
	n := len(x) / 2
	pb, ph, pf := r.alloc(4*n), r.alloc(4*n), r.alloc(8*n)
	r.launch(r.fn(m, "halves"), d1(5), d1(32), 0, r.put(x), pb, ph, pf, n)
	b := make([]uint16, 2*n)
	r.get(pb, b)
	for i, v := range x {
		p := brain(float64(v))
		if got, want := float64(math.Float32frombits(uint32(b[i])<<16)), brain(p*p+p); got != want && !(math.IsInf(want, 0) && math.IsInf(got, 0)) {
			t.Fatalf("bf16 fma of %v: got %v, want %v", v, got, want)
		}
	}
	f := make([]float32, 2*n)
	r.get(pf, f)
	for i := range n - 2 {
		x0, x1 := float64(x[2*i]), float64(x[2*i+1])
		near(t, "sum of two roundings", float64(f[2*i]), 2*x0, 0.01)
		near(t, "difference", float64(f[2*i+1]), x0-x1, 0.01)
	}
}

// brain rounds to eight bits of mantissa, to nearest even, by scaling.
func brain(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) {
		return x
	}
	_, e := math.Frexp(x)
	e = max(e, -125) // subnormal numbers have fewer bits
	r := math.Ldexp(math.RoundToEven(math.Ldexp(x, 8-e)), e-8)
	if math.Abs(r) >= math.Ldexp(1, 128) {
		return math.Inf(int(math.Copysign(1, x)))
	}
	return r
}

// TestWorkers compares results and counts of one worker and of several, bit by bit.
func TestWorkers(t *testing.T) {
	x := randoms(40*333, 13)
	var first []float32
	var counts emu.Counters
	for _, workers := range []int{1, 2, 7} {
		r := newRig(t, emu.Options{Workers: workers, Profile: true, Capability: 80})
		p := r.alloc(4 * len(x))
		c := r.launch(r.fn(r.load("programs.sm_80.ptx"), "softmax"), d1(40), d1(64), 0, r.put(x), p, 333)
		got := make([]float32, len(x))
		r.get(p, got)
		if workers == 1 {
			first, counts = got, c
			continue
		}
		if c != counts {
			t.Errorf("%d workers: counts %+v, want %+v", workers, c, counts)
		}
		for i := range got {
			if math.Float32bits(got[i]) != math.Float32bits(first[i]) {
				t.Fatalf("%d workers: element %d differs", workers, i)
			}
		}
	}
}

func TestUnknownInstruction(t *testing.T) {
	_, err := emu.New(emu.Options{}).LoadModule("new.ptx", []byte(".version 9.0\n.target sm_90\n.address_size 64\n.visible .entry k()\n{\n.reg .b32 %r;\ntcgen05.frob.b32 %r;\n}\n"))
	if err == nil || err.Error() != "new.ptx:7: tcgen05.frob.b32: unknown instruction" {
		t.Errorf("got %v", err)
	}
	if _, err := emu.New(emu.Options{Capability: 80}).LoadModule("new.ptx", []byte(".version 9.0\n.target sm_90a\n.address_size 64\n")); err == nil {
		t.Error("code for sm_90a is taken by a device of capability 8.0")
	}
}
