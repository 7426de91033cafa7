package emu

import (
	"fmt"
	"math/bits"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

// Ptr is an address of device memory.
type Ptr uint64

// The address map. Global addresses begin above 2^36, so that one cut to 32 bits faults; the other spaces are windows of the generic space.
const (
	sharedWindow = 0x7_0000_0000
	localWindow  = 0x7_1000_0000
	paramWindow  = 0x7_2000_0000
	windowEnd    = 0x7_3000_0000
	globalStart  = 0x10_0000_0000
	allocAlign   = 256
	guardBytes   = 4096 // between allocations
)

// allocation is a piece of device memory.
type allocation struct {
	base     uint64
	size     uint64
	data     []byte
	init     []byte             // with the sanitizer: 1 for bytes that were written
	touched  [2][]atomic.Uint32 // with Profile: a bit for each 32-byte sector that the launch read, and that it wrote
	owners   *owners            // with GlobalRaces
	readOnly bool
	name     string // of a module's variable
}

// arena keeps the allocations. Look-ups read a snapshot, so kernels run while other goroutines allocate.
type arena struct {
	mu    sync.Mutex
	list  atomic.Pointer[[]*allocation] // sorted by base
	freed []*allocation                 // without data, to tell use after free from out of bounds
	next  uint64
	used  int64
	limit int64
	// track keeps what was written, touch the sectors that a launch touches.
	track, touch, own bool
}

func newArena(opts *Options) *arena {
	a := &arena{next: globalStart, limit: opts.MemoryBytes, track: opts.Sanitize, touch: opts.Profile, own: opts.Sanitize && opts.GlobalRaces}
	a.list.Store(&[]*allocation{})
	return a
}

// maxFreed bounds the memory of freed allocations.
const maxFreed = 4096

func (a *arena) alloc(size int64) (*allocation, error) {
	if size <= 0 {
		return nil, fmt.Errorf("emu: allocation of %d bytes, want at least 1", size)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if size > a.limit-a.used {
		return nil, fmt.Errorf("emu: out of memory: %d bytes asked for, %d of %d in use", size, a.used, a.limit)
	}
	// Backing memory is made of words, so that every address aligned on the device is aligned here.
	m := &allocation{base: a.next, size: uint64(size), data: bytesOf(make([]uint64, (size+7)/8))[:size]}
	if a.track {
		m.init = make([]byte, size)
	}
	if a.touch {
		for i := range m.touched {
			m.touched[i] = make([]atomic.Uint32, size/(32*32)+1)
		}
	}
	if a.own {
		m.owners = &owners{make([]atomic.Uint64, size/2+1), make([]atomic.Uint64, size/2+1)}
	}
	a.next += (uint64(size) + guardBytes + allocAlign - 1) &^ (allocAlign - 1)
	a.used += size
	list := append(slices.Clone(*a.list.Load()), m)
	a.list.Store(&list)
	return m, nil
}

func (a *arena) free(p Ptr) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := slices.Clone(*a.list.Load())
	for i, m := range list {
		if m.base != uint64(p) {
			continue
		}
		a.used -= int64(m.size)
		if len(a.freed) < maxFreed {
			a.freed = append(a.freed, &allocation{base: m.base, size: m.size})
		}
		list = slices.Delete(list, i, i+1)
		a.list.Store(&list)
		return nil
	}
	return fmt.Errorf("emu: free of %#x, which is not the start of an allocation", uint64(p))
}

// find returns the allocation that holds the address, or nil.
func (a *arena) find(addr uint64) *allocation {
	list := *a.list.Load()
	i := sort.Search(len(list), func(i int) bool { return list[i].base > addr }) - 1
	if i < 0 || addr-list[i].base >= list[i].size {
		return nil
	}
	return list[i]
}

// explain says what is near an address that no allocation holds.
func (a *arena) explain(addr uint64) (FaultKind, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.freed {
		if addr-m.base < m.size {
			return UseAfterFree, fmt.Sprintf("byte %d of a freed allocation of %d bytes", addr-m.base, m.size)
		}
	}
	list := *a.list.Load()
	i := sort.Search(len(list), func(i int) bool { return list[i].base > addr }) - 1
	if i >= 0 && addr-list[i].base < list[i].size+guardBytes {
		return OutOfBounds, fmt.Sprintf("%d bytes past the end of an allocation of %d bytes", addr-list[i].base-list[i].size, list[i].size)
	}
	if i+1 < len(list) && list[i+1].base-addr <= guardBytes {
		return OutOfBounds, fmt.Sprintf("%d bytes before an allocation of %d bytes", list[i+1].base-addr, list[i+1].size)
	}
	return OutOfBounds, "no allocation is near"
}

// span returns n bytes at an address for the host.
func (a *arena) span(what string, p Ptr, n int64) (*allocation, uint64, error) {
	m := a.find(uint64(p))
	if m == nil {
		kind, why := a.explain(uint64(p))
		return nil, 0, fmt.Errorf("emu: %s at %#x: %s: %s", what, uint64(p), kind, why)
	}
	off := uint64(p) - m.base
	if uint64(n) > m.size-off {
		return nil, 0, fmt.Errorf("emu: %s of %d bytes at %#x: the allocation has %d bytes left", what, n, uint64(p), m.size-off)
	}
	return m, off, nil
}

// The bitmaps of touched sectors.
const (
	readSectors = iota
	writtenSectors
)

// touch marks the sectors of n bytes in one of the bitmaps.
func (m *allocation) touch(which int, off, n uint64) {
	for s := off / 32; s <= (off+n-1)/32; s++ {
		if w, b := &m.touched[which][s/32], uint32(1)<<(s%32); w.Load()&b == 0 {
			w.Or(b)
		}
	}
}

// footprint returns the bytes of the sectors that were read and of those that were written, and forgets them.
func (a *arena) footprint() uint64 {
	n := 0
	for _, m := range *a.list.Load() {
		for _, words := range m.touched {
			for i := range words {
				n += bits.OnesCount32(words[i].Swap(0))
			}
		}
	}
	return uint64(n) * 32
}
