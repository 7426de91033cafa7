// Package autograd records a forward pass and runs it backward, giving the gradient of every task's loss from one pass.
//
// # Model
//
// A Tape is re-recorded every step. Forward code calls ops (Linear, RMSNorm, Experts, ...) that compute at once on a
// kernels.Backend and leave a record; Backward walks the records in reverse order. Memory comes from an arena that is
// reset per step, records from pools: after the largest shapes have been seen a step allocates nothing.
//
// Errors stick: after the first one (a shape that does not fit, an op that cannot split tasks) ops do nothing, and the step
// checks Err once.
//
// # Task gradients
//
// Every Var with rows has a Space: N activation rows, C cotangent rows, and blocks that say which cotangent rows belong
// to which task and activation rows. In plain mode the cotangents of all tasks are summed (C = N). In per-task mode
// rows that M tasks share have M stacked cotangent blocks over activations that are read in place; rows owned by one
// task have one. An op's backward runs once over all C cotangent rows; only gradients of parameters are cut by task.
// Expand turns shared rows into task-owned ones, so that what follows can see the task.
//
// # Writing an op
//
// Declare a record type with a Backward method and a Kind for it, check shapes with Tape.Failf, compute, and call
// Tape.Record. In Backward read the output's cotangent with Grad and write inputs' cotangents where Into says.
package autograd
