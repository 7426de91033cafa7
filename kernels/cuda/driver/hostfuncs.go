package driver

import "sync"

// HostFuncs are the functions that a provider knows, for providers that need a table of them.
type HostFuncs struct {
	mu    sync.Mutex
	known []func()
}

// Add makes a function known.
func (h *HostFuncs) Add(f func()) HostFunc {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.known = append(h.known, f)
	return HostFunc(len(h.known))
}

// Find returns a function, nil for one that is not known.
func (h *HostFuncs) Find(f HostFunc) func() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f == 0 || int(f) > len(h.known) {
		return nil
	}
	return h.known[f-1]
}
