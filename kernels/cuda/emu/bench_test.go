package emu_test

import (
	"os"
	"testing"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu"
)

// benchRig is one core without sanitizer, as speeds are quoted.
func benchRig(b *testing.B, file string) (*emu.Device, *emu.Module) {
	dev := emu.New(emu.Options{Workers: 1})
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		b.Fatal(err)
	}
	m, err := dev.LoadModule(file, text)
	if err != nil {
		b.Fatal(err)
	}
	return dev, m
}

func benchAlloc(b *testing.B, dev *emu.Device, n int) emu.Ptr {
	p, err := dev.Alloc(int64(n))
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func benchLaunch(b *testing.B, m *emu.Module, name string, grid, dim emu.Dim3, dynamic int, args ...any) {
	f, err := m.Function(name)
	if err != nil {
		b.Fatal(err)
	}
	params, err := f.Pack(args...)
	if err != nil {
		b.Fatal(err)
	}
	var c emu.Counters
	for b.Loop() {
		n, err := f.Launch(grid, dim, dynamic, params)
		if err != nil {
			b.Fatal(err)
		}
		c.Add(n)
	}
	s := b.Elapsed().Seconds()
	b.ReportMetric(float64(c.Threads)/s/1e6, "Mthread-inst/s")
	if c.TensorFLOPs > 0 {
		b.ReportMetric(float64(c.TensorFLOPs)/2/s/1e9, "GMAC/s")
	}
}

func BenchmarkSoftmax(b *testing.B) {
	dev, m := benchRig(b, "programs.sm_80.ptx")
	const rows, cols = 64, 4096
	benchLaunch(b, m, "softmax", d1(rows), d1(256), 0, benchAlloc(b, dev, rows*cols*4), benchAlloc(b, dev, rows*cols*4), cols)
}

func BenchmarkMatmul(b *testing.B) {
	dev, m := benchRig(b, "programs.sm_80.ptx")
	const n = 128
	benchLaunch(b, m, "matmul", d2(n/16, n/16), d2(16, 16), 0, benchAlloc(b, dev, n*n*4), benchAlloc(b, dev, n*n*4), benchAlloc(b, dev, n*n*4), n, n, n)
}

// index puts numbers in device memory.
func index(b *testing.B, dev *emu.Device, v ...byte) emu.Ptr {
	p := benchAlloc(b, dev, 4*len(v))
	for i, x := range v {
		if err := dev.CopyIn(p+emu.Ptr(4*i), []byte{x, 0, 0, 0}); err != nil {
			b.Fatal(err)
		}
	}
	return p
}

func BenchmarkMMA(b *testing.B) {
	dev, m := benchRig(b, "gemm_sm80.sm_80.ptx")
	const n, k = 128, 512
	benchLaunch(b, m, "grouped_gemm_bf16_sm80", d1(1), d1(256), 4*(128+128)*64, benchAlloc(b, dev, n*k*2), benchAlloc(b, dev, n*k*2), benchAlloc(b, dev, n*n*2),
		index(b, dev, 0, n), index(b, dev, 0), index(b, dev, 0), n, k)
}

func BenchmarkWGMMA(b *testing.B) {
	dev, m := benchRig(b, "gemm_sm90a.sm_90a.ptx")
	const n, k = 128, 512
	tensor := func(p emu.Ptr, cols, boxRows, boxCols int, swizzle driver.Swizzle) []byte {
		m := emu.EncodeTiled(&driver.Tiled{Type: driver.BF16, Rank: 2, Base: driver.Ptr(p), Dims: [5]uint64{uint64(cols), n}, Strides: [4]uint64{uint64(2 * cols)},
			Box: [5]uint32{uint32(boxCols), uint32(boxRows)}, Steps: [5]uint32{1, 1}, Swizzle: swizzle})
		return m[:]
	}
	x, y, z := benchAlloc(b, dev, n*k*2), benchAlloc(b, dev, n*k*2), benchAlloc(b, dev, n*n*2)
	benchLaunch(b, m, "grouped_gemm_bf16_sm90a", d1(1), d1(384), 4*(128+128)*64*2, tensor(x, k, 128, 64, driver.Swizzle128), tensor(y, k, 128, 64, driver.Swizzle128),
		tensor(z, n, 64, 128, driver.NoSwizzle), z, index(b, dev, 0, n), index(b, dev, 0), index(b, dev, 0), n, k)
}
