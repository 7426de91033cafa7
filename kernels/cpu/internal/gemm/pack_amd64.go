//go:build !purego

package gemm

//go:noescape
func packPanel512(dst, src *float32, stride, k int, mask uint64, step int, index *int32)

//go:noescape
func packTile512(dst, src *float32, stride, k int, mask uint64, step int, index *int32)

//go:noescape
func transpose512(dst, src *float32, stride, k, n int)

//go:noescape
func packTiles512(dst, src *float32, stride, k, far int, index *int32)

//go:noescape
func prefetchRows(src *float32, stride, rows, n int)

//go:noescape
func touchRows(src *float32, stride, rows, n int)

// fetchRows is Variant.fetch.
func fetchRows(src []float32, stride, rows, n int) {
	if rows > 0 && n > 0 {
		prefetchRows(&src[0], stride, rows, n)
	}
}

// walkRows is Variant.touch.
func walkRows(src []float32, stride, rows, n int) {
	if rows > 0 && n > 0 {
		touchRows(&src[0], stride, rows, n)
	}
}

func copyTiles512(dst, src []float32, stride, k, far int, index []int32) {
	packTiles512(&dst[0], &src[0], stride, k, far, first(index))
}

// first is a pointer to the first element, nil for none.
func first(index []int32) *int32 {
	if len(index) == 0 {
		return nil
	}
	return &index[0]
}

func copyRows512(dst, src []float32, stride, k, n, step int, index []int32, pad bool) {
	if k == 0 {
		return
	}
	ix := first(index)
	if pad {
		packPanel512(&dst[0], &src[0], stride, k, 1<<n-1, step, ix)
	} else {
		packTile512(&dst[0], &src[0], stride, k, 1<<n-1, step, ix)
	}
}

func transposePanel512(dst, src []float32, stride, k, n int) {
	if k == 0 {
		return
	}
	transpose512(&dst[0], &src[0], stride, k, min(n, 16))
	if n > 16 {
		transpose512(&dst[16], &src[16*stride], stride, k, n-16)
		return
	}
	for i := 0; i < k; i++ {
		*(*[16]float32)(dst[i*Panel+16:]) = [16]float32{}
	}
}
