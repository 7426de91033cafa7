// Package cpu computes the ops of package kernels in float32 on the host: assembly where it pays, Go elsewhere, on a persistent pool of
// workers. Loops are cut into chunks that depend on shapes alone, so results are the same bits for any number of workers.
//
// A backend serves one goroutine at a time; backends share the pool of workers of the process.
package cpu
