package emu_test

import (
	"math"
	"slices"
	"testing"

	"artel/kernels/cuda/emu"
)

func libraries(t *testing.T) (*rig, *emu.Module) {
	r := newRig(t, emu.Options{Sanitize: true})
	return r, r.load("libraries.sm_90.ptx")
}

// TestTiles multiplies small integers through the fragments of nvcuda::wmma: types, shapes, layouts and leading dimensions.
func TestTiles(t *testing.T) {
	x := func(i, k int) float32 { return float32((i*3+k*5)%11 - 5) }
	y := func(k, j int) float32 { return float32((k*7+j*2)%13 - 6) }
	z := func(i, j int) float32 { return float32((i+j*3)%7 - 3) }
	fill := func(n int, f func(i int) float32) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = f(i)
		}
		return out
	}
	brains := func(v []float32) []uint16 {
		out := make([]uint16, len(v))
		for i, x := range v {
			out[i] = uint16(math.Float32bits(x) >> 16)
		}
		return out
	}
	bytes := func(v []float32) []int8 {
		out := make([]int8, len(v))
		for i, x := range v {
			out[i] = int8(x)
		}
		return out
	}
	words := func(v []float32) []int32 {
		out := make([]int32, len(v))
		for i, x := range v {
			out[i] = int32(x)
		}
		return out
	}
	for _, c := range []struct {
		name         string
		m, n, k      int
		a, b, c, got any
		scale        float32
	}{
		{"tile_f16", 16, 16, 16, halves(fill(16*24, func(i int) float32 { return x(i/24, i%24) })), halves(fill(256, func(i int) float32 { return y(i%16, i/16) })), fill(256, func(i int) float32 { return z(i/16, i%16) }), make([]float32, 256), 2},
		{"tile_f16_half", 8, 32, 16, halves(fill(128, func(i int) float32 { return x(i%8, i/8) })), halves(fill(512, func(i int) float32 { return y(i/32, i%32) })), halves(fill(256, func(i int) float32 { return z(i/32, i%32) })), make([]uint16, 256), 1},
		{"tile_bf16", 32, 8, 16, brains(fill(512, func(i int) float32 { return x(i/16, i%16) })), brains(fill(128, func(i int) float32 { return y(i/8, i%8) })), fill(256, func(i int) float32 { return z(i/8, i%8) }), make([]float32, 256), 1},
		{"tile_tf32", 16, 16, 8, fill(128, func(i int) float32 { return x(i/8, i%8) }), fill(128, func(i int) float32 { return y(i/16, i%16) }), fill(256, func(i int) float32 { return z(i/16, i%16) }), make([]float32, 256), 1},
		{"tile_s8", 16, 16, 16, bytes(fill(256, func(i int) float32 { return x(i/16, i%16) })), bytes(fill(256, func(i int) float32 { return y(i%16, i/16) })), words(fill(256, func(i int) float32 { return z(i/16, i%16) })), make([]int32, 256), 1},
	} {
		r, m := libraries(t)
		p := r.put(c.c)
		n := r.launch(r.fn(m, c.name), d1(1), d1(32), 0, r.put(c.a), r.put(c.b), p)
		r.get(p, c.got)
		if n.TensorFLOPs != uint64(2*c.m*c.n*c.k) {
			t.Errorf("%s: %d FLOP", c.name, n.TensorFLOPs)
		}
		for i := range c.m {
			for j := range c.n {
				want := z(i, j)
				for k := range c.k {
					want += x(i, k) * y(k, j)
				}
				want *= c.scale
				ok := false
				switch got := c.got.(type) {
				case []float32:
					ok = got[i*c.n+j] == want
				case []uint16:
					ok = got[i*c.n+j] == halves([]float32{want})[0]
				case []int32:
					ok = got[i*c.n+j] == int32(want)
				}
				if !ok {
					t.Fatalf("%s: D[%d,%d] is not %v", c.name, i, j, want)
				}
			}
		}
	}
}

