// Package config decodes YAML files and key=value arguments into typed Go structs, strictly: an unknown or misspelt key, a value of
// the wrong type or outside its range is an error with file, line, column and the nearest valid word, and all errors are
// reported at once. Every value knows where it came from.
//
// Struct tags: yaml:"name"; doc:"one line"; range:"lo..hi" (either side may be empty, "0<..1" excludes an end); oneof:"a b c".
// A struct may have SetDefaults to fill in what a list element or a pointer does not say.
package config
