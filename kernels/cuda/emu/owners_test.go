package emu_test

import (
	"errors"
	"testing"

	"artel/kernels/cuda/emu"
)

// TestBlockRaces runs two blocks that meet in device memory in ways that depend on their order, and in ways that do not.
func TestBlockRaces(t *testing.T) {
	for _, c := range []struct {
		name, body string
		race       bool
	}{
		{"two writers", "st.global.u32 [%rd1], %r1;", true},
		{"reader and writer", "setp.eq.u32 %p1, %r2, 0; @%p1 st.global.u32 [%rd1], %r1; @!%p1 ld.global.u32 %r3, [%rd1];", true},
		{"own places", "mad.wide.u32 %rd2, %r2, 4, %rd1; st.global.u32 [%rd2], %r1; ld.global.u32 %r3, [%rd2];", false},
		{"neighbours in one word", "mad.wide.u32 %rd2, %r2, 2, %rd1; cvt.u16.u32 %h1, %r1; st.global.u16 [%rd2], %h1;", false},
		{"readers", "ld.global.u32 %r3, [%rd1];", false},
		{"atomics", "red.global.add.u32 [%rd1], 1;", false},
		{"read after an atomic", "st.global.u32 [%rd1+64], %r1; atom.global.add.u32 %r3, [%rd1], 1;", true},
		{"last block reads", "mad.wide.u32 %rd2, %r2, 4, %rd1; st.global.u32 [%rd2+64], %r1; membar.gl; atom.global.add.u32 %r3, [%rd1], 1; setp.eq.u32 %p1, %r3, 1; @%p1 ld.global.v2.u32 {%r3, %r4}, [%rd1+64];", false},
	} {
		for _, workers := range []int{1, 2} {
			r := newRig(t, emu.Options{Sanitize: true, GlobalRaces: true, Workers: workers})
			m, err := r.dev.LoadModule("blocks.ptx", []byte(`.version 8.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 a) { .reg .pred %p<3>; .reg .b16 %h<3>; .reg .b32 %r<6>; .reg .b64 %rd<4>;
ld.param.u64 %rd1, [a]; mov.u32 %r1, 7; mov.u32 %r2, %ctaid.x; `+c.body+" ret; }\n"))
			if err != nil {
				t.Fatal(err)
			}
			p := r.put(make([]uint32, 32))
			for range 2 {
				_, err = r.try(r.fn(m, "k"), d1(2), d1(1), 0, p)
				var f *emu.Fault
				if found := errors.As(err, &f) && f.Kind == emu.GlobalRace; found != c.race || !c.race && err != nil {
					t.Errorf("%s, %d workers: got %v, want a race %v", c.name, workers, err, c.race)
				}
				if c.race {
					break
				}
				// A second launch may touch what the first did.
				if err := r.dev.Fill(p, 0, 128); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
