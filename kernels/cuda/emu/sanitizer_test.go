package emu_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"artel/kernels/cuda/emu"
)

// planted is a kernel with a mistake, marked by "// FAULT" on its line, or on two when the order of warps decides which one is late, and what makes it right: the lines that begin with "//FIX " lose those characters, and
// the text after "//CUT" is dropped with its line.
type planted struct {
	name    string
	kind    emu.FaultKind
	threads int
	body    string
}

// text is the module of a planted kernel, broken or repaired.
func (p *planted) text(repaired bool) (text string, lines []int) {
	var b strings.Builder
	b.WriteString(`.version 8.0
.target sm_90a
.address_size 64
.extern .shared .align 1024 .b8 dyn[];
.const .align 4 .b32 table[4] = {1, 2, 3, 4};
.visible .entry k(.param .u64 p, .param .u64 q)
{
.reg .pred %p<4>; .reg .b32 %r<12>; .reg .b64 %rd<12>; .reg .f32 %f<40>;
.shared .align 16 .b8 s[4096]; .shared .align 8 .b8 bar[8];
ld.param.u64 %rd1, [p]; ld.param.u64 %rd2, [q]; mov.u32 %r1, %tid.x; mul.wide.u32 %rd3, %r1, 4;
shl.b32 %r2, %r1, 2; mov.u32 %r3, s; add.s32 %r4, %r3, %r2; mov.u32 %r5, bar; mov.u32 %r11, dyn;
add.s64 %rd4, %rd1, %rd3; setp.eq.s32 %p1, %r1, 0; setp.lt.s32 %p2, %r1, 16;
`)
	for _, l := range strings.Split(strings.TrimSpace(p.body), "\n") {
		fix, isFix := strings.CutPrefix(l, "//FIX ")
		switch {
		case isFix && repaired:
			l = fix
		case strings.Contains(l, "//CUT") && repaired:
			continue
		}
		b.WriteString(l + "\n")
		if strings.Contains(l, "// FAULT") {
			lines = append(lines, strings.Count(b.String(), "\n"))
		}
	}
	b.WriteString("ret;\n}\n")
	return b.String(), lines
}

