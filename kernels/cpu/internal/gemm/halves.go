//go:build (amd64 || arm64) && !purego

package gemm

import "unsafe"

// byHalves covers a panel by two halves of 16 columns, by callHalf, which stores all its columns: a half that is not whole goes through a
// scratch tile.
func byHalves(t *tile, mr, nr int) {
	u := *t
	for half := 0; half < nr; half += 16 {
		u.b, u.c, u.bias = unsafe.Add(t.b, 4*half), unsafe.Add(t.c, 4*half), nil
		if t.add != nil {
			u.add = unsafe.Add(t.add, 4*half)
		}
		if t.bias != nil {
			u.bias = unsafe.Add(t.bias, 4*half)
		}
		if nr-half >= 16 {
			callHalf(&u, mr)
			continue
		}
		var sums [6 * 16]float32
		v := u
		v.c, v.ldc, v.add, v.bias = unsafe.Pointer(&sums), 64, nil, nil
		callHalf(&v, mr)
		for i := 0; i < mr; i++ {
			finish(&u, i, nr-half, sums[16*i:16*i+nr-half])
		}
	}
}
