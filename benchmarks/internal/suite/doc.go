// Package suite holds the comparisons: which cases are run side by side, by which programs, and how an engine's answers are compared with Artel's before
// it is timed. Commands of this module build their tables from it.
package suite
