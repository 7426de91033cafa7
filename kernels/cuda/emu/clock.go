package emu

// Happens-before, for the sanitizer: each warp has a vector clock, as has each barrier. Component i of a warp's clock is the last epoch of warp i whose accesses
// are known to be over; the last component is of the async proxy. A second clock holds the epochs whose generic writes a proxy fence has made
// visible to the async proxy. (Flanagan, Freund, "FastTrack", 2009.)

// syncClock is what those who arrive at a barrier leave for those who wait.
type syncClock struct{ seen, proxy []uint32 }

// clockState is the clock of a warp; without the sanitizer it has no components.
type clockState struct {
	id          int
	seen, proxy []uint32
}

// reset starts the clock of warp id; n is the number of components.
func (c *clockState) reset(n, id int) {
	if len(c.seen) != n {
		c.seen, c.proxy = make([]uint32, n), make([]uint32, n)
	}
	clear(c.seen)
	clear(c.proxy)
	c.id, c.seen[id] = id, 1
}

func joinClock(to, from []uint32) {
	for i, v := range from {
		to[i] = max(to[i], v)
	}
}

// release adds what the warp knows to s and begins an epoch.
func (c *clockState) release(s *syncClock) {
	if len(c.seen) == 0 {
		return
	}
	if len(s.seen) == 0 {
		s.seen, s.proxy = make([]uint32, len(c.seen)), make([]uint32, len(c.seen))
	}
	joinClock(s.seen, c.seen)
	joinClock(s.proxy, c.proxy)
	c.seen[c.id]++
}

// acquire adds what s knows.
func (c *clockState) acquire(s *syncClock) {
	if len(c.seen) == 0 {
		return
	}
	joinClock(c.seen, s.seen)
	joinClock(c.proxy, s.proxy)
}

// fenceProxy orders the generic writes the warp knows of before the async accesses that follow.
func (c *clockState) fenceProxy() {
	joinClock(c.proxy, c.seen)
}
