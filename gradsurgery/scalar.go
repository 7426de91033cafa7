package gradsurgery

import "math"

// softmax replaces x by exp(x_t) / sum_k exp(x_k).
func softmax(x []float64) {
	high := math.Inf(-1)
	for _, v := range x {
		high = max(high, v)
	}
	var sum float64
	for t, v := range x {
		x[t] = math.Exp(v - high)
		sum += x[t]
	}
	for t := range x {
		x[t] /= sum
	}
}

// meanOf returns the mean of x.
func meanOf(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v
	}
	return s / float64(len(x))
}
