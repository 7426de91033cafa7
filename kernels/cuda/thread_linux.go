package cuda

import "golang.org/x/sys/unix"

// threadID numbers the calling thread.
func threadID() int { return unix.Gettid() }
