package emu_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"artel/kernels/cuda/emu"
)

// TestMMAShapes multiplies small integers, exact in every format, with every shape of mma.sync.
func TestMMAShapes(t *testing.T) {
	for _, c := range []struct {
		typ  string
		k, a int // registers of A
		sum  string
	}{{"bf16", 16, 4, "f32"}, {"f16", 16, 4, "f32"}, {"bf16", 8, 2, "f32"}, {"f16", 8, 2, "f32"}, {"tf32", 8, 4, "f32"}, {"tf32", 4, 2, "f32"}, {"f16", 16, 4, "f16"}, {"f16", 8, 2, "f16"},
		{"s8", 32, 4, "s32"}, {"s8", 16, 2, "s32"}} {
		per := map[string]int{"tf32": 1, "s8": 4}[c.typ]
		if per == 0 {
			per = 2
		}
		x := func(i, k int) float32 { return float32((i*3+k*5)%11 - 5) }
		y := func(k, j int) float32 { return float32((k*7+j*2)%13 - 6) }
		word := func(f func(e int) float32) uint32 {
			switch c.typ {
			case "bf16":
				return math.Float32bits(f(0))>>16 | math.Float32bits(f(1))&0xffff0000
			case "f16":
				h := halves([]float32{f(0), f(1)})
				return uint32(h[0]) | uint32(h[1])<<16
			case "s8":
				return uint32(uint8(int8(f(0)))) | uint32(uint8(int8(f(1))))<<8 | uint32(uint8(int8(f(2))))<<16 | uint32(uint8(int8(f(3))))<<24
			}
			return math.Float32bits(f(0))
		}
		var in []uint32
		for l := range 32 {
			g, q := l/4, l%4*per
			step := 4 * per // columns of a register
			for r := range c.a {
				in = append(in, word(func(e int) float32 { return x(g+r%2*8, q+r/2*step+e) }))
			}
			for r := range c.a / 2 {
				in = append(in, word(func(e int) float32 { return y(q+r*step+e, g) }))
			}
		}
		n := c.a * 3 / 2
		load, names := "", []string{}
		for i := range n {
			load += fmt.Sprintf("ld.global.u32 %%r%d, [%%rd5+%d]; ", 10+i, 4*i)
			names = append(names, fmt.Sprintf("%%r%d", 10+i))
		}
		// C is 1 everywhere; D has four registers, or two of f16 pairs.
		one, sums, kind := "0x3f800000", []string{"%r40", "%r41", "%r42", "%r43"}, c.sum
		switch c.sum {
		case "f16":
			one, sums = "0x3c003c00", sums[:2]
		case "s32":
			one = "1"
		}
		text := fmt.Sprintf("mad.wide.u32 %%rd5, %%r1, %d, %%rd1; %s mad.wide.u32 %%rd6, %%r1, 16, %%rd2; ", 4*n, load)
		for _, s := range sums {
			text += fmt.Sprintf("mov.b32 %s, %s; ", s, one)
		}
		d := "{" + strings.Join(sums, ", ") + "}"
		text += fmt.Sprintf("mma.sync.aligned.m16n8k%d.row.col.%s.%s.%s.%s %s, {%s}, {%s}, %s; ", c.k, kind, c.typ, c.typ, kind, d, strings.Join(names[:c.a], ", "), strings.Join(names[c.a:], ", "), d)
		for i, s := range sums {
			text += fmt.Sprintf("st.global.b32 [%%rd6+%d], %s; ", 4*i, s)
		}
		got := small(t, text, 32, in, 128)
		for l := range 32 {
			for r := range 4 {
				i, j := l/4+r/2*8, l%4*2+r%2
				want := float32(1)
				for k := range c.k {
					want += x(i, k) * y(k, j)
				}
				g := math.Float32frombits(got[4*l+r])
				switch c.sum {
				case "f16":
					g = want
					if v := uint16(got[4*l+r/2] >> (r % 2 * 16)); v != halves([]float32{want})[0] {
						g = float32(math.NaN())
					}
				case "s32":
					g = float32(int32(got[4*l+r]))
				}
				if g != want {
					t.Fatalf("%s k %d: D[%d,%d] = %v, want %v", c.typ, c.k, i, j, g, want)
				}
			}
		}
	}
}

// TestMMAIntegers: unsigned factors, and sums that wrap around or stop.
func TestMMAIntegers(t *testing.T) {
	for _, c := range []struct {
		form string
		c    uint32
		want uint32
	}{
		{"s32.u8.u8.s32", 5, 32*255*255 + 5},
		{"s32.s8.u8.s32", 5, ^uint32(32*255) + 1 + 5},
		{"s32.s8.s8.s32", 5, 32 + 5},
		{"s32.u8.u8.s32", 1<<31 - 1, 1<<31 - 1 + 32*255*255},
		{"satfinite.s32.u8.u8.s32", 1<<31 - 1, 1<<31 - 1},
	} {
		got := small(t, fmt.Sprintf("mov.b32 %%r2, -1; mov.b32 %%r3, %d; mma.sync.aligned.m16n8k32.row.col.%s {%%r4, %%r5, %%r6, %%r7}, {%%r2, %%r2, %%r2, %%r2}, {%%r2, %%r2}, {%%r3, %%r3, %%r3, %%r3}; st.global.u32 [%%rd3], %%r7;", c.c, c.form), 32, nil, 32)
		for l, v := range got {
			if v != c.want {
				t.Fatalf("%s: lane %d: got %d, want %d", c.form, l, int32(v), int32(c.want))
			}
		}
	}
}

