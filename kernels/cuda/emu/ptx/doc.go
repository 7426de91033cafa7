// Package ptx is the front end of the emulator: it reads PTX assembly text into a checked module of kernels, variables and instructions.
//
// The text is what nvcc writes and what people write inside asm statements: entry functions, registers with counts, nested scopes, labels, guards,
// vectors, addresses. Instructions are kept as opcode, modifiers and operands; what an opcode means is the executor's business. Names are resolved here, so a
// register is an index, a label an instruction index, and a name that nothing declares is an error with its line.
// Functions that are called (.func, call) are not part of the language this package reads.
package ptx
