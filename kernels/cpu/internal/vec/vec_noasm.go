//go:build (!amd64 && !arm64) || purego

package vec

// archSets is empty: this build has plain Go only.
func archSets() []*Set { return nil }