// The parameters are p, 256 bytes that are written but for the last four, and q, 256 bytes that nobody wrote.
var plants = []planted{
	{"global out of bounds", emu.OutOfBounds, 96, `
//FIX @!%p2 bra DONE;
ld.global.u32 %r6, [%rd4]; // FAULT
DONE:`},
	{"shared out of bounds", emu.OutOfBounds, 32, `
st.shared.u32 [%r11+4096], %r1; //CUT // FAULT
`},
	{"misaligned", emu.Misaligned, 1, `
ld.global.u32 %r6, [%rd4+2]; //CUT // FAULT
`},
	{"misaligned vector", emu.Misaligned, 2, `
ld.global.v2.u32 {%r6, %r7}, [%rd4]; //CUT // FAULT
`},
	{"uninitialised global", emu.Uninitialised, 32, `
//FIX st.global.u32 [%rd2], %r1;
ld.global.u32 %r6, [%rd2]; // FAULT
`},
	{"uninitialised shared", emu.Uninitialised, 32, `
//FIX st.shared.u32 [%r4], %r1;
ld.shared.u32 %r6, [%r4]; // FAULT
`},
	{"write to constant memory", emu.ReadOnlyWrite, 1, `
mov.u64 %rd5, table;
st.global.u32 [%rd5], %r1; //CUT // FAULT
`},
	{"race, write and read", emu.SharedRace, 64, `
xor.b32 %r6, %r2, 128; add.s32 %r6, %r6, %r3;
st.shared.u32 [%r4], %r1;
//FIX bar.sync 0;
setp.lt.u32 %p3, %r1, 32;
@%p3 bra DONE;
ld.shared.u32 %r7, [%r6]; // FAULT
DONE:`},
	{"race, read and write", emu.SharedRace, 64, `
xor.b32 %r6, %r2, 128; add.s32 %r6, %r6, %r3;
st.shared.u32 [%r4], %r1;
bar.sync 0;
ld.shared.u32 %r7, [%r6]; // FAULT
//FIX bar.sync 0;
st.shared.u32 [%r4], %r7; // FAULT
`},
	{"race, write and write", emu.SharedRace, 64, `
setp.lt.u32 %p3, %r1, 32;
@%p3 st.shared.u32 [%r3], %r1;
//FIX bar.sync 0;
@!%p3 st.shared.u32 [%r3], %r1; // FAULT
`},
	{"race, atomic and plain", emu.SharedRace, 64, `
st.shared.u32 [%r4], 0;
bar.sync 0;
atom.shared.add.u32 %r6, [%r3], 1; // FAULT
//FIX bar.sync 0;
ld.shared.u32 %r6, [%r3]; // FAULT
`},
	{"race past a named barrier of others", emu.SharedRace, 96, `
setp.ge.u32 %p3, %r1, 64;
@%p3 bra LAST;
st.shared.u32 [%r4], %r1;
bar.sync 1, 64; //CUT
//FIX bar.sync 1, 96;
bra DONE;
LAST:
//FIX bar.sync 1, 96;
ld.shared.u32 %r6, [%r3]; // FAULT
DONE:`},
	{"race within a warp, write and read", emu.SharedRace, 32, `
xor.b32 %r6, %r2, 4; add.s32 %r6, %r6, %r3;
st.shared.u32 [%r4], %r1;
//FIX bar.warp.sync -1;
ld.shared.u32 %r7, [%r6]; // FAULT
`},
	{"race within a warp, read and write", emu.SharedRace, 32, `
xor.b32 %r6, %r2, 4; add.s32 %r6, %r6, %r3;
st.shared.u32 [%r4], %r1;
bar.warp.sync -1;
ld.shared.u32 %r7, [%r6];
//FIX bar.warp.sync -1;
st.shared.u32 [%r4], %r7; // FAULT
`},
	{"ldmatrix of another lane's rows", emu.SharedRace, 32, `
shl.b32 %r6, %r1, 4; add.s32 %r6, %r6, %r3;
st.shared.v4.u32 [%r6], {%r1, %r1, %r1, %r1};
//FIX bar.warp.sync -1;
ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r7, %r8, %r9, %r10}, [%r6]; // FAULT
`},
	{"divergent barrier", emu.DivergentBarrier, 32, `
@%p2 bra THEN; //CUT
bar.sync 0; // FAULT
bra DONE;
THEN:
bar.sync 0; // FAULT
DONE:`},
	{"deadlock at a barrier", emu.Deadlock, 64, `
setp.lt.u32 %p3, %r1, 32;
@%p3 bra DONE; //CUT
bar.sync 1, 64; // FAULT
DONE:`},
	{"deadlock at an mbarrier", emu.Deadlock, 32, `
@%p1 mbarrier.init.shared.b64 [%r5], 2;
bar.sync 0;
@%p1 mbarrier.arrive.shared.b64 _, [%r5];
//FIX @%p1 mbarrier.arrive.shared.b64 _, [%r5];
WAIT:
mbarrier.try_wait.parity.shared.b64 %p3, [%r5], 0; // FAULT
@!%p3 bra WAIT;`},
	{"mbarrier without init", emu.BadOperand, 32, `
//FIX @%p1 mbarrier.init.shared.b64 [%r5], 1;
@%p1 mbarrier.arrive.shared.b64 _, [%r5]; // FAULT
`},
	{"shuffle without all lanes", emu.BadMask, 32, `
@%p2 bra DONE; //CUT
shfl.sync.bfly.b32 %r6, %r1, 1, 31, -1; // FAULT
DONE: mov.u32 %r8, 1;`},
	{"shuffle from a lane outside", emu.BadMask, 32, `
@!%p2 bra DONE;
mov.u32 %r7, 20; //CUT
//FIX mov.u32 %r7, 10;
shfl.sync.idx.b32 %r6, %r1, %r7, 31, 0xffff; // FAULT
DONE:`},
	{"trap", emu.Trap, 32, `
@%p1 trap; //CUT // FAULT
`},
	{"endless loop", emu.EndlessLoop, 32, `
LOOP:
add.s32 %r6, %r6, 1; // FAULT
//FIX setp.lt.s32 %p3, %r6, 10;
//FIX @%p3 bra LOOP; bra DONE;
bra LOOP; // FAULT
DONE:`},
	{"cp.async read too early", emu.MissingWait, 32, `
cp.async.ca.shared.global [%r4], [%rd1], 4;
cp.async.commit_group;
//FIX cp.async.wait_group 0;
ld.shared.u32 %r6, [%r4]; // FAULT
`},
	{"cp.async, too many groups left", emu.MissingWait, 32, `
cp.async.ca.shared.global [%r4], [%rd1], 4;
cp.async.commit_group;
cp.async.wait_group 1; //CUT
//FIX cp.async.wait_group 0;
ld.shared.u32 %r6, [%r4]; // FAULT
`},
	{"cp.async seen by another warp without barrier", emu.SharedRace, 64, `
setp.lt.u32 %p3, %r1, 32;
@%p3 cp.async.ca.shared.global [%r4], [%rd1], 4;
cp.async.wait_all;
//FIX bar.sync 0;
@!%p3 ld.shared.u32 %r6, [%r4+-128]; // FAULT
`},
	{"bulk copy read too early", emu.MissingWait, 32, `
@%p1 mbarrier.init.shared.b64 [%r5], 1;
fence.mbarrier_init.release.cluster;
bar.sync 0;
@%p1 mbarrier.arrive.expect_tx.shared.b64 _, [%r5], 128;
@%p1 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%rd1], 128, [%r5];
//FIX WAIT: mbarrier.try_wait.parity.shared.b64 %p3, [%r5], 0; @!%p3 bra WAIT;
ld.shared.u32 %r6, [%r4]; // FAULT
`},
	{"bulk copy over data in use", emu.SharedRace, 64, `
@%p1 mbarrier.init.shared.b64 [%r5], 1;
st.shared.u32 [%r4], %r1;
bar.sync 0;
ld.shared.u32 %r6, [%r4]; // FAULT
fence.proxy.async;
//FIX bar.sync 0;
@%p1 mbarrier.arrive.expect_tx.shared.b64 _, [%r5], 240;
@%p1 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%rd1], 240, [%r5]; // FAULT
WAIT: mbarrier.try_wait.parity.shared.b64 %p3, [%r5], 0; @!%p3 bra WAIT;
`},
	{"bulk store without proxy fence", emu.ProxyFence, 32, `
st.shared.u32 [%r4], %r1;
//FIX fence.proxy.async.shared::cta;
bar.sync 0;
@%p1 cp.async.bulk.global.shared::cta.bulk_group [%rd1], [%r3], 128; // FAULT
@%p1 cp.async.bulk.commit_group;
@%p1 cp.async.bulk.wait_group.read 0;`},
	{"bulk store never waited for", emu.MissingWait, 32, `
st.shared.u32 [%r4], %r1;
fence.proxy.async.shared::cta;
bar.warp.sync -1;
@%p1 cp.async.bulk.global.shared::cta.bulk_group [%rd1], [%r3], 128; // FAULT
@%p1 cp.async.bulk.commit_group;
//FIX @%p1 cp.async.bulk.wait_group.read 0;
`},
	{"bulk store misaligned", emu.Misaligned, 32, `
st.shared.u32 [%r4], %r1;
fence.proxy.async.shared::cta;
bar.warp.sync -1;
@%p1 cp.async.bulk.global.shared::cta.bulk_group [%rd1+4], [%r3], 128; //CUT // FAULT
@%p1 cp.async.bulk.commit_group;
@%p1 cp.async.bulk.wait_group.read 0;`},
	{"wgmma without wgmma.fence", emu.ProxyFence, 128, smallProduct("//FIX wgmma.fence.sync.aligned;", "fence.proxy.async;", " // FAULT", "wgmma.wait_group.sync.aligned 0;")},
	{"wgmma of generic writes without proxy fence", emu.ProxyFence, 128, smallProduct("wgmma.fence.sync.aligned;", "//FIX fence.proxy.async;", " // FAULT", "wgmma.wait_group.sync.aligned 0;")},
	{"wgmma never waited for", emu.MissingWait, 128, smallProduct("wgmma.fence.sync.aligned;", "fence.proxy.async;", " // FAULT", "//FIX wgmma.wait_group.sync.aligned 0;")},
}

