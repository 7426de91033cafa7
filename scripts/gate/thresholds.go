package main

// thresholds are the least test accuracies, in per cent, that a default run must reach.
var thresholds = []threshold{
	{"left", 80},
	{"right", 79},
	{"same", 93},
	{"placement", 97},
}

// threshold is the least accuracy of one task.
type threshold struct {
	task    string
	percent float64
}
