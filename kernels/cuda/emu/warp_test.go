package emu_test

import (
	"fmt"
	"math/bits"
	"testing"

	"artel/kernels/cuda/emu"
)

// small runs the body of a kernel with registers %r1 (thread), %rd1 (input), %rd2 (output) and %rd3 (output plus four bytes a thread); it returns words of the output.
func small(t *testing.T, body string, threads int, in []uint32, words int) []uint32 {
	t.Helper()
	r := newRig(t, emu.Options{Sanitize: true})
	m, err := r.dev.LoadModule("small.ptx", []byte(`.version 8.0
.target sm_90a
.address_size 64
.visible .entry k(.param .u64 a, .param .u64 b)
{
.reg .pred %p<8>; .reg .b16 %h<8>; .reg .b32 %r<64>; .reg .b64 %rd<16>; .reg .f32 %f<8>;
.shared .align 128 .b8 s[8192]; .shared .align 8 .b8 bar[8]; .local .align 16 .b8 loc[64];
ld.param.u64 %rd1, [a]; ld.param.u64 %rd2, [b]; mov.u32 %r1, %tid.x; mad.wide.u32 %rd3, %r1, 4, %rd2; mad.wide.u32 %rd4, %r1, 4, %rd1;
`+body+"\nret;\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]uint32, words)
	p := r.put(out)
	r.launch(r.fn(m, "k"), d1(1), d1(threads), 0, r.put(append(in, 0)), p)
	r.get(p, out)
	return out
}

// TestShuffle compares every mode, in segments too, with the formulas of the PTX manual written out for a lane.
func TestShuffle(t *testing.T) {
	for _, mode := range []string{"up", "down", "bfly", "idx"} {
		for _, width := range []int{32, 16, 8, 2} {
			for _, by := range []int{0, 1, 3, 17} {
				clamp := 31
				if mode == "up" {
					clamp = 0
				}
				c := (32-width)<<8 | clamp
				got := small(t, fmt.Sprintf("add.u32 %%r2, %%r1, 100; shfl.sync.%s.b32 %%r3|%%p1, %%r2, %d, %d, -1; selp.u32 %%r4, 1000, 0, %%p1; add.u32 %%r3, %%r3, %%r4; st.global.u32 [%%rd3], %%r3;", mode, by, c), 32, nil, 32)
				for l := range 32 {
					seg := l / width * width
					j, ok := 0, false
					switch mode {
					case "up":
						j = l - by
						ok = j >= seg
					case "down":
						j = l + by
						ok = j < seg+width
					case "bfly":
						j = l ^ by
						ok = j < seg+width
					case "idx":
						j = seg + by%width
						ok = true
					}
					want := uint32(100 + l)
					if ok {
						want = uint32(1100 + j)
					}
					if got[l] != want {
						t.Fatalf("%s by %d in segments of %d: lane %d got %d, want %d", mode, by, width, l, got[l], want)
					}
				}
			}
		}
	}
}

func TestVotes(t *testing.T) {
	got := small(t, `
and.b32 %r2, %r1, 3; setp.eq.u32 %p1, %r2, 0; setp.lt.u32 %p2, %r1, 100;
vote.sync.ballot.b32 %r3, %p1, -1; st.global.u32 [%rd2], %r3;
vote.sync.any.pred %p3, %p1, -1; selp.u32 %r4, 1, 0, %p3; st.global.u32 [%rd2+4], %r4;
vote.sync.all.pred %p3, %p1, -1; selp.u32 %r4, 1, 0, %p3; st.global.u32 [%rd2+8], %r4;
vote.sync.all.pred %p3, %p2, -1; selp.u32 %r4, 1, 0, %p3; st.global.u32 [%rd2+12], %r4;
vote.sync.uni.pred %p3, !%p2, -1; selp.u32 %r4, 1, 0, %p3; st.global.u32 [%rd2+16], %r4;
redux.sync.add.u32 %r5, %r1, -1; st.global.u32 [%rd2+20], %r5;
xor.b32 %r6, %r1, -1; redux.sync.min.s32 %r5, %r6, -1; st.global.u32 [%rd2+24], %r5;
redux.sync.max.u32 %r5, %r1, -1; st.global.u32 [%rd2+28], %r5;
shl.b32 %r6, 1, %r1; redux.sync.or.b32 %r5, %r6, -1; st.global.u32 [%rd2+32], %r5;
elect.sync %r5|%p3, -1; selp.u32 %r6, 1, 0, %p3; add.u32 %r6, %r6, %r5; redux.sync.add.u32 %r6, %r6, -1; st.global.u32 [%rd2+36], %r6;
match.any.sync.b32 %r5, %r2, -1; setp.eq.u32 %p4, %r1, 5; @%p4 st.global.u32 [%rd2+40], %r5;
match.all.sync.b32 %r5|%p3, %r2, -1; selp.u32 %r6, 7, 9, %p3; add.u32 %r6, %r6, %r5; st.global.u32 [%rd2+44], %r6;
match.all.sync.b64 %r5|%p3, %rd2, -1; @%p3 st.global.u32 [%rd2+48], %r5;
setp.lt.u32 %p5, %r1, 12; @!%p5 bra OTHER;
activemask.b32 %r7; st.global.u32 [%rd2+52], %r7;
vote.sync.ballot.b32 %r7, %p1, 0xfff; st.global.u32 [%rd2+56], %r7;
redux.sync.add.u32 %r7, %r1, 0xfff; st.global.u32 [%rd2+60], %r7;
bar.warp.sync 0xfff;
bra MEET;
OTHER: activemask.b32 %r7; st.global.u32 [%rd2+64], %r7;
MEET: activemask.b32 %r7; st.global.u32 [%rd2+68], %r7;`, 32, nil, 18)
	want := []uint32{0x11111111, 1, 0, 1, 1, 496, ^uint32(31), 31, 0xffffffff, 1, 0x22222222, 9, 0xffffffff, 0xfff, 0x111, 66, 0xfffff000, 0xffffffff}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("result %d: got %#x, want %#x", i, got[i], want[i])
		}
	}
}

