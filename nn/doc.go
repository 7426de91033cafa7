// Package nn holds layers, task losses and initialisers over autograd. A layer declares its parameters with a param.Builder and
// runs by Forward on a tape.
package nn