// TestMMAHalfRounding: a sum in f16 is rounded once, to nearest even, from the exact sum of small integers.
func TestMMAHalfRounding(t *testing.T) {
	// Every product is 1, so D is C + 16: 2048 + 16, and 4094 + 16 = 4110, halfway between 4108 and 4112: 4112 is even in f16.
	got := small(t, "mov.b32 %r2, 0x3c003c00; mov.b32 %r3, 0x6bff6800; mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%r4, %r5}, {%r2, %r2, %r2, %r2}, {%r2, %r2}, {%r3, %r3}; st.global.u32 [%rd3], %r5;", 32, nil, 32)
	want := uint32(halves([]float32{2064})[0]) | uint32(halves([]float32{4112})[0])<<16
	if got[0] != want {
		t.Errorf("got %#x, want %#x", got[0], want)
	}
}

// TestWGMMAHalf: wgmma with sums in f16 gives the places and the values of the one with sums in f32.
func TestWGMMAHalf(t *testing.T) {
	const body = `mov.u32 %%r2, s; mad.lo.u32 %%r3, %%r1, 4, %%r2; ld.global.u32 %%r4, [%%rd4]; st.shared.u32 [%%r3], %%r4; fence.proxy.async.shared::cta; bar.sync 0;
shr.u32 %%r5, %%r2, 4; cvt.u64.u32 %%rd5, %%r5; or.b64 %%rd5, %%rd5, 0x0000001000080000; setp.eq.u32 %%p1, 0, 0; mov.b32 %%r6, 0x3c003c00; mov.b32 %%r7, 0x40003c00;
%s
wgmma.fence.sync.aligned; wgmma.mma_async.sync.aligned.m64n8k16.%s.f16.f16 {%s}, {%%r6, %%r7, %%r6, %%r7}, %%rd5, %%p1, 1, 1, 0; wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;
%s`
	in := make([]uint32, 128)
	for i := range in { // B [8 columns][16 of k], f16, in two blocks of 8x8
		h := halves([]float32{float32(i%7 - 3), float32(i % 5)})
		in[i] = uint32(h[0]) | uint32(h[1])<<16
	}
	wide := small(t, fmt.Sprintf(body, "mov.f32 %f1, 0f3F800000; mov.f32 %f2, %f1; mov.f32 %f3, %f1; mov.f32 %f4, %f1;", "f32", "%f1, %f2, %f3, %f4",
		"mad.wide.u32 %rd6, %r1, 16, %rd2; st.global.v4.f32 [%rd6], {%f1, %f2, %f3, %f4};"), 128, in, 512)
	half := small(t, fmt.Sprintf(body, "mov.b32 %r8, 0x3c003c00; mov.b32 %r9, %r8;", "f16", "%r8, %r9", "mad.wide.u32 %rd6, %r1, 8, %rd2; st.global.v2.b32 [%rd6], {%r8, %r9};"), 128, in, 256)
	distinct := map[float32]bool{}
	for i, v := range wide {
		x := math.Float32frombits(v)
		distinct[x] = true
		if got := uint16(half[i/2] >> (i % 2 * 16)); got != halves([]float32{x})[0] {
			t.Fatalf("element %d: got %#x, want %v", i, got, x)
		}
	}
	if len(distinct) < 4 {
		t.Errorf("the product has only the values %v", distinct)
	}
}

// TestMMANaN: a product that is not a number has all bits but the sign, whatever went in.
func TestMMANaN(t *testing.T) {
	got := small(t, "mov.b32 %r2, 0xffc1ffc1; mov.f32 %f1, 0fFF812345; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f2, %f3, %f4, %f5}, {%r2, %r2, %r2, %r2}, {%r2, %r2}, {%f1, %f1, %f1, %f1}; mov.b32 %r3, %f5; st.global.u32 [%rd3], %r3;", 32, nil, 32)
	for l, v := range got {
		if v != 0x7fffffff {
			t.Fatalf("lane %d: %#x", l, v)
		}
	}
}

// TestMMAMistakes: forms that do not exist.
func TestMMAMistakes(t *testing.T) {
	for _, form := range []string{"m16n8k16.row.col.f16.bf16.bf16.f16", "m16n8k16.row.col.f16.f16.f16.f32", "m16n8k32.row.col.f32.f16.f16.f32", "m16n8k16.col.row.f32.f16.f16.f32", "m16n8k16.row.col.satfinite.f32.f16.f16.f32", "m16n8k8.row.col.s32.s8.s8.s32"} {
		_, err := emu.New(emu.Options{}).LoadModule("bad.ptx", []byte(".version 8.0\n.target sm_90a\n.address_size 64\n.entry k() { .reg .b32 %r<9>;\nmma.sync.aligned."+form+" {%r1, %r2}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%r1, %r2}; ret; }"))
		if err == nil || !strings.Contains(err.Error(), "not supported") {
			t.Errorf("%s: %v", form, err)
		}
	}
}
