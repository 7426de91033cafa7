// Package bench is what the benchmarks share: a worker that holds one case ready and runs it when asked, a driver that asks workers in turn, and
// the JSON line that every case ends in.
//
// # Protocol
//
// A case runs in a process of its own, so that its peak memory is its own. The process is started with "-worker CASE", CASE being a JSON object. It
// prepares and warms the case and prints one JSON object of facts (Info); then every line "go" on its standard input makes it run the case once and
// print {"ms": ..., "peak_rss_mb": ...}; a line "q" or the end of the input ends it. A failure is {"error": "..."} in place of either object. Any
// program that speaks this protocol can be a rival: the driver takes turns among all workers, so that a slow moment of the machine hits every case
// alike.
//
// A case with "weights" takes its numbers from that safetensors file; one with "answers" writes there what it computes from them, before it is ready.
package bench
