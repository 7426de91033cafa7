//go:build race

package engine_test

// raceDetector says that this binary runs under the race detector, which allocates on its own.
const raceDetector = true
