//go:build !purego

package vec

// top512 needs k <= n, and k <= 8 where n > 16. It reports whether it is done: more than 16 elements may tie, or NaN be among the largest.
//
//go:noescape
func top512(picks *int32, k int, x *float32, n int) bool

// above256 writes the indices of the elements that are not <= bound, of the first 8*(n/8), and returns their number.
//
//go:noescape
func above256(index *int32, x *float32, n int, bound float32) int

func top512Slices(picks []int32, x []float32) {
	k, n := len(picks), len(x)
	if k == 0 {
		return
	}
	if k > n || k > 8 && n > 16 || !top512(&picks[0], k, &x[0], n) {
		top(picks, x)
	}
}

// top256Slices looks at the rest of a row in runs as long as all before, up to 256: then a run adds about as many elements as the list is long.
func top256Slices(picks []int32, x []float32) {
	const first, longest = 32, 256
	if len(x) < 2*first || len(picks) == 0 || len(picks) > first {
		top(picks, x)
		return
	}
	var index [longest]int32
	top(picks, x[:first])
	from := first
	for n := 0; from+8 <= len(x); from += n {
		n = min(from, longest, len(x)-from) &^ 7
		last := picks[len(picks)-1]
		for _, i := range index[:above256(&index[0], &x[from], n, x[last])] {
			if j := from + int(i); larger(x[j], x[picks[len(picks)-1]]) {
				insert(picks, x, j)
			}
		}
	}
	topFrom(picks, x, from)
}
