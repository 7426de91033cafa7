// Package optim updates parameters from one combined gradient: rules (SGD, Adam, AdamW, Lion, Muon), learning-rate schedules, clipping by
// the global norm, and settings by parameter group. A rule is one file that registers an Entry; state is named tensors that the checkpoint
// saves.
package optim
