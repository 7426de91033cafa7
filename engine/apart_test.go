package engine_test

import (
	"reflect"
	"testing"

	"artel/data"
	"artel/engine"
	"artel/internal/apart"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/tensor"
)

// downloaded are the parameters as numbers, exactly, wherever they are.
func downloaded(e *engine.Engine) []float64 {
	x := tensor.New(e.Backend().Float, e.Set.Flat.Len())
	e.Backend().Copy(kernels.Copy{Dst: x, Src: e.Set.Flat})
	var out []float64
	for _, v := range x.F32() {
		out = append(out, float64(v))
	}
	return out
}

// TestApart trains every registered member on a backend whose memory the host does not reach and whose ops wait as long as they may. A missing
// copy panics, a missing Sync changes bits.
func TestApart(t *testing.T) {
	for name, args := range variants() {
		t.Run(name, func(t *testing.T) {
			want := newEngine(t, args...)
			be, _ := apart.New(cpu.New())
			got := newOn(t, newConfig(t, args...), be)
			n := 5
			if testing.Short() {
				n = 2
			}
			steps(t, want, n)
			steps(t, got, n)
			sameBits(t, downloaded(got), params(want))
		})
	}
}

// TestApartCheckpoint moves a run from one backend to the other and back by checkpoints.
func TestApartCheckpoint(t *testing.T) {
	args := []string{"ema=0.9"}
	want := newEngine(t, args...)
	steps(t, want, 6)
	be, _ := apart.New(cpu.New())
	e := newOn(t, newConfig(t, args...), be)
	steps(t, e, 2)
	e = saveAndLoad(t, e, args...)
	steps(t, e, 2)
	be, _ = apart.New(cpu.New())
	back := newOn(t, newConfig(t, args...), be)
	restore(t, back, e)
	steps(t, back, 2)
	sameBits(t, downloaded(back), params(want))
	a, err := back.Evaluate(data.Test)
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.Evaluate(data.Test)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) || len(b) == 0 {
		t.Errorf("metrics %v, want %v", a, b)
	}
}

// TestWaits counts where a step waits for the device: before it reads the losses, the flags of the sink, the inner products, and the norm.
func TestWaits(t *testing.T) {
	for _, c := range []struct {
		method string
		most   int
	}{{"sum", 2}, {"pcgrad", 3}} {
		be, d := apart.New(cpu.New())
		e := newOn(t, newConfig(t, "surgery.method="+c.method), be)
		steps(t, e, 3)
		s, up, down := d.Syncs, d.Uploads, d.Downloads
		steps(t, e, 4)
		if n := (d.Syncs - s) / 4; n != c.most || d.Downloads != down {
			t.Errorf("%s: a step waits %d times and downloads %d, want at most %d and none", c.method, n, d.Downloads-down, c.most)
		}
		if n := (d.Uploads - up) / 4; n != 1 {
			t.Errorf("%s: %d uploads in a step, want one: the rows", c.method, n)
		}
	}
}
