package main

import (
	"math"

	"artel/internal/mixture"
)

// peer is a shape with SonicMoE's speed on an H100 in bf16, TFLOP/s of the whole layer with its router: arXiv 2512.14080 and the chart assets/tput.png of
// Dao-AILab/sonic-moe (snapshot of 2025-12-24), read off to about 2 TFLOP/s.
type peer struct {
	model string
	mixture.Shape
	forward, backward float64
}

var published = []peer{
	{"1.4B", mixture.Shape{T: 40960, D: 768, F: 256, E: 128, K: 8}, 339, 366},
	{"1.4B", mixture.Shape{T: 40960, D: 768, F: 512, E: 64, K: 4}, 401, 403},
	{"1.4B", mixture.Shape{T: 40960, D: 768, F: 1024, E: 32, K: 2}, 405, 435},
	{"7B", mixture.Shape{T: 24576, D: 1536, F: 256, E: 128, K: 8}, 364, 405},
	{"7B", mixture.Shape{T: 24576, D: 1536, F: 512, E: 64, K: 4}, 435, 439},
	{"7B", mixture.Shape{T: 24576, D: 1536, F: 1024, E: 32, K: 2}, 467, 467},
	{"30B", mixture.Shape{T: 32768, D: 4096, F: 256, E: 256, K: 16}, 429, 461},
	{"30B", mixture.Shape{T: 32768, D: 4096, F: 512, E: 128, K: 8}, 504, 512},
	{"30B", mixture.Shape{T: 32768, D: 4096, F: 1024, E: 64, K: 4}, 553, 555},
	{"120B", mixture.Shape{T: 32768, D: 4096, F: 512, E: 256, K: 16}, 519, 527},
	{"120B", mixture.Shape{T: 32768, D: 4096, F: 1024, E: 128, K: 8}, 559, 568},
	{"120B", mixture.Shape{T: 32768, D: 4096, F: 2048, E: 64, K: 4}, 596, 587},
}

// smaller divides rows by n, and widths and experts by its root; K stays below the number of experts.
func smaller(s mixture.Shape, n int) mixture.Shape {
	root := int(math.Sqrt(float64(n)))
	s.T, s.D, s.F, s.E = max(s.T/n, 1), max(s.D/root, 1), max(s.F/root, 1), max(s.E/root, 2)
	s.K = min(s.K, s.E)
	return s
}
