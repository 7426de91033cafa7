// Package checkpoint keeps the checkpoints of a run on disk.
//
//	RUN/checkpoints/step-000500/model.safetensors   parameters and buffers
//	                            optim.safetensors   the state of the optimizer
//	                            state.json          everything else: cursors, counters, generators
//	                            SHA256SUMS          of the three, as sha256sum writes it
//
// Where the tensors of a file would need more than 4 GiB, it is a set of shards with an index in the manner of the Hugging Face
// libraries (model-00001-of-00002.safetensors, ..., model.safetensors.index.json).
//
// A checkpoint is written to a directory with a temporary name: every file is synced, then the directory, then it gets its
// name, then the directory above is synced. So a crash or a power cut at any moment leaves the checkpoints before it whole, and
// what has the name of a checkpoint is one. Writing a step that exists replaces it; the old one keeps existing as
// step-000500.old until the new one is safe, and counts as step 500 if the machine stops in between.
//
// Loading checks the hash of every file, refuses files that it does not know, and copies tensors only when names, types and
// shapes agree with what the program has: nothing is silently ignored.
package checkpoint
