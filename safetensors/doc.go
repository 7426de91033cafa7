// Package safetensors reads and writes the safetensors file format: named tensors, little-endian and contiguous, behind a
// JSON header.
//
//	8 bytes   n, the length of the header, little-endian
//	n bytes   {"__metadata__": {"k": "v"}, "NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
//	the rest  the data; offsets count from here
//
// Writing streams: the header follows from the declared list of tensors, then the data goes to the file piece by piece and
// memory does not grow with it. The same declaration and data always give the same bytes. The data starts at a multiple of
// 64 bytes (the header is padded with spaces), so that a mapped file can be handed to vector loads.
//
// Reading maps the file into memory where the system can, and views are slices of the mapping. The parser is strict:
// it accepts a file only when every byte of it is accounted for.
//
// A model larger than one file is a set of shards with an index (model.safetensors.index.json), as written by the Hugging
// Face libraries. Open reads an index like a file; CreateShards writes one.
//
// Format: https://github.com/huggingface/safetensors#format
package safetensors
