package engine

import "artel/internal/nvtx"

// What a profiler shows around a step and its stages; parts of the model and products of experts have ranges of their own in package autograd.
var (
	stepRange    = nvtx.New("step")
	forwardRange = nvtx.New("forward")
	surgeryRange = nvtx.New("surgery")
	updateRange  = nvtx.New("update")
)
