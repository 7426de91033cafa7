// Package model assembles architectures from nn and moe by a typed config: one input layer per domain, a stream of residual
// pre-norm blocks, one head per task.
//
//	x = input(domain);  for each block: x = x + dropout(layer(norm(x)))  or  x = expand(x);  logits_t = head_t(norm(x) of task t's rows)
package model
