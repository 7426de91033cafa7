package vec

// larger orders numbers with NaN below everything.
func larger(x, y float32) bool { return x > y || y != y && x == x }

// top is Top in Go: insertion into a sorted list, which few elements reach.
func top(picks []int32, x []float32) {
	for n := range picks {
		picks[n] = -1
		if n < len(x) {
			insert(picks[:n+1], x, n)
		}
	}
	if len(picks) == 0 || len(picks) >= len(x) {
		return
	}
	last := &picks[len(picks)-1]
	bound := x[*last]
	for j := len(picks); j < len(x); j++ {
		if v := x[j]; v <= bound || !larger(v, bound) {
			continue
		}
		insert(picks, x, j)
		bound = x[*last]
	}
}

// insert puts element j, which is larger than the last one, or for which there is room, into the list.
func insert(picks []int32, x []float32, j int) {
	n, v := len(picks)-1, x[j]
	for ; n > 0 && larger(v, x[picks[n-1]]); n-- {
		picks[n] = picks[n-1]
	}
	picks[n] = int32(j)
}
