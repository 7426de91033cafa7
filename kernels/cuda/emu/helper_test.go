package emu_test

import (
	"encoding/binary"
	"math"
	"os"
	"testing"

	"artel/kernels/cuda/emu"
)

// rig is a device with helpers that fail the test.
type rig struct {
	*testing.T
	dev *emu.Device
}

func newRig(t *testing.T, opts emu.Options) *rig { return &rig{t, emu.New(opts)} }

func (r *rig) load(file string) *emu.Module {
	r.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		r.Fatal(err)
	}
	m, err := r.dev.LoadModule(file, text)
	if err != nil {
		r.Fatal(err)
	}
	return m
}

func (r *rig) fn(m *emu.Module, name string) *emu.Function {
	r.Helper()
	f, err := m.Function(name)
	if err != nil {
		r.Fatal(err)
	}
	return f
}

func (r *rig) alloc(bytes int) emu.Ptr {
	r.Helper()
	p, err := r.dev.Alloc(int64(bytes))
	if err != nil {
		r.Fatal(err)
	}
	return p
}

// put copies a slice of fixed-size numbers to new device memory.
func (r *rig) put(v any) emu.Ptr {
	r.Helper()
	b, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		r.Fatal(err)
	}
	p := r.alloc(max(len(b), 1))
	if err := r.dev.CopyIn(p, b); err != nil {
		r.Fatal(err)
	}
	return p
}

// get copies device memory to a slice of numbers.
func (r *rig) get(p emu.Ptr, v any) {
	r.Helper()
	b := make([]byte, binary.Size(v))
	if err := r.dev.CopyOut(b, p); err != nil {
		r.Fatal(err)
	}
	if _, err := binary.Decode(b, binary.LittleEndian, v); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) launch(f *emu.Function, grid, dim emu.Dim3, dynamic int, args ...any) emu.Counters {
	r.Helper()
	c, err := r.try(f, grid, dim, dynamic, args...)
	if err != nil {
		r.Fatal(err)
	}
	return c
}

func (r *rig) try(f *emu.Function, grid, dim emu.Dim3, dynamic int, args ...any) (emu.Counters, error) {
	r.Helper()
	params, err := f.Pack(args...)
	if err != nil {
		r.Fatal(err)
	}
	return f.Launch(grid, dim, dynamic, params)
}

func d1(x int) emu.Dim3    { return emu.Dim3{X: x, Y: 1, Z: 1} }
func d2(x, y int) emu.Dim3 { return emu.Dim3{X: x, Y: y, Z: 1} }

// near fails unless got is within tol of want, relative to 1 and |want|.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > tol*math.Max(1, math.Abs(want)) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