// smallProduct multiplies matrices of zeros that the threads write.
func smallProduct(fence, proxy, mark, wait string) string {
	return fmt.Sprintf(`
mov.f32 %%f1, 0f00000000; mov.f32 %%f2, %%f1; mov.f32 %%f3, %%f1; mov.f32 %%f4, %%f1;
shl.b32 %%r6, %%r1, 4; add.s32 %%r6, %%r6, %%r3; st.shared.v2.u64 [%%r6], {0, 0}; st.shared.v2.u64 [%%r6+2048], {0, 0};
%s
bar.sync 0;
shr.u32 %%r7, %%r3, 4; or.b32 %%r7, %%r7, 0x80000; cvt.u64.u32 %%rd5, %%r7; or.b64 %%rd5, %%rd5, 0x1000000000;
%s
wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%%f1, %%f2, %%f3, %%f4}, %%rd5, %%rd5, 1, 1, 1, 0, 0;%s
wgmma.commit_group.sync.aligned;
%s`, proxy, fence, mark, wait)
}

// TestPlanted runs every kernel with its mistake, where the fault must be the planted one at its line, and repaired, where there must be none.
func TestPlanted(t *testing.T) {
	for i := range plants {
		p := &plants[i]
		t.Run(p.name, func(t *testing.T) {
			for _, repaired := range []bool{false, true} {
				r := newRig(t, emu.Options{Sanitize: true, MaxSteps: 100000})
				text, lines := p.text(repaired)
				m, err := r.dev.LoadModule("planted.ptx", []byte(text))
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				a, b := r.put(make([]uint32, 63)), r.alloc(256)
				_, err = r.try(r.fn(m, "k"), d1(1), d1(p.threads), 1024, a, b)
				if repaired {
					if err != nil {
						t.Errorf("repaired: %v", err)
					}
					continue
				}
				var f *emu.Fault
				if !errors.As(err, &f) {
					t.Fatalf("no fault: %v", err)
				}
				if f.Kind != p.kind || !slices.Contains(lines, f.Line) || f.Kernel != "k" || f.File != "planted.ptx" {
					t.Errorf("got %v, want %v at one of lines %v", f, p.kind, lines)
				}
			}
		})
	}
}

// TestUseAfterFree and the leak are mistakes of the host.
func TestUseAfterFree(t *testing.T) {
	r := newRig(t, emu.Options{})
	text, _ := (&planted{body: "ld.global.u32 %r6, [%rd1];"}).text(false)
	m, err := r.dev.LoadModule("planted.ptx", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	a := r.put(make([]uint32, 8))
	r.launch(r.fn(m, "k"), d1(1), d1(1), 1024, a, a)
	if err := r.dev.Leaks(); err == nil {
		t.Error("the leak is not found")
	}
	if err := r.dev.Free(a); err != nil {
		t.Fatal(err)
	}
	if err := r.dev.Leaks(); err != nil {
		t.Error(err)
	}
	_, err = r.try(r.fn(m, "k"), d1(1), d1(1), 1024, a, a)
	var f *emu.Fault
	if !errors.As(err, &f) || f.Kind != emu.UseAfterFree {
		t.Errorf("got %v", err)
	}
	if err := r.dev.Free(a); err == nil {
		t.Error("a second free is not found")
	}
	if err := r.dev.CopyIn(a, []byte{1}); err == nil {
		t.Error("a copy to freed memory is not found")
	}
}
