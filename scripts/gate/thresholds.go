package main

// thresholds are the least test accuracies, in per cent, that a default run must reach: the mean of five seeds less three standard deviations, as measured in
// benchmarks/RESULTS.md (deviations pooled over its variants).
var thresholds = []threshold{
	{"left", 83.6},
	{"right", 82.8},
	{"same", 95.3},
	{"placement", 99.4},
}

// threshold is the least accuracy of one task.
type threshold struct {
	task    string
	percent float64
}
