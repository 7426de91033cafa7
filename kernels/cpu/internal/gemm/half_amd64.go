//go:build !purego

package gemm

// bf16 returns the packing and the micro-kernel for processors that multiply pairs of bfloat16 numbers.
func bf16() *half {
	return &half{
		run: runHalf, row: roundRow512, rows: pairRows512, tiles: pairTiles512, transpose: pairTranspose512, interRows: interRows512, interTiles: interTiles512,
	}
}

//go:noescape
func bf16x1(t *tile)

//go:noescape
func bf16x2(t *tile)

//go:noescape
func bf16x3(t *tile)

//go:noescape
func bf16x4(t *tile)

//go:noescape
func bf16x5(t *tile)

//go:noescape
func bf16x6(t *tile)

//go:noescape
func bf16x7(t *tile)

//go:noescape
func bf16x8(t *tile)

//go:noescape
func bf16x9(t *tile)

//go:noescape
func bf16x10(t *tile)

//go:noescape
func bf16x11(t *tile)

//go:noescape
func bf16x12(t *tile)

//go:noescape
func roundRow(dst, src *float32, k int)

//go:noescape
func pairPanel(dst, src *float32, stride, k int, mask uint64, step int, index *int32)

//go:noescape
func pairTile(dst, src *float32, stride, k int, mask uint64, step int, index *int32)

//go:noescape
func pairTranspose(dst, src *float32, stride, k, n int)

//go:noescape
func interPanel(dst *float32, src *uint16, stride, k int, mask uint64, step int, index *int32)

//go:noescape
func interTile(dst *float32, src *uint16, stride, k int, mask uint64, step int, index *int32)

//go:noescape
func interTiles(dst *float32, src *uint16, stride, k, far int, index *int32)

func interTiles512(dst []float32, src []uint16, stride, k, far int, index []int32) {
	interTiles(&dst[0], &src[0], stride, k, far, first(index))
}

func interRows512(dst []float32, src []uint16, stride, k, n, step int, index []int32, pad bool) {
	ix := first(index)
	if pad {
		interPanel(&dst[0], &src[0], stride, k, 1<<n-1, step, ix)
	} else {
		interTile(&dst[0], &src[0], stride, k, 1<<n-1, step, ix)
	}
}

//go:noescape
func pairTiles(dst, src *float32, stride, k, far int, index *int32)

func pairTiles512(dst, src []float32, stride, k, far int, index []int32) {
	pairTiles(&dst[0], &src[0], stride, k, far, first(index))
}

func roundRow512(dst, src []float32) { roundRow(&dst[0], &src[0], len(src)) }

func pairRows512(dst, src []float32, stride, k, n, step int, index []int32, pad bool) {
	ix := first(index)
	if pad {
		pairPanel(&dst[0], &src[0], stride, k, 1<<n-1, step, ix)
	} else {
		pairTile(&dst[0], &src[0], stride, k, 1<<n-1, step, ix)
	}
}

func pairTranspose512(dst, src []float32, stride, k, n int) {
	pairTranspose(&dst[0], &src[0], stride, k, min(n, 16))
	if n > 16 {
		pairTranspose(&dst[16], &src[16*stride], stride, k, n-16)
		return
	}
	for i := 0; i < (k+1)/2; i++ {
		*(*[16]float32)(dst[i*Panel+16:]) = [16]float32{}
	}
}

func runHalf(t *tile, mr, nr int) {
	t.mask = 1<<nr - 1
	switch mr {
	case 12:
		bf16x12(t)
	case 11:
		bf16x11(t)
	case 10:
		bf16x10(t)
	case 9:
		bf16x9(t)
	case 8:
		bf16x8(t)
	case 7:
		bf16x7(t)
	case 6:
		bf16x6(t)
	case 5:
		bf16x5(t)
	case 4:
		bf16x4(t)
	case 3:
		bf16x3(t)
	case 2:
		bf16x2(t)
	case 1:
		bf16x1(t)
	}
}
