// Package emu is an accelerator in software: it loads PTX, runs kernels on the processor and judges what they do.
//
// A Device has memory, modules and launches like the driver's. Blocks run in parallel on goroutines; inside a block, warps of 32 lanes take turns until
// each waits or ends. Every instruction is decoded once into a function and the places of its operands in the warp's register file, where a
// register is an array of 32 lanes. Divergent lanes meet again at the immediate post-dominator of the branch that parted them.
//
// What a kernel may not do is an error, a *Fault, that names the kernel, the line of the PTX, the block, the thread and the address. Out-of-bounds
// and misaligned accesses, divergent barriers and deadlocks are always found; Options.Sanitize adds uninitialised reads, shared-memory races between warps and within one, missing proxy
// fences and reads of what an asynchronous copy has yet to write, Options.GlobalRaces races between blocks.
// Copies and matrix products that the machine may do later (cp.async, TMA, wgmma) are done as late as the program's waits allow, so that a missing wait gives wrong results here too.
//
// Float atomics on device memory by several blocks depend on the order of blocks; with Options.Workers = 1 that order is the grid's. Everything else gives the same bits for any number of workers.
//
// Device functions may be called by name or by address and may recur; of the runtime's functions printf, assert, malloc and free are there.
//
// Not supported, with an error that says so: clusters of more than one block, barriers of the whole grid, tcgen05, tensor-core products of 8-bit floating point, sparse products, textures.
//
// Launches count what they do: instructions by class, tensor-core work, and with Options.Profile memory traffic. An instruction that the emulator does not know
// is an error when the module is loaded, with opcode, file and line.
package emu
