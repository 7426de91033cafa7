// Package engine trains a model: it puts data, model, task gradients, surgery and optimizer together, step by step.
//
// Read step.go first: it is the map of the code.
package engine
