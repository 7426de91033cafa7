package emu

type mbar struct {
	version     uint64
	phase       uint64
	pending, tx int64
}
