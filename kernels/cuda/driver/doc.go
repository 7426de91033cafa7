// Package driver describes the CUDA driver API as a struct of functions, so that the backend above it runs on the real
// library, on an emulator, and on a recording fake, and none of them knows the others. There is no provider in it.
//
// Names, codes and meanings are those of the CUDA Driver API reference, without the prefix cu. All sizes are bytes. Calls
// that take a Stream return before the work is done, unless their comment says otherwise; every other call is synchronous.
// A function of an API is called from the thread whose current context is the one the handles belong to. None of them
// keeps a Go pointer after it returned, except where a comment says so.
package driver
