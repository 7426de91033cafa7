// Package config decodes YAML files and key=value arguments into typed Go structs, strictly: an unknown or misspelt key, a value of
// the wrong type or outside its range is an error with file, line, column and the nearest valid word, and all mistakes are
// reported at once. Every value knows where it came from.
//
// Kinds: bool, ints, uints, floats, string, time.Duration, structs, pointers to structs, slices, maps from string, and Member.
//
// Struct tags, on exported fields; a field without a yaml tag is no key:
//
//	yaml:"width"            the key
//	doc:"width of a token"  one line for listings
//	range:"1..4096"         bounds of a number, a duration ("1s..1h") or the elements of a list; either side may be empty;
//	                        "0<..1" leaves out the lower end, "0..<1" the upper one
//	oneof:"sum mean"        the words that a string may be
//
// A struct may have a method SetDefaults for where nothing else says: elements of lists, new entries of maps, nil pointers.
//
// What is given replaces what was there, with two exceptions: structs and maps keep the entries that are not given. A pointer that is
// null becomes nil; one that is empty ("maybe:" and nothing more, or {}) points to the defaults. Numbers are finite.
package config
