// Package moe builds sparse mixtures of experts: routers that decide, banks of experts that compute, auxiliary losses that
// balance, and statistics that tell what happened.
//
// A router knows scores, not experts: it reads rows (and, when they are task-owned, who owns them) and returns a Selection; it never
// sees expert weights, kernels or devices. A new router is one file that registers an Entry.
package moe
