package emu_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"artel/kernels/cuda/emu"
)

// calls loads the programs of calls.cu on a device that looks for every fault.
func calls(t *testing.T) (*rig, *emu.Module, *bytes.Buffer) {
	var out bytes.Buffer
	r := newRig(t, emu.Options{Capability: 80, Sanitize: true, Output: &out})
	return r, r.load("calls.sm_80.ptx"), &out
}

func TestCallsWithStructures(t *testing.T) {
	r, m, _ := calls(t)
	in := make([]int32, 40)
	for i := range in {
		in[i] = int32(i*i - 70)
	}
	p := r.alloc(8 * 3 * len(in))
	r.launch(r.fn(m, "structures"), d1(1), d1(len(in)), 0, r.put(in), p)
	got := make([]float64, 3*len(in))
	r.get(p, got)
	for i, v := range in {
		x, y, n := float64(v), float64(v)*0.5, i
		if v%3 == 0 {
			x, y, n = y+0.25, x, n+2*3
		}
		want := []float64{x, y, float64(n) + float64(int64(v)*3+int64(int16(-i))-int64(uint8(i)))}
		if !slices.Equal(got[3*i:3*i+3], want) {
			t.Errorf("thread %d: got %v, want %v", i, got[3*i:3*i+3], want)
		}
	}
}

// fibonacci is what the program computes, with a buffer that every depth has for itself.
func fibonacci(n int32) int32 {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2) + (n + n&3) - n - n&3
}

func TestRecursion(t *testing.T) {
	r, m, _ := calls(t)
	in := make([]int32, 64)
	for i := range in {
		in[i] = int32(i * 7 % 13)
	}
	p := r.alloc(8 * len(in))
	r.launch(r.fn(m, "recursive"), d1(1), d1(len(in)), 0, r.put(in), p)
	got := make([]int32, 2*len(in))
	r.get(p, got)
	for i, n := range in {
		parity := int32(10)
		if n%2 == 1 {
			parity = 1
		}
		if got[2*i] != fibonacci(n) || got[2*i+1] != parity {
			t.Errorf("%d: got %d and %d, want %d and %d", n, got[2*i], got[2*i+1], fibonacci(n), parity)
		}
	}
	// Too deep for the stack of a thread.
	in[5] = 100000
	_, err := r.try(r.fn(m, "recursive"), d1(1), d1(len(in)), 0, r.put(in), p)
	var f *emu.Fault
	if !errors.As(err, &f) || f.Kind != emu.StackOverflow || f.Thread.X != 5 {
		t.Errorf("got %v, want a stack overflow of thread 5", err)
	}
}

func TestFunctionPointers(t *testing.T) {
	r, m, _ := calls(t)
	in, which := randoms(50, 3), make([]int32, 50)
	for i := range which {
		which[i] = int32(i * 5 % 3)
	}
	p := r.alloc(4 * len(in))
	f := r.fn(m, "pointers")
	r.launch(f, d1(1), d1(len(in)), 0, r.put(in), r.put(which), p)
	got := make([]float32, len(in))
	r.get(p, got)
	for i, x := range in {
		if want := []float32{x + x, x * x, -x}[which[i]] + 1; got[i] != want {
			t.Errorf("thread %d: got %v, want %v", i, got[i], want)
		}
	}
	table, size, err := m.Global("table")
	if err != nil || size != 24 {
		t.Fatal(size, err)
	}
	r.dev.CopyIn(table+8, binary.LittleEndian.AppendUint64(nil, 77))
	var fault *emu.Fault
	if _, err := r.try(f, d1(1), d1(len(in)), 0, r.put(in), r.put(which), p); !errors.As(err, &fault) || fault.Kind != emu.BadOperand || fault.Address != 77 {
		t.Errorf("got %v, want a bad operand at 77", err)
	}
}

func TestVirtualMethods(t *testing.T) {
	r, m, _ := calls(t)
	in := randoms(64, 4)
	p := r.alloc(4 * len(in))
	r.launch(r.fn(m, "methods"), d1(1), d1(len(in)), 0, r.put(in), p)
	got := make([]float32, len(in))
	r.get(p, got)
	for i, x := range in {
		want := 2 + 3*x*x
		if i%3 == 0 {
			want = 2 * x * x
		}
		near(t, fmt.Sprintf("thread %d", i), float64(got[i]), float64(want), 1e-6)
	}
}

// TestBarriersInFunctions: lanes may end in a function while the others wait there for the block.
func TestBarriersInFunctions(t *testing.T) {
	r, m, _ := calls(t)
	in := randoms(64, 5)
	for _, alive := range []int32{64, 50, 20} {
		p := r.put(make([]float32, len(in)))
		r.launch(r.fn(m, "barriers"), d1(1), d1(len(in)), 0, r.put(in), p, alive)
		got := make([]float32, len(in))
		r.get(p, got)
		for i := range int(alive) {
			if want := in[(i+1)%int(alive)]; got[i] != want {
				t.Fatalf("%d alive, thread %d: got %v, want %v", alive, i, got[i], want)
			}
		}
		if alive < 64 && got[alive] != 0 {
			t.Errorf("thread %d went on after its end", alive)
		}
	}
	_, err := r.try(r.fn(m, "divergent_barrier"), d1(1), d1(64), 0, r.alloc(256))
	var f *emu.Fault
	if !errors.As(err, &f) || f.Kind != emu.DivergentBarrier {
		t.Errorf("got %v, want a divergent barrier", err)
	}
}