func TestBarrierReduction(t *testing.T) {
	got := small(t, `
setp.lt.u32 %p1, %r1, 40; setp.lt.u32 %p2, %r1, 1000;
bar.red.popc.u32 %r2, 0, %p1; bar.red.and.pred %p3, 1, %p1; bar.red.or.pred %p4, 2, 64, %p1; bar.red.and.pred %p5, 1, %p2; bar.red.or.pred %p6, 1, !%p2;
selp.u32 %r3, 1, 0, %p3; selp.u32 %r4, 2, 0, %p4; selp.u32 %r5, 4, 0, %p5; selp.u32 %r6, 8, 0, %p6;
add.u32 %r2, %r2, 1000; or.b32 %r3, %r3, %r4; or.b32 %r5, %r5, %r6; or.b32 %r3, %r3, %r5; mad.lo.u32 %r2, %r3, 10000, %r2; st.global.u32 [%rd3], %r2;`, 64, nil, 64)
	for l, v := range got {
		if v != 61040 {
			t.Fatalf("thread %d got %d, want 61040", l, v)
		}
	}
}

// TestAtomics lets the 32 lanes of a warp update one word, and compares the word and what the lanes saw with the same updates one by one.
func TestAtomics(t *testing.T) {
	b := func(l int) uint32 { return uint32(l*2654435761>>3) % 100 }
	ops := map[string]func(old, v uint32) uint32{
		"add.u32": func(o, v uint32) uint32 { return o + v }, "min.u32": func(o, v uint32) uint32 { return min(o, v) },
		"max.s32": func(o, v uint32) uint32 { return uint32(max(int32(o), int32(v))) }, "min.s32": func(o, v uint32) uint32 { return uint32(min(int32(o), int32(v))) },
		"and.b32": func(o, v uint32) uint32 { return o & v }, "or.b32": func(o, v uint32) uint32 { return o | v }, "xor.b32": func(o, v uint32) uint32 { return o ^ v },
		"exch.b32": func(_, v uint32) uint32 { return v },
		"inc.u32": func(o, v uint32) uint32 {
			if o >= v {
				return 0
			}
			return o + 1
		},
		"dec.u32": func(o, v uint32) uint32 {
			if o == 0 || o > v {
				return v
			}
			return o - 1
		},
	}
	in := make([]uint32, 32)
	for l := range in {
		in[l] = b(l)
	}
	for op, f := range ops {
		for _, space := range []string{"global", "shared"} {
			body := "ld.global.u32 %r2, [%rd4]; mov.u64 %rd5, %rd2;"
			if space == "shared" {
				body = "ld.global.u32 %r2, [%rd4]; mov.u64 %rd5, s; setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u32 [s], 0; bar.sync 0;"
			}
			got := small(t, fmt.Sprintf("%s atom.%s.%s %%r3, [%%rd5], %%r2; bar.sync 0; ld.%s.u32 %%r4, [%%rd5]; bar.sync 0; add.u32 %%r3, %%r3, %%r4; st.global.u32 [%%rd3], %%r3;", body, space, op, space), 32, in, 32)
			old, saw := uint32(0), make([]uint32, 32)
			for l := range 32 {
				saw[l] = old
				old = f(old, in[l])
			}
			for l := range got {
				if got[l] != saw[l]+old {
					t.Fatalf("atom.%s.%s: lane %d got %d, want %d", space, op, l, got[l], saw[l]+old)
				}
			}
		}
	}
	got := small(t, `
cvt.u64.u32 %rd5, %r1; red.global.add.u64 [%rd2], %rd5; atom.global.cas.b32 %r2, [%rd2+8], 0, 5; atom.global.cas.b32 %r2, [%rd2+8], 5, 6;
cvt.rn.f32.u32 %f1, %r1; red.global.add.f32 [%rd2+12], %f1; red.relaxed.gpu.global.max.u64 [%rd2+16], %rd5; mov.b32 %r3, 0x3f803f80; red.global.add.noftz.bf16x2 [%rd2+24], %r3;`, 32, nil, 7)
	for i, want := range []uint32{496, 0, 6, 0x43f80000, 31, 0, 0x42004200} {
		if got[i] != want {
			t.Errorf("word %d: got %#x, want %#x", i, got[i], want)
		}
	}
}

