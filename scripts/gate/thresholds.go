package main

// thresholds are the least test accuracies, in per cent, that a default run must reach: the mean of five seeds less three standard deviations, as measured in
// benchmarks/RESULTS.md.
var thresholds = []threshold{
	{"left", 83.5},
	{"right", 81.9},
	{"same", 95.0},
	{"placement", 99.4},
}

// threshold is the least accuracy of one task.
type threshold struct {
	task    string
	percent float64
}