func TestPrintf(t *testing.T) {
	r, m, out := calls(t)
	in := []int32{4, -7, 300}
	r.launch(r.fn(m, "talk"), d1(1), d1(32), 0, r.put(in), len(in))
	var want strings.Builder
	for i, v := range in {
		fmt.Fprintf(&want, "thread %d: %5.2f %s %c %d %#x %%\n", i, float64(v)*0.25, map[bool]string{true: "first", false: "later"}[i == 0], 'a'+i, int64(v)<<33, uint32(v))
	}
	if out.String() != want.String() {
		t.Errorf("got %q, want %q", out, want.String())
	}
}

func TestAssert(t *testing.T) {
	r, m, _ := calls(t)
	in := []int32{1, 2, 9, 3}
	r.launch(r.fn(m, "check"), d1(1), d1(4), 0, r.put(in), 10)
	_, err := r.try(r.fn(m, "check"), d1(1), d1(4), 0, r.put(in), 9)
	var f *emu.Fault
	if !errors.As(err, &f) || f.Kind != emu.Assertion || f.Thread.X != 2 || !strings.Contains(f.Detail, "calls.cu:") || !strings.Contains(f.Detail, "assertion `in[threadIdx.x] < limit'") {
		t.Errorf("got %v", err)
	}
}

func TestDeviceMalloc(t *testing.T) {
	r, m, _ := calls(t)
	const n = 9
	p := r.alloc(8 * 33)
	r.launch(r.fn(m, "memory"), d1(1), d1(33), 0, p, n)
	ptrs := make([]uint64, 33)
	r.get(p, ptrs)
	for i, q := range ptrs {
		got := make([]int32, n)
		r.get(emu.Ptr(q), got)
		for j, v := range got {
			if v != int32(i*100+j) {
				t.Fatalf("thread %d: %v", i, got)
			}
		}
		if err := r.dev.Free(emu.Ptr(q)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCallForms: hand-written forms that the compiler leaves to libraries: a guarded call, a call in a loop with a trip count that differs by lane, no arguments, two functions with
// one register name, and what cannot be called.
func TestCallForms(t *testing.T) {
	const head = ".version 8.0\n.target sm_80\n.address_size 64\n"
	r := newRig(t, emu.Options{Capability: 80})
	m, err := r.dev.LoadModule("forms.ptx", []byte(head+`
.global .u32 calls;
.func bump() { .reg .b32 %r; .reg .b64 %a; mov.u64 %a, calls; atom.global.add.u32 %r, [%a], 1; ret; }
.func (.param .b32 out) halve(.param .b32 in) { .reg .b32 %r; .reg .pred %p; ld.param.u32 %r, [in]; and.b32 %r, %r, 1; setp.eq.u32 %p, %r, 1; ld.param.u32 %r, [in];
	@%p bra ODD; shr.u32 %r, %r, 1; st.param.b32 [out], %r; ret; ODD: mad.lo.u32 %r, %r, 3, 1; st.param.b32 [out], %r; call bump; ret; }
.entry k(.param .u64 p) {
	.reg .b32 %r, %n; .reg .b64 %a, %i; .reg .pred %q;
	ld.param.u64 %a, [p]; mov.u32 %r, %tid.x; mul.wide.u32 %i, %r, 4; add.u64 %a, %a, %i; add.u32 %r, %r, 1; mov.u32 %n, 0;
LOOP:
	setp.eq.u32 %q, %r, 1; @%q bra DONE;
	{ .param .b32 a; .param .b32 b; st.param.b32 [a], %r; call (b), halve, (a); ld.param.b32 %r, [b]; }
	add.u32 %n, %n, 1; bra LOOP;
DONE:
	setp.gt.u32 %q, %n, 10; @%q call bump;
	st.global.u32 [%a], %n; ret;
}`))
	if err != nil {
		t.Fatal(err)
	}
	p := r.alloc(4 * 64)
	r.launch(r.fn(m, "k"), d1(1), d1(64), 0, p)
	got := make([]uint32, 64)
	r.get(p, got)
	bumps := uint32(0)
	for i, steps := range got {
		n, want := uint32(0), uint32(i+1)
		for ; want != 1; n++ { // the Collatz sequence
			if want%2 == 1 {
				want = 3*want + 1
				bumps++
			} else {
				want /= 2
			}
		}
		if n > 10 {
			bumps++
		}
		if steps != n {
			t.Errorf("thread %d: %d steps, want %d", i, steps, n)
		}
	}
	counter, _, err := m.Global("calls")
	if err != nil {
		t.Fatal(err)
	}
	var n uint32
	if r.get(counter, &n); n != bumps {
		t.Errorf("%d calls, want %d", n, bumps)
	}
	for want, body := range map[string]string{
		"function cudaDeviceThing has no body here":           ".extern .func cudaDeviceThing();\n.entry k() { call cudaDeviceThing; ret; }",
		"the arguments or the result are not those of f":      ".func f(.param .b32 a) { ret; }\n.entry k() { .param .b64 b; call f, (b); ret; }",
		"register %r has type .b32, want 64 bits":             ".func f() { ret; }\n.entry k() { .reg .b32 %r; call %r; ret; }",
		"bad.ptx:5: frob: unknown instruction":                ".func f() {\nfrob; ret; }\n.entry k() { call f; ret; }",
		"the address of s in the initial value of x: only th": ".shared .u32 s;\n.global .u64 x = s;\n.entry k() { ret; }",
	} {
		if _, err := r.dev.LoadModule("bad.ptx", []byte(head+body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