// TestMemoryForms moves bytes through loads and stores of every width, by global, shared, local, generic and parameter addresses.
func TestMemoryForms(t *testing.T) {
	got := small(t, `
ld.global.u8 %r2, [%rd1]; st.global.u32 [%rd2], %r2; ld.global.s8 %r2, [%rd1+1]; st.global.u32 [%rd2+4], %r2;
ld.global.s16 %r2, [%rd1+2]; st.global.u32 [%rd2+8], %r2; ld.global.u16 %h1, [%rd1+2]; cvt.u32.u16 %r2, %h1; st.global.u32 [%rd2+12], %r2;
ld.global.s32 %rd5, [%rd1+4]; st.global.u64 [%rd2+16], %rd5; ld.global.u32 %rd5, [%rd1+4]; st.global.b64 [%rd2+24], %rd5;
ld.global.v2.u32 {%r2, %r3}, [%rd1+8]; st.global.v2.u32 [%rd2+32], {%r3, %r2}; ld.global.nc.L1::no_allocate.v4.u32 {%r2, _, %r3, %r4}, [%rd1+16]; st.global.v4.u32 [%rd2+48], {%r4, %r3, 7, %r2};
ld.global.v4.u8 {%r2, %r3, %r4, %r5}, [%rd1]; st.shared.v4.u8 [s+4], {%r5, %r4, %r3, %r2}; ld.shared.u32 %r6, [s+4]; st.global.u32 [%rd2+64], %r6;
st.local.u32 [loc+8], 77; cvta.local.u64 %rd6, 8; ld.u32 %r7, [%rd6]; st.global.u32 [%rd2+68], %r7; mov.u64 %rd7, loc; ld.local.u32 %r7, [%rd7+8]; st.global.u32 [%rd2+72], %r7;
mov.u64 %rd8, s; cvta.shared.u64 %rd8, %rd8; st.u16 [%rd8+16], 0x1234; ld.shared.u16 %r7, [s+16]; st.global.u32 [%rd2+76], %r7; ld.u64 %rd9, [%rd1+8]; st.volatile.global.u64 [%rd2+80], %rd9;
ld.param.u32 %r7, [b+4]; shr.u64 %rd9, %rd2, 32; cvt.u32.u64 %r8, %rd9; sub.u32 %r7, %r7, %r8; st.global.u32 [%rd2+88], %r7;`,
		1, []uint32{0x8001_80ff, 0x80000001, 3, 4, 10, 11, 12, 13}, 23)
	want := []uint32{0xff, ^uint32(0x7f), 0xffff8001, 0x8001, 0x80000001, 0xffffffff, 0x80000001, 0, 4, 3, 0, 0, 13, 12, 7, 10, bits.ReverseBytes32(0x800180ff), 77, 77, 0x1234, 3, 4, 0}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("word %d: got %#x, want %#x", i, got[i], want[i])
		}
	}
}

