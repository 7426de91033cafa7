// Package param holds the trainable parameters of a model: names, shapes, groups, one flat space of memory, and the
// destinations of their gradients.
//
// All parameters lie in one flat tensor, ordered by parameter group, so that inner products, combinations, clipping and
// optimizer updates are single passes over memory. A group is what gradient surgery and learning-rate rules talk about:
// the shared parameters of a layer, its router, one of its experts.
package param
