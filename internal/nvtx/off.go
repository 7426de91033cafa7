//go:build nocuda || !linux || !(amd64 || arm64)

package nvtx

// Push does nothing: this build opens no libraries.
func Push(*Name) {}

// Pop does nothing.
func Pop() {}

// Active reports false.
func Active() bool { return false }
