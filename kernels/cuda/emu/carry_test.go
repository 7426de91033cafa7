package emu_test

import (
	"math/big"
	"testing"

	"artel/rng"
)

// TestCarry adds, subtracts and multiplies numbers of several words, in words of 32 and of 64 bits.
func TestCarry(t *testing.T) {
	const body = `
mad.wide.u32 %rd5, %r1, 32, %rd1; mad.wide.u32 %rd6, %r1, 80, %rd2;
ld.global.v4.u32 {%r10, %r11, %r12, %r13}, [%rd5]; ld.global.v4.u32 {%r14, %r15, %r16, %r17}, [%rd5+16];
add.cc.u32 %r20, %r10, %r14; addc.cc.u32 %r21, %r11, %r15; addc.cc.u32 %r22, %r12, %r16; addc.u32 %r23, %r13, %r17; st.global.v4.u32 [%rd6], {%r20, %r21, %r22, %r23};
sub.cc.u32 %r20, %r10, %r14; subc.cc.u32 %r21, %r11, %r15; subc.cc.u32 %r22, %r12, %r16; subc.u32 %r23, %r13, %r17; st.global.v4.u32 [%rd6+16], {%r20, %r21, %r22, %r23};
ld.global.v2.u64 {%rd7, %rd8}, [%rd5]; ld.global.v2.u64 {%rd9, %rd10}, [%rd5+16];
add.cc.u64 %rd11, %rd7, %rd9; addc.u64 %rd12, %rd8, %rd10; st.global.v2.u64 [%rd6+32], {%rd11, %rd12};
sub.cc.s64 %rd11, %rd7, %rd9; subc.s64 %rd12, %rd8, %rd10; st.global.v2.u64 [%rd6+48], {%rd11, %rd12};
mul.lo.u32 %r20, %r10, %r14; mul.hi.u32 %r21, %r10, %r14; mad.lo.cc.u32 %r21, %r10, %r15, %r21; madc.hi.u32 %r22, %r10, %r15, 0;
mad.lo.cc.u32 %r21, %r11, %r14, %r21; madc.hi.cc.u32 %r22, %r11, %r14, %r22; addc.u32 %r23, 0, 0; mad.lo.cc.u32 %r22, %r11, %r15, %r22; madc.hi.u32 %r23, %r11, %r15, %r23;
st.global.v4.u32 [%rd6+64], {%r20, %r21, %r22, %r23};`
	s := rng.New(71)
	in := make([]uint32, 8*32)
	for i := range in {
		in[i] = uint32(s.Uint64())
		if i%5 == 0 {
			in[i] = ^uint32(0) // carries through whole words
		}
	}
	got := small(t, body, 32, in, 20*32)
	number := func(w []uint32) *big.Int {
		x := new(big.Int)
		for i := len(w) - 1; i >= 0; i-- {
			x.Lsh(x, 32).Or(x, big.NewInt(int64(w[i])))
		}
		return x
	}
	mod := new(big.Int).Lsh(big.NewInt(1), 128)
	for l := range 32 {
		a, b := number(in[8*l:8*l+4]), number(in[8*l+4:8*l+8])
		sum, diff := new(big.Int).Add(a, b), new(big.Int).Sub(a, b)
		product := new(big.Int).Mul(number(in[8*l:8*l+2]), number(in[8*l+4:8*l+6]))
		for i, want := range []*big.Int{sum, diff, sum, diff, product} {
			if g := number(got[20*l+4*i : 20*l+4*i+4]); g.Cmp(want.Mod(want, mod)) != 0 {
				t.Fatalf("lane %d, result %d: got %x, want %x", l, i, g, want)
			}
		}
	}
}

// TestHalfPairs compares two numbers at once into two predicates.
func TestHalfPairs(t *testing.T) {
	got := small(t, `mov.b32 %r2, 0x40003c00; mov.b32 %r3, 0x3c003c00; setp.gt.f16x2 %p1|%p2, %r2, %r3; selp.u32 %r4, 1, 0, %p1; selp.u32 %r5, 2, 0, %p2; or.b32 %r4, %r4, %r5; st.global.u32 [%rd3], %r4;
mov.b32 %r2, 0x3f804000; mov.b32 %r3, 0x3f803f80; setp.ne.bf16x2 %p1|%p2, %r2, %r3; selp.u32 %r4, 1, 0, %p1; selp.u32 %r5, 2, 0, %p2; or.b32 %r4, %r4, %r5; st.global.u32 [%rd3+128], %r4;`, 32, nil, 64)
	if got[0] != 2 || got[32] != 1 {
		t.Errorf("got %d and %d, want 2 and 1", got[0], got[32])
	}
}
