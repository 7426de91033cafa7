// Package data makes batches: sources of rows with labels for tasks, samplers that mix them, and a loader that works ahead.
//
// Everything random is a pure function of (seed, row number), so a batch depends on the seed and its position alone: not on buffers, prefetching or
// threads, and a run that stops and resumes sees the same batches.
package data
