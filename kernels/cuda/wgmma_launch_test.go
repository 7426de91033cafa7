package cuda

import (
	"slices"
	"testing"
	"testing/fstest"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/driver/fake"
)

// hopperOn is a fake device of compute capability 9.0 whose products round to bfloat16.
func hopperOn(t *testing.T, f *fake.Driver) *device {
	f.Attributes[driver.ComputeCapabilityMajor], f.Attributes[driver.ComputeCapabilityMinor], f.Attributes[driver.Multiprocessors] = 9, 0, 132
	d := fakeDevice(t, f, fstest.MapFS{"wgmma.sm_90a.ptx": image("x"), "wgmma_grad.sm_90a.ptx": image("x"), "halves.sm_80.ptx": image("x"), "linear.sm_80.ptx": image("x"), "singles.sm_80.ptx": image("x")})
	d.products = dtype.BF16
	return d
}

// TestTileFor checks the tile that shapes get: the largest for much work, 64 rows for groups of few rows, less where the multiprocessors would not be busy.
func TestTileFor(t *testing.T) {
	d := hopperOn(t, fake.New())
	for _, c := range []struct{ rows, groups, cols, want, wantCols int }{
		{1 << 16, 1, 4096, 128, 256},
		{24576 * 8, 128, 512, 128, 256}, // 7B-n256 up
		{4096, 128, 512, 64, 256},       // 32 rows a group
		{512, 1, 512, 64, 128},
		{1 << 16, 1, 128, 128, 128},
	} {
		got := d.tileFor(c.rows, c.groups, c.cols, func(t *tile) string { return t.product[layoutDD] })
		if got.rows != c.want || got.cols != c.wantCols {
			t.Errorf("%d rows in %d groups, %d columns: %d x %d, want %d x %d", c.rows, c.groups, c.cols, got.rows, got.cols, c.want, c.wantCols)
		}
	}
	for i := range d.wgmma.tiles {
		if tile := &d.wgmma.tiles[i]; tile.shared() > 227<<10 || tile.stages() < 4 {
			t.Errorf("%d x %d: %d stages in %d bytes; want at least 4 in at most 227 KiB", tile.rows, tile.cols, tile.stages(), tile.shared())
		}
	}
}

// TestWarpgroupLaunch checks which products go to warpgroups, that operands are copied only where they have to be, and that nothing is allocated.
func TestWarpgroupLaunch(t *testing.T) {
	f := fake.New()
	d := hopperOn(t, f)
	be := d.backend(dtype.BF16)
	matrix := func(typ dtype.Type, shape ...int) kernels.GEMM {
		return kernels.GEMM{A: be.New(typ, shape[0], shape[2]), B: be.New(typ, shape[2], shape[1]), C: be.New(dtype.F32, shape[0], shape[1])}
	}
	var launched []string
	api := *d.api
	api.Launch = func(l *driver.Launch) error {
		for key, k := range d.kernels {
			if k.fn == l.Function {
				launched = append(launched, key[1])
			}
		}
		return nil
	}
	d.api = &api
	aligned, odd, small, few, float := matrix(dtype.BF16, 512, 512, 256), matrix(dtype.BF16, 512, 511, 257), matrix(dtype.F32, 64, 32, 64), matrix(dtype.F32, 8, 512, 512), matrix(dtype.F32, 512, 512, 256)
	for _, c := range []struct {
		name string
		op   kernels.GEMM
		want []string
	}{
		{"bfloat16", aligned, []string{"product_64x128_do"}},
		{"rows that are no multiple of 16 bytes", odd, []string{"pack", "pack", "product_64x128_do"}},
		{"float32", float, []string{"pack", "pack", "product_64x128_do"}},
		{"little work", small, []string{"gemm_bf16"}},
		{"few rows", few, []string{"gemm_thin"}},
	} {
		launched = nil
		be.GEMM(c.op)
		if err := be.Sync(); err != nil || !slices.Equal(launched, c.want) {
			t.Errorf("%s: launched %v, want %v: %v", c.name, launched, c.want, err)
		}
	}
	api.Launch = func(*driver.Launch) error { return nil } // the record allocates
	api.TensorMapEncodeTiled = func(*driver.TensorMap, *driver.Tiled) error { return nil }
	if n := testing.AllocsPerRun(20, func() { be.GEMM(aligned); be.GEMM(float) }); n != 0 {
		t.Errorf("a product allocates %v times", n)
	}
}
