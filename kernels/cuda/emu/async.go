package emu

// asyncState is what a warp has under way.
type asyncState struct{}

func (a *asyncState) reset()      {}
func (a *asyncState) atEnd(*warp) {}

type mbar struct {
	version     uint64
	phase       uint64
	pending, tx int64
}
