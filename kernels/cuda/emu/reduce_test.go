package emu_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu"
)

// element is a type of reductions as the tests see it: numbers from and to float64 or, for integers, int64.
type element struct {
	name string
	size int
	real bool
	tile driver.Element // of tensor maps; -1 for none
}

var elements = []element{{"u32", 4, false, driver.U32}, {"s32", 4, false, driver.I32}, {"u64", 8, false, driver.U64}, {"s64", 8, false, driver.I64}, {"f16", 2, true, driver.F16}, {"bf16", 2, true, driver.BF16},
	{"f32", 4, true, driver.F32}, {"f64", 8, true, driver.F64}, {"b32", 4, false, -1}, {"b64", 8, false, -1}}

// put writes x, a small whole number, as the element; get reads it.
func (e element) put(b []byte, x int64) {
	switch {
	case e.name == "f16":
		binary.LittleEndian.PutUint16(b, halves([]float32{float32(x)})[0])
	case e.name == "bf16":
		binary.LittleEndian.PutUint16(b, uint16(math.Float32bits(float32(x))>>16))
	case e.name == "f32":
		binary.LittleEndian.PutUint32(b, math.Float32bits(float32(x)))
	case e.name == "f64":
		binary.LittleEndian.PutUint64(b, math.Float64bits(float64(x)))
	case e.size == 4:
		binary.LittleEndian.PutUint32(b, uint32(x))
	default:
		binary.LittleEndian.PutUint64(b, uint64(x))
	}
}

// reduceCases lists the operations of cp.reduce.async.bulk by type.
func reduceCases() (out [][2]string) {
	for _, e := range elements {
		ops := map[string]string{"u32": "add min max inc dec", "s32": "add min max", "u64": "add min max", "s64": "add min max", "f16": "add min max", "bf16": "add min max", "f32": "add", "f64": "add",
			"b32": "and or xor", "b64": "and or xor"}[e.name]
		for _, op := range strings.Fields(ops) {
			out = append(out, [2]string{op, e.name})
		}
	}
	return out
}

// reduced is what the manual says of one element: old value a, operand b.
func reduced(op string, unsigned bool, a, b int64) int64 {
	switch op {
	case "add":
		return a + b
	case "min":
		if unsigned && uint64(a) > uint64(b) || !unsigned && a > b {
			return b
		}
		return a
	case "max":
		if unsigned && uint64(a) < uint64(b) || !unsigned && a < b {
			return b
		}
		return a
	case "inc":
		if uint32(a) >= uint32(b) {
			return 0
		}
		return a + 1
	case "dec":
		if a == 0 || uint32(a) > uint32(b) {
			return b
		}
		return a - 1
	case "and":
		return a & b
	case "or":
		return a | b
	}
	return a ^ b
}

// operands are n small numbers, negative ones where the type has them.
func operands(e element, n int, seed int) []int64 {
	out := make([]int64, n)
	for i := range out {
		if out[i] = int64(i*seed%37) - 11; e.name[0] == 'u' || e.name[0] == 'b' && !e.real {
			out[i] += 11
		}
	}
	return out
}

func (e element) bytes(v []int64) []byte {
	b := make([]byte, e.size*len(v))
	for i, x := range v {
		e.put(b[i*e.size:], x)
	}
	return b
}

const reduceHead = `.version 8.0
.target sm_90a
.address_size 64
.visible .entry k(.param .align 64 .b8 map[128], .param .u64 a, .param .u64 b)
{
.reg .pred %p<4>; .reg .b32 %r<20>; .reg .b64 %rd<8>; .shared .align 1024 .b8 s[4096]; .shared .align 8 .b8 bar[8];
mov.b64 %rd1, map; cvta.param.u64 %rd2, %rd1; ld.param.u64 %rd3, [a]; ld.param.u64 %rd4, [b]; mov.u32 %r1, s; mov.u32 %r2, 0;
L: ld.global.u32 %r3, [%rd3]; st.shared.u32 [%r1], %r3; add.u32 %r1, %r1, 4; add.s64 %rd3, %rd3, 4; add.u32 %r2, %r2, 4; setp.lt.u32 %p1, %r2, BYTES; @%p1 bra L;
fence.proxy.async.shared::cta;
`

const reduceTail = "cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;\nret;\n}\n"

