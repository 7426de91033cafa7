package cuda

import (
	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda/driver"
	"artel/tensor"

	"github.com/pkg/errors"
)

// tiling is a form of the kernels of products: where they are, and the tile that a block makes.
type tiling struct {
	module, suffix string
	rows, cols     int
	threads        uint32
	shared         int // bytes of dynamic shared memory
}

// The forms. All that are exact make the same bits, since each element is the same sum in the same order.
var (
	small    = tiling{module: "singles", rows: 64, cols: 64, threads: 128}
	large    = tiling{module: "singles", suffix: "_large", rows: 128, cols: 128, threads: 256}
	rounding = tiling{module: "halves", suffix: "_bf16", rows: 128, cols: 128, threads: 256}
	thin     = tiling{module: "singles", suffix: "_thin", rows: 16, cols: 32, threads: 256}
	streamed = tiling{module: "streamed", suffix: "_bf16_async", rows: 128, cols: 128, threads: 256, shared: 4*16<<10 + 2<<10}
)

// tilingFor picks the form for about so many rows by cols elements: the larger tile does more per byte of shared memory, but has to occupy the units. Copied says that
// both operands can be copied as they lie.
func tilingFor(products dtype.Type, copied bool, units, cells, rows, cols int) tiling {
	switch {
	case products == dtype.BF16 && copied:
		return streamed
	case products == dtype.BF16:
		return rounding
	case cells*ceil(rows, large.rows)*ceil(cols, large.cols) >= units:
		return large
	}
	return small
}

// gemmTiling is tilingFor of one product: with few rows the matrix is read once, by all units, and nothing else counts. That depends on the shape alone, so that an
// operand gives the same bits however it lies in memory.
func gemmTiling(products dtype.Type, copied bool, units, rows, cols int) tiling {
	if rows <= thin.rows {
		return thin
	}
	return tilingFor(products, copied, units, 1, rows, cols)
}

// roundBit tells the form of few rows whether operands are rounded.
func roundBit(products dtype.Type) int {
	if products == dtype.BF16 {
		return rounds
	}
	return 0
}

// copyElements is how many elements of bfloat16 are copied to shared memory at a time, from an address that is a multiple of their size.
const copyElements = 8

// copied reports whether operands can be copied as they lie: bfloat16, with aligned runs in the dimension whose stride is 1.
func (d *device) copied(operands ...tensor.Tensor) bool {
	for _, x := range operands {
		if x.Type != dtype.BF16 || uint64(d.address(x))%(2*copyElements) != 0 {
			return false
		}
		ones := 0
		for i := range x.Rank() {
			if s := x.Stride(i); s == 1 {
				ones++
			} else if s%copyElements != 0 {
				return false
			}
		}
		if ones != 1 {
			return false
		}
	}
	return true
}

func ceil(n, side int) int { return (n + side - 1) / side }

// gemm, grouped and gradW are the number of tiles, and so of blocks, of a product.
func (t tiling) gemm(m, n int) int { return ceil(m, t.rows) * ceil(n, t.cols) }

// grouped counts as many tiles as there can be, because only the device knows the groups: the rows of C cut into groups anywhere.
func (t tiling) grouped(rows, groups, n int) int { return (rows/t.rows + groups) * ceil(n, t.cols) }

func (t tiling) gradW(cells, k, n int) int { return cells * ceil(k, t.rows) * ceil(n, t.cols) }

// gatedCols is the number of columns of a product whose tiles hold as many units as grouped counts of width: with SwiGLU a unit is two of them.
func gatedCols(g kernels.Gate, width int, t tiling) int {
	if g == kernels.SwiGLU {
		return 2 * (t.cols / 2 * ceil(width, t.cols/2))
	}
	return width
}

// product begins a launch of a kernel of a form.
func (d *device) product(t tiling, name string) call { return d.op(t.module, name+t.suffix) }

// mostBlocks is the largest grid.
const mostBlocks = 1<<31 - 1

// tiles launches a block a tile.
func (c call) tiles(t tiling, n int) {
	if n > mostBlocks {
		c.d.fail(errors.Errorf("cuda: a product of %d tiles of %d x %d; want at most %d", n, t.rows, t.cols, mostBlocks))
	}
	if n > 0 && c.d.err == nil {
		c.d.run(c.k, driver.Dim3{X: uint32(n), Y: 1, Z: 1}, driver.Dim3{X: t.threads, Y: 1, Z: 1}, t.shared)
	}
}

// The bits of products.cuh that tell which tensors hold bfloat16.
const (
	halfA = 1 << iota
	halfB
	halfH
	halfOut
	halfAgain
	rounds // operands are rounded to bfloat16, for the form that serves both kinds of products
)

// halfBit is the bit for a tensor of bfloat16.
func halfBit(t tensor.Tensor, bit int) int {
	if t.Ok() && t.Type == dtype.BF16 {
		return bit
	}
	return 0
}
