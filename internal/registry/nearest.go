package registry

// Nearest returns the word of words closest to s by edit distance (insert, delete, replace, swap of neighbours), or ""
// when none is near: more than a third of the longer word, at least two edits allowed.
func Nearest(s string, words []string) string {
	best, bestD := "", 1<<30
	for _, w := range words {
		limit := max(2, max(len(s), len(w))/3)
		if d := distance(s, w); d <= limit && d < bestD {
			best, bestD = w, d
		}
	}
	return best
}

// distance is the optimal string alignment distance.
func distance(a, b string) int {
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	cur := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
