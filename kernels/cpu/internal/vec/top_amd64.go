//go:build !purego

package vec

// top512 and top256 need k <= n, and k <= 8 where n > 16. They report whether they are done: more than 16 elements may tie, or NaN be among the largest.
//
//go:noescape
func top512(picks *int32, k int, x *float32, n int) bool

//go:noescape
func top256(picks *int32, k int, x *float32, n int) bool

// fits tells whether top512 and top256 may be tried.
func fits(k, n int) bool { return k <= n && k > 0 && (k <= 8 || n <= 16) }

func top512Slices(picks []int32, x []float32) {
	if !fits(len(picks), len(x)) || !top512(&picks[0], len(picks), &x[0], len(x)) {
		top(picks, x)
	}
}

func top256Slices(picks []int32, x []float32) {
	if !fits(len(picks), len(x)) || !top256(&picks[0], len(picks), &x[0], len(x)) {
		top(picks, x)
	}
}
