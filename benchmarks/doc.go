// Package benchmarks measures Artel; it never asserts correctness. It is a module of its own, so that rivals never become dependencies
// of the engine. Results are kept in results (of compare, by day), RESULTS.md, KERNELS.md, LAYER.md, STEP.md, SURGERY.md, RIVALS.md and GPU-MODEL.md with commit and machine,
// and what did not help in LOG.md. GPU-MODEL.md is what `train bench --emulate` writes.
//
//	go run ./compare    everything beside PyTorch, transformers, TorchJD, LibMTL and engines in Go, in one run: table, JSON, chart
//	go run ./checkpoint one gigabyte to disk and back
//	go run ./demo       accuracies of the default run and of what it is compared with, by seed
//	go run ./elementwise  what is no matrix product, beside a copy of as many bytes
//	go run ./gpulayer   forward and backward of a mixture layer on a GPU, at shapes with published figures
//	go run ./kernels    GFLOP/s of matrix products, and share of the peak measured in the same run
//	go run ./layer      one mixture layer, forward and backward: GFLOP/s, memory, share of the peak
//	go run ./memory     what a layer keeps and needs, beside the Python peers
//	go run ./startup    process start to first step, memory of a default run, size of the binary
//	go run ./step       time per step, plain against surgery, by number of tasks
//	go run ./surgery    methods compared on problems, for SURGERY.md
//	go run ./versus     this tree against another commit, in turns, by benchstat
//
// Python peers and how to install them: peers/README.md.
package benchmarks
