// Package gorgonia offers Artel's sparse mixture-of-experts layer as an operation of gorgonia.org/gorgonia graphs, computed by Artel's own kernels.
//
//	layer, err := moe.New(g, "moe", tokens, width, moe.Options{Config: config, Type: tensor.Float32, Seed: 1})
//	y, aux, err := layer.Apply(x)          // x, y [tokens,width]; aux is the sum of the balance and z losses
//	loss := gorgonia.Must(gorgonia.Add(taskLoss, aux))
//	gorgonia.Grad(loss, layer.Weights, ...)
//
// It works in a TapeMachine (symbolic gradients) and in a LispMachine (gradients by execution; a new machine for every step). Forward is one operation, the backward pass is another one
// for all gradients together.
//
// # Limits
//
// What Gorgonia's graphs fix is fixed here too: the number of tokens is part of the graph (pad the last batch), and second derivatives are refused. A layer keeps the record of its
// last forward pass, so it is applied once and one machine runs it at a time, forward then backward. All parameters are one vector, Weights, in the order of Layer.Parameters; its memory is the layer's
// own, so that solvers which update in place cost no copy. Task gradients and routers that know the task are features of Artel's engine and not of a Gorgonia graph, which has one
// gradient per node.
package gorgonia