// TestBulkReductions adds shared memory to device memory in every type and operation, plainly and as boxes of a tensor.
func TestBulkReductions(t *testing.T) {
	const n = 64
	for _, c := range reduceCases() {
		e := elements[slices.IndexFunc(elements, func(e element) bool { return e.name == c[1] })]
		old, with := operands(e, n, 7), operands(e, n, 5)
		want := make([]int64, n)
		for i := range want {
			want[i] = reduced(c[0], e.name[0] == 'u', old[i], with[i])
		}
		mod := c[0]
		if e.size == 2 && mod == "add" {
			mod += ".noftz"
		}
		run := func(what, text string, tiled bool) {
			r := newRig(t, emu.Options{Sanitize: true})
			m, err := r.dev.LoadModule("reduce.ptx", []byte(strings.ReplaceAll(reduceHead, "BYTES", fmt.Sprint(n*e.size))+text+reduceTail))
			if err != nil {
				t.Fatalf("%s %v: %v", what, c, err)
			}
			dst := r.put(e.bytes(old))
			var tm driver.TensorMap
			if tiled {
				d := driver.Tiled{Type: e.tile, Rank: 1, Base: driver.Ptr(dst), Dims: [5]uint64{n}, Box: [5]uint32{n}, Steps: [5]uint32{1}}
				if err := d.Check(); err != nil {
					t.Fatal(err)
				}
				tm = emu.EncodeTiled(&d)
			}
			r.launch(r.fn(m, "k"), d1(1), d1(1), 0, tm[:], r.put(e.bytes(with)), dst)
			got := make([]byte, n*e.size)
			r.get(dst, got)
			if !slices.Equal(got, e.bytes(want)) {
				t.Errorf("%s %v: got % x, want % x", what, c, got[:32], e.bytes(want)[:32])
			}
		}
		run("plain", fmt.Sprintf("cp.reduce.async.bulk.global.shared::cta.bulk_group.%s.%s [%%rd4], [s], %d;\n", mod, e.name, n*e.size), false)
		if e.tile >= 0 {
			run("tensor", fmt.Sprintf("mov.u32 %%r4, 0;\ncp.reduce.async.bulk.tensor.1d.global.shared::cta.%s.tile.bulk_group [%%rd2, {%%r4}], [s];\n", c[0]), true)
		}
	}
}

// TestReductionsOfBlocks: many blocks add to one place at the same time and nothing is lost.
func TestReductionsOfBlocks(t *testing.T) {
	const n, blocks = 64, 200
	r := newRig(t, emu.Options{Workers: 4})
	m, err := r.dev.LoadModule("reduce.ptx", []byte(strings.ReplaceAll(reduceHead, "BYTES", "128")+"cp.reduce.async.bulk.global.shared::cta.bulk_group.add.noftz.f16 [%rd4], [s], 128;\n"+reduceTail))
	if err != nil {
		t.Fatal(err)
	}
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	dst := r.put(make([]uint16, n))
	var tm driver.TensorMap
	r.launch(r.fn(m, "k"), d1(blocks), d1(1), 0, tm[:], r.put(halves(ones)), dst)
	got := make([]uint16, n)
	r.get(dst, got)
	if want := halves([]float32{blocks})[0]; slices.ContainsFunc(got, func(v uint16) bool { return v != want }) {
		t.Errorf("got %v, want %#x everywhere", got, want)
	}
}

// TestBulkInShared copies and adds within shared memory, and what is wrong is told.
func TestBulkInShared(t *testing.T) {
	const tail = `W: mbarrier.try_wait.parity.shared.b64 %p1, [bar], 0; @!%p1 bra W;
ld.shared.u32 %r3, [s+512]; st.global.u32 [%rd4], %r3; ld.shared.u32 %r3, [s+540]; st.global.u32 [%rd4+4], %r3; ret;
}
`
	const begin = "mbarrier.init.shared.b64 [bar], 1; mbarrier.arrive.expect_tx.shared.b64 _, [bar], 64; fence.proxy.async.shared::cta;\n"
	var tm driver.TensorMap
	run := func(op string) ([]uint32, error) {
		r := newRig(t, emu.Options{Sanitize: true})
		m, err := r.dev.LoadModule("shared.ptx", []byte(strings.ReplaceAll(reduceHead, "BYTES", "1024")+begin+op+tail))
		if err != nil {
			return nil, err
		}
		in := make([]uint32, 256)
		for i := range in {
			in[i] = uint32(3 * i)
		}
		out := r.put([]uint32{0, 0})
		_, err = r.try(r.fn(m, "k"), d1(1), d1(1), 0, tm[:], r.put(in), out)
		got := make([]uint32, 2)
		r.get(out, got)
		return got, err
	}
	for op, want := range map[string][]uint32{
		"cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [s+512], [s+64], 64, [bar];\n":                 {3 * 16, 3 * 23},
		"cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes.add.u32 [s+512], [s+64], 64, [bar];\n":  {3 * (128 + 16), 3 * (135 + 23)},
		"cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes.max.s32 [s+512], [s+960], 64, [bar];\n": {3 * 240, 3 * 247},
	} {
		if got, err := run(op); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s got %v, %v, want %v", op, got, err, want)
		}
	}
	for op, want := range map[string]string{
		"cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes.add.f32 [s+512], [s], 64, [bar];\n": "not supported",
		"cp.reduce.async.bulk.global.shared::cta.bulk_group.min.f32 [%rd4], [s], 64;\n":                                    "not supported",
		"cp.reduce.async.bulk.global.shared::cta.bulk_group.add.b32 [%rd4], [s], 64;\n":                                    "not supported",
		"cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [s+516], [s+64], 64, [bar];\n":             "multiples of 16",
		"cp.reduce.async.bulk.global.shared::cta.bulk_group.add.u32 [%rd4], [s], 64;\n":                                    "past the end|bytes at byte 0 of an allocation of 8 bytes",
	} {
		_, err := run(op)
		ok := false
		for _, w := range strings.Split(want, "|") {
			ok = ok || err != nil && strings.Contains(err.Error(), w)
		}
		if !ok {
			t.Errorf("%s got %v, want %q", op, err, want)
		}
	}
}