// TestMatrixMoves writes 8x8 matrices with stmatrix, reads them with ldmatrix and the other way about; element (row, column) of matrix i is 256 i + 16 row + column.
func TestMatrixMoves(t *testing.T) {
	in := make([]uint32, 128)
	for i := range in {
		m, row, col := i/32, i%32/4, i%4*2
		v := uint32(256*m + 16*row + col)
		in[i] = v | (v+1)<<16
	}
	head := "mul.lo.u32 %r2, %r1, 16; mov.u32 %r3, s; add.u32 %r2, %r2, %r3; mad.wide.u32 %rd5, %r1, 16, %rd1; ld.global.v4.u32 {%r4, %r5, %r6, %r7}, [%rd5]; st.shared.v4.u32 [%r2], {%r4, %r5, %r6, %r7}; bar.warp.sync -1;\n"
	for _, trans := range []string{"", ".trans"} {
		got := small(t, head+fmt.Sprintf("ldmatrix.sync.aligned.m8n8.x4%s.shared.b16 {%%r8, %%r9, %%r10, %%r11}, [%%r2]; mad.wide.u32 %%rd6, %%r1, 16, %%rd2; st.global.v4.u32 [%%rd6], {%%r8, %%r9, %%r10, %%r11};", trans), 32, in, 128)
		for l := range 32 {
			for m := range 4 {
				row, col, step := l/4, l%4*2, 1
				if trans != "" {
					row, col, step = col, row, 16
				}
				v := uint32(256*m + 16*row + col)
				if want := v | (v+uint32(step))<<16; got[4*l+m] != want {
					t.Fatalf("ldmatrix%s: lane %d register %d: got %#x, want %#x", trans, l, m, got[4*l+m], want)
				}
			}
		}
		// stmatrix puts back what ldmatrix read, to another place.
		got = small(t, head+fmt.Sprintf("ldmatrix.sync.aligned.m8n8.x2%[1]s.shared.b16 {%%r8, %%r9}, [%%r2]; stmatrix.sync.aligned.m8n8.x2%[1]s.shared.b16 [%%r2+1024], {%%r8, %%r9}; bar.warp.sync -1; shl.b32 %%r12, %%r1, 3; add.u32 %%r12, %%r12, %%r3; ld.shared.u64 %%rd7, [%%r12+1024]; mad.wide.u32 %%rd6, %%r1, 8, %%rd2; st.global.u64 [%%rd6], %%rd7;", trans), 32, in, 64)
		for i := range got {
			if got[i] != in[i] {
				t.Fatalf("stmatrix%s: word %d: got %#x, want %#x", trans, i, got[i], in[i])
			}
		}
	}
}

// TestSmallCopies has cp.async of every size, with fewer bytes than it writes, in groups that complete one after the other.
func TestSmallCopies(t *testing.T) {
	in := make([]uint32, 16)
	for i := range in {
		in[i] = 0x01010101 * uint32(i+1)
	}
	body := `
cp.async.ca.shared.global [s], [%rd1], 4; cp.async.commit_group;
cp.async.ca.shared.global.L2::128B [s+8], [%rd1+8], 8, 5; cp.async.cg.shared.global [s+16], [%rd1+16], 16, 0; cp.async.commit_group;
cp.async.wait_group 1; ld.shared.u32 %r2, [s]; st.global.u32 [%rd2], %r2;
cp.async.wait_all; ld.shared.v2.u32 {%r2, %r3}, [s+8]; st.global.v2.u32 [%rd2+8], {%r2, %r3}; ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [s+16]; st.global.v4.u32 [%rd2+16], {%r2, %r3, %r4, %r5};
mbarrier.init.shared.b64 [bar], 1; cp.async.ca.shared.global [s+32], [%rd1+4], 4; cp.async.mbarrier.arrive.noinc.shared.b64 [bar];
W: mbarrier.test_wait.parity.shared.b64 %p1, [bar], 0; @!%p1 bra W; ld.shared.u32 %r2, [s+32]; st.global.u32 [%rd2+32], %r2;
mbarrier.arrive.shared.b64 %rd5, [bar]; X: mbarrier.try_wait.shared.b64 %p1, [bar], %rd5; @!%p1 bra X; st.global.u64 [%rd2+40], %rd5; mbarrier.inval.shared.b64 [bar];`
	got := small(t, body, 1, in, 12)
	want := []uint32{in[0], 0, in[2], in[3] & 0xff, 0, 0, 0, 0, in[1], 0, 1, 0}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("word %d: got %#x, want %#x", i, got[i], want[i])
		}
	}
}

// TestCacheHints has policies on loads, stores and copies.
func TestCacheHints(t *testing.T) {
	got := small(t, `createpolicy.fractional.L2::evict_last.b64 %rd5, 1.0; ld.global.L2::cache_hint.v2.u32 {%r2, %r3}, [%rd1], %rd5; st.global.L2::cache_hint.u32 [%rd2], %r3, %rd5;
cp.async.cg.shared.global.L2::cache_hint [s], [%rd1+16], 16, %rd5; cp.async.wait_all; ld.shared.u32 %r2, [s+4]; st.global.u32 [%rd2+4], %r2;`, 1, []uint32{1, 2, 3, 4, 5, 6, 7, 8}, 2)
	if got[0] != 2 || got[1] != 6 {
		t.Errorf("got %v, want [2 6]", got)
	}
}
