package gemm

import "unsafe"

// generic is the variant in plain Go.
var generic = &Variant{Name: "go", mr: 4, run: goTile, copyRows: copyRows, transpose: transposePanel}

// goTile computes a tile row by row.
func goTile(t *tile, mr, nr int) {
	for i := 0; i < mr; i++ {
		var acc [Panel]float32
		a := unsafe.Add(t.a, i*t.rs)
		for k := 0; k < t.k; k++ {
			x := *(*float32)(unsafe.Add(a, k*t.cs))
			row := (*[Panel]float32)(unsafe.Add(t.b, k*t.bs))
			for j := 0; j < Panel; j += 4 {
				acc[j] += x * row[j]
				acc[j+1] += x * row[j+1]
				acc[j+2] += x * row[j+2]
				acc[j+3] += x * row[j+3]
			}
		}
		finish(t, i, nr, acc[:nr])
	}
}

// finish adds what is to be added to the sums of row i and stores them.
func finish(t *tile, i, nr int, acc []float32) {
	if nr == 0 {
		return
	}
	c := unsafe.Slice((*float32)(unsafe.Add(t.c, i*t.ldc)), nr)
	if t.bias != nil {
		for j, v := range unsafe.Slice((*float32)(t.bias), nr) {
			acc[j] += v
		}
	}
	if t.add != nil {
		for j, v := range unsafe.Slice((*float32)(unsafe.Add(t.add, i*t.ldadd)), nr) {
			acc[j] += v
		}
	}
	copy(c, acc)
}
