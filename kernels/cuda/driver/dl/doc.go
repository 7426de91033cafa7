// Package dl is the CUDA driver opened at run time: libcuda is looked for when Open is called, without cgo, so that one program serves machines with
// and without a GPU. The build tag nocuda leaves it out, and with it the only reason why the program needs the system's dynamic loader.
package dl

// Env is the environment variable that names the library to open instead of the usual places.
const Env = "ARTEL_LIBCUDA"
