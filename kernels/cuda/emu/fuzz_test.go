package emu_test

import (
	"os"
	"testing"

	"artel/kernels/cuda/emu"
)

// FuzzInstruction decodes one instruction with any words and operands: what is not PTX is an error, never a panic.
func FuzzInstruction(f *testing.F) {
	for _, c := range forms {
		reg := map[int]string{1: "%p", 16: "%h", 32: "%r", 64: "%rd"}[c.bits]
		f.Add(c.op + " " + reg + ", " + numbers(c.args) + ";")
	}
	for _, s := range []string{"shfl.sync.idx.b32 %r|%p, %r, 0, 31, -1;", "vote.sync.ballot.b32 %r, %p, -1;", "bar.red.popc.u32 %r, 0, 64, %p;", "atom.global.cas.b32 %r, [%rd], 1, 2;",
		"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r, %r, %r, %r}, [%r];", "cp.async.cg.shared.global [%r], [%rd], 16, %r;", "mbarrier.try_wait.parity.shared::cta.b64 %p, [%r], %r;",
		"cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r], [%rd, {%r, %r}], [%r];", "redux.sync.add.u32 %r, %r, -1;", "st.shared.v2.u32 [s+8], {%r, 1};",
		"wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%f, %f, %f, %f}, %rd, %rd, %p, 1, 1, 0, 0;", "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f, %f, %f, %f}, {%r, %r, %r, %r}, {%r, %r}, {%f, %f, %f, %f};",
		"slct.s32.s32 %r, %r, %r, %r;", "match.any.sync.b32 %r, %r, -1;", "fence.proxy.async;", "bra L;", "elect.sync _|%p, -1;"} {
		f.Add(s)
	}
	if text, err := os.ReadFile("testdata/routing.sm_80.ptx"); err == nil {
		f.Add(string(text[len(text)/2 : len(text)/2+2000]))
	}
	f.Fuzz(func(t *testing.T, text string) {
		dev := emu.New(emu.Options{MemoryBytes: 1 << 20})
		m, err := dev.LoadModule("fuzz.ptx", []byte(".version 8.0\n.target sm_90a\n.address_size 64\n.visible .entry k(.param .u64 a)\n{\n"+
			".reg .pred %p; .reg .b16 %h; .reg .b32 %r; .reg .b64 %rd; .reg .f32 %f; .reg .f64 %d; .shared .b8 s[64];\nL:\n"+text+"\nret;\n}\n"))
		if (m == nil) == (err == nil) {
			t.Error("neither a module nor an error")
		}
	})
}
