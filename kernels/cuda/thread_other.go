//go:build !linux

package cuda

// threadID says that threads cannot be told apart, so that the context is bound every time.
func threadID() int { return 0 }