// TestSmallAtomics: 16-bit numbers and vectors, lane after lane; the halves of a word do not touch each other.
func TestSmallAtomics(t *testing.T) {
	got := small(t, `
and.b32 %r2, %r1, 1; mad.wide.u32 %rd5, %r2, 2, %rd2; mov.b16 %h1, 0x3c00; atom.global.add.noftz.f16 %h2, [%rd5], %h1; st.global.b16 [%rd3+64], %h2;
mov.b16 %h1, 0x3f80; red.global.add.noftz.bf16 [%rd2+4], %h1;
mov.b16 %h3, 0; mov.b16 %h4, 7; atom.global.cas.b16 %h5, [%rd2+10], %h3, %h4; st.global.b16 [%rd3+256], %h5;
mov.f32 %f1, 0f3F800000; mov.f32 %f2, 0f40000000; red.global.add.v2.f32 [%rd2+16], {%f1, %f2};
atom.global.v4.f32.add {%f3, _, _, %f4}, [%rd2+32], {%f1, %f2, %f1, %f2}; setp.eq.u32 %p1, %r1, 31; @%p1 st.global.v2.f32 [%rd2+48], {%f3, %f4};
mov.b32 %r3, 0x3f803f80; mov.b32 %r4, 0x40003f80; red.global.add.noftz.v2.bf16x2 [%rd2+56], {%r3, %r4};`, 32, nil, 128)
	if got[0] != 0x4c004c00 { // 16 in both halves
		t.Errorf("f16 sums %#x", got[0])
	}
	for l := range 32 {
		if v, want := uint16(got[16+l]), halves([]float32{float32(l / 2)})[0]; v != want {
			t.Errorf("lane %d saw %#x, want %#x", l, v, want)
		}
		if v, want := uint16(got[64+l]), map[bool]uint16{true: 0, false: 7}[l == 0]; v != want {
			t.Errorf("cas: lane %d saw %d, want %d", l, v, want)
		}
	}
	if got[1] != 0x4200 || got[2] != 7<<16 {
		t.Errorf("bf16 sum %#x, cas %#x", got[1], got[2])
	}
	f := func(i int) float32 { return math.Float32frombits(got[i]) }
	if f(4) != 32 || f(5) != 64 || f(8) != 32 || f(9) != 64 || f(10) != 32 || f(11) != 64 || f(12) != 31 || f(13) != 62 {
		t.Errorf("vectors %v", got[4:14])
	}
	if got[14] != 0x42004200 || got[15] != 0x42804200 {
		t.Errorf("packed vectors %#x", got[14:16])
	}
	for _, op := range []string{"red.global.add.v2.f64 [%rd2], {%rd1, %rd2}", "atom.global.add.s16 %h1, [%rd2], %h1", "red.global.add.v2.u32 [%rd2], {%r1, %r1}", "red.global.min.f32 [%rd2], %f1"} {
		_, err := emu.New(emu.Options{}).LoadModule("bad.ptx", []byte(".version 8.0\n.target sm_90a\n.address_size 64\n.entry k() { .reg .b16 %h<3>; .reg .b32 %r<3>; .reg .f32 %f<2>; .reg .b64 %rd<3>;\n"+op+"; ret; }"))
		if err == nil || !strings.Contains(err.Error(), "not supported") {
			t.Errorf("%s: %v", op, err)
		}
	}
}

// TestReductionOfNothing: what a reduction adds to must have been written.
func TestReductionOfNothing(t *testing.T) {
	r := newRig(t, emu.Options{Sanitize: true})
	m, err := r.dev.LoadModule("reduce.ptx", []byte(strings.ReplaceAll(reduceHead, "BYTES", "128")+"cp.reduce.async.bulk.global.shared::cta.bulk_group.add.u32 [%rd4], [s], 128;\n"+reduceTail))
	if err != nil {
		t.Fatal(err)
	}
	var tm driver.TensorMap
	var f *emu.Fault
	if _, err := r.try(r.fn(m, "k"), d1(1), d1(1), 0, tm[:], r.put(make([]uint32, 32)), r.alloc(128)); !errors.As(err, &f) || f.Kind != emu.Uninitialised {
		t.Errorf("got %v, want an uninitialised read", err)
	}
}
