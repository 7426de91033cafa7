package linalg

import "math"

// Intervals cuts numbers on a line into groups with the least sum of squared distances to their group's mean: k-means in one dimension, solved
// exactly by dynamic programming (Wang & Song 2011, Ckmeans.1d.dp) in O(k n^2).
type Intervals struct {
	order []int
	x     []float64 // [n] the numbers, ascending
	cost  []float64 // [k+1, n+1] least cost of the first n numbers in k groups
	from  []int     // [k+1, n+1] where the last of these groups begins
	sum   []float64 // [n+1]
	sq    []float64 // [n+1]
}

// NewIntervals makes room for n numbers.
func NewIntervals(n int) *Intervals {
	return &Intervals{make([]int, n), make([]float64, n), make([]float64, (n+1)*(n+1)), make([]int, (n+1)*(n+1)), make([]float64, n+1), make([]float64, n+1)}
}

// Means writes to out[i] the mean of the group of x[i], for at most k >= 1 groups. x and out have the same length, at most that of NewIntervals.
// Equal numbers get equal means. No allocation.
func (s *Intervals) Means(x []float64, k int, out []float64) {
	n := len(x)
	all := *s
	s.order, s.x = s.order[:n], s.x[:n]
	defer func() { s.order, s.x = all.order, all.x }()
	for i, v := range x { // insertion sort: n is small
		at := i
		for ; at > 0 && s.x[at-1] > v; at-- {
			s.x[at], s.order[at] = s.x[at-1], s.order[at-1]
		}
		s.x[at], s.order[at] = v, i
	}
	k = min(k, n)
	mid := s.x[n/2] // numbers relative to one of them lose fewer digits when squared
	for i, v := range s.x {
		s.sum[i+1], s.sq[i+1] = s.sum[i]+(v-mid), s.sq[i]+(v-mid)*(v-mid)
	}
	w := n + 1
	for j := 0; j <= n; j++ {
		s.cost[j] = math.Inf(1)
	}
	s.cost[0] = 0
	for g := 1; g <= k; g++ {
		for j := 0; j <= n; j++ {
			best, at := math.Inf(1), 0
			for i := 0; i < j; i++ {
				if i > 0 && s.x[i] == s.x[i-1] {
					continue // equal numbers stay together
				}
				if c := s.cost[(g-1)*w+i] + s.spread(i, j); c < best {
					best, at = c, i
				}
			}
			if c := s.cost[(g-1)*w+j]; c <= best { // fewer groups do as well
				best, at = c, -1
			}
			s.cost[g*w+j], s.from[g*w+j] = best, at
		}
	}
	for g, j := k, n; j > 0; g-- {
		i := s.from[g*w+j]
		if i < 0 {
			continue
		}
		mean := mid + (s.sum[j]-s.sum[i])/float64(j-i)
		for _, o := range s.order[i:j] {
			out[o] = mean
		}
		j = i
	}
}

// spread is the sum of squared distances of numbers i..j-1 to their mean.
func (s *Intervals) spread(i, j int) float64 {
	d := s.sum[j] - s.sum[i]
	return max(0, s.sq[j]-s.sq[i]-d*d/float64(j-i))
}