func TestCooperativeGroups(t *testing.T) {
	r, m := libraries(t)
	in := make([]int32, 96)
	for i := range in {
		in[i] = int32(i*37%50 - 20)
	}
	p := r.alloc(4 * 4 * len(in))
	r.launch(r.fn(m, "groups"), d1(1), d1(len(in)), 0, p, r.put(in))
	got := make([]int32, 4*len(in))
	r.get(p, got)
	for i := range in {
		warp, eight := in[i/32*32:i/32*32+32], in[i/8*8:i/8*8+8]
		want := []int32{0, 0, slices.Max(eight), -1}
		thirds, before := int32(0), int32(0)
		for j, v := range warp {
			want[0] += v
			if v%3 == 0 {
				if thirds++; j < i%32 {
					before++
				}
			}
		}
		for _, v := range eight[:i%8+1] {
			want[1] += v
		}
		if in[i]%3 == 0 {
			want[3] = thirds*100 + before
		}
		if !slices.Equal(got[4*i:4*i+4], want) {
			t.Fatalf("thread %d: got %v, want %v", i, got[4*i:4*i+4], want)
		}
	}
}

func TestBarriersAndPipelines(t *testing.T) {
	r, m := libraries(t)
	p := r.alloc(4 * 3 * 128)
	r.launch(r.fn(m, "arrivals"), d1(1), d1(128), 0, p)
	got := make([]float32, 3*128)
	r.get(p, got)
	for i, v := range got {
		if want := float32(127 - i%128 + i/128); v != want {
			t.Fatalf("arrivals: element %d is %v, want %v", i, v, want)
		}
	}
	const n = 5
	in := randoms(n*128, 8)
	r.launch(r.fn(m, "pipeline"), d1(1), d1(128), 0, p, r.put(in), n)
	r.get(p, got)
	for i := range 128 {
		want := 0.0
		for k := range n {
			want += float64(in[k*128+127-i]) * float64(k+1)
		}
		near(t, "pipeline", float64(got[i]), want, 1e-5)
	}
}

func TestBlockSort(t *testing.T) {
	r, m := libraries(t)
	in := make([]int32, 512)
	for i := range in {
		in[i] = int32(i*7919%4001 - 2000)
	}
	p := r.alloc(4 * 5 * 128)
	r.launch(r.fn(m, "sorted"), d1(1), d1(128), 0, p, r.put(in))
	got := make([]int32, 5*128)
	r.get(p, got)
	want := slices.Sorted(slices.Values(in))
	before := int32(0)
	for i := range 128 {
		if !slices.Equal(got[5*i:5*i+4], want[4*i:4*i+4]) || got[5*i+4] != before {
			t.Fatalf("thread %d: got %v, want %v and %d", i, got[5*i:5*i+5], want[4*i:4*i+4], before)
		}
		before += want[4*i] & 7
	}
}

// TestEightBits: conversion to eight bits and back gives the nearest of all numbers of the format.
func TestEightBits(t *testing.T) {
	r, m := libraries(t)
	in := append(randoms(60, 9), 1000, -1e9, 0.001, 3e-6)
	p := r.alloc(8 * len(in))
	r.launch(r.fn(m, "eights"), d1(1), d1(len(in)), 0, p, r.put(in))
	got := make([]float32, 2*len(in))
	r.get(p, got)
	for f, format := range []struct{ mantissa, least, top int }{{3, -6, 448}, {2, -14, 57344}} {
		var all []float64
		for e := format.least - 1; e < 16; e++ {
			for k := range 1 << format.mantissa {
				v := math.Ldexp(float64(k+1<<format.mantissa), e-format.mantissa)
				if e < format.least {
					v = math.Ldexp(float64(k), format.least-format.mantissa)
				}
				if v <= float64(format.top) {
					all = append(all, v, -v)
				}
			}
		}
		for i, x := range in {
			best := math.Inf(1)
			for _, v := range all {
				best = min(best, math.Abs(v-float64(x)))
			}
			if d := math.Abs(float64(got[2*i+f]) - float64(x)); d != best {
				t.Errorf("format %d: %v became %v, %v away; the nearest is %v away", f, x, got[2*i+f], d, best)
			}
		}
	}
}
