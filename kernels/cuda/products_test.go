package cuda

import (
	"testing"

	"artel/dtype"
	"artel/kernels"
)

// TestTiles checks the form and the grid of products: every element of every group is in a tile, and small products use small tiles.
func TestTiles(t *testing.T) {
	for _, c := range []struct {
		products          dtype.Type
		copied            bool
		units, cells      int
		rows, cols        int
		want              tiling
		gemm, gradW, four int // tiles of one product, of cells destinations, and of rows in four groups
	}{
		{dtype.F32, false, 108, 1, 64, 64, small, 1, 1, 5},
		{dtype.F32, false, 108, 1, 65, 129, small, 6, 6, 15},
		{dtype.F32, false, 108, 1, 1280, 1280, small, 400, 400, 480},
		{dtype.F32, false, 108, 1, 1408, 1408, large, 121, 121, 165},
		{dtype.F32, false, 108, 108, 5, 7, large, 1, 108, 4},
		{dtype.F32, false, 1, 1, 5, 7, large, 1, 1, 4},
		{dtype.F32, false, 1, 1, 0, 7, small, 0, 0, 4},
		{dtype.BF16, false, 108, 1, 129, 64, rounding, 2, 2, 5},
		{dtype.BF16, false, 108, 3, 1 << 20, 1 << 20, rounding, 1 << 26, 3 << 26, 1<<26 + 4<<13},
		{dtype.BF16, true, 108, 1, 129, 64, streamed, 2, 2, 5},
		{dtype.F32, true, 108, 1, 64, 64, small, 1, 1, 5},
	} {
		got := tilingFor(c.products, c.copied, c.units, c.cells, c.rows, c.cols)
		if got != c.want {
			t.Errorf("%v on %d units, %d of %dx%d: %+v, want %+v", c.products, c.units, c.cells, c.rows, c.cols, got, c.want)
		}
		if g, w, f := got.gemm(c.rows, c.cols), got.gradW(c.cells, c.rows, c.cols), got.grouped(c.rows, 4, c.cols); g != c.gemm || w != c.gradW || f != c.four {
			t.Errorf("%v, %d of %dx%d: %d, %d and %d tiles, want %d, %d and %d", c.products, c.cells, c.rows, c.cols, g, w, f, c.gemm, c.gradW, c.four)
		}
	}
	for _, c := range []struct {
		rows int
		want tiling
		n    int // tiles of 65 columns
	}{{0, thin, 0}, {1, thin, 3}, {16, thin, 3}, {17, streamed, 1}} {
		got := gemmTiling(dtype.BF16, true, 108, c.rows, 65)
		if n := got.gemm(c.rows, 65); got != c.want || n != c.n {
			t.Errorf("%d rows: %d tiles of %+v, want %d of %+v", c.rows, n, got, c.n, c.want)
		}
	}
	for cols, want := range map[int]int{1: 8, 8: 8, 9: 16, 16: 16, 17: 32, 500: 32} {
		if got := lanesOf(cols); got != want {
			t.Errorf("%d lanes for %d columns, want %d", got, cols, want)
		}
	}
	for _, c := range []struct {
		gate        kernels.Gate
		width, want int // columns
	}{{kernels.SwiGLU, 1, 64}, {kernels.SwiGLU, 32, 64}, {kernels.SwiGLU, 33, 128}, {kernels.ReLUAct, 33, 33}, {kernels.SwiGLU, 0, 0}} {
		if got := gatedCols(c.gate, c.width, small); got != c.want {
			t.Errorf("%v of width %d: %d columns, want %d", c.gate, c.width, got, c.want)
		}
	}
}
