package emu

import (
	"math/bits"
	"unsafe"

	"artel/kernels/cuda/emu/ptx"
)

// resolve computes the addresses of an access in w.addrs, checks them and leaves pointers in w.ptrs. It reports whether the access may go on.
func (w *warp) resolve(in *inst) bool {
	m := in.mem
	w.addresses(m)
	ok := false
	switch m.space {
	case ptx.Shared:
		ok = w.resolveShared(in)
	case ptx.Global:
		ok = w.resolveGlobal(in)
	default:
		ok = w.resolveLanes(in)
	}
	if !ok {
		return false
	}
	if w.blk.count.profile {
		w.traffic(m)
	}
	if w.blk.races != nil {
		return w.sanitize(in)
	}
	return true
}

// addresses fills w.addrs for the lanes of exec.
func (w *warp) addresses(m *access) {
	switch {
	case m.base < 0 && m.frame:
		fillLanes(&w.addrs, w.base+m.off)
	case m.base < 0:
		fillLanes(&w.addrs, m.off)
	case m.wide:
		b := reg[uint64](w, m.base)
		for l := range b {
			w.addrs[l] = b[l] + m.off
		}
	default:
		b := reg[uint32](w, m.base)
		for l := range b {
			w.addrs[l] = uint64(b[l] + uint32(m.off))
		}
	}
}

func (w *warp) resolveShared(in *inst) bool {
	n := in.mem.bytes
	size := uint64(len(w.blk.shared))
	base := unsafe.Pointer(unsafe.SliceData(w.blk.shared))
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		a := w.addrs[l]
		if a >= sharedWindow && a < localWindow {
			a -= sharedWindow
			w.addrs[l] = a
		}
		if a > size || size-a < n {
			w.fault(OutOfBounds, in, l, a, "shared memory has %d bytes", size)
			return false
		}
		if a&(n-1) != 0 {
			w.fault(Misaligned, in, l, a, "an access of %d bytes", n)
			return false
		}
		w.ptrs[l] = unsafe.Add(base, a)
	}
	return true
}

func (w *warp) resolveGlobal(in *inst) bool {
	n := in.mem.bytes
	hot := w.hot
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		a := w.addrs[l]
		if hot == nil || a-hot.base >= hot.size {
			if hot = w.blk.dev.mem.find(a); hot == nil {
				kind, why := w.blk.dev.mem.explain(a)
				w.fault(kind, in, l, a, "%s", why)
				return false
			}
			w.hot = hot
		}
		off := a - hot.base
		if hot.size-off < n {
			w.fault(OutOfBounds, in, l, a, "%d bytes at byte %d of an allocation of %d bytes", n, off, hot.size)
			return false
		}
		if a&(n-1) != 0 {
			w.fault(Misaligned, in, l, a, "an access of %d bytes", n)
			return false
		}
		if in.mem.write && hot.readOnly {
			w.fault(ReadOnlyWrite, in, l, a, "variable %s", hot.name)
			return false
		}
		w.ptrs[l] = unsafe.Add(unsafe.Pointer(unsafe.SliceData(hot.data)), off)
	}
	return true
}

// resolveLanes is for local, parameter, constant and generic addresses: each lane's space may differ.
func (w *warp) resolveLanes(in *inst) bool {
	all, n := w.exec, in.mem.bytes
	for m := all; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		a, s := w.addrs[l], in.mem.space
		if s == ptx.NoSpace {
			s = spaceAt(a)
			a -= window(s)
		}
		var mem []byte
		switch s {
		case ptx.Shared, ptx.Global, ptx.Const:
			w.exec = 1 << l
			ok := false
			if s == ptx.Shared {
				ok = w.resolveShared(in)
			} else {
				ok = w.resolveGlobal(in)
			}
			w.exec = all
			if !ok {
				return false
			}
			continue
		case ptx.Local:
			size := w.blk.fn.localSize
			mem = w.local[l*size : (l+1)*size]
		default:
			if in.mem.write {
				w.fault(ReadOnlyWrite, in, l, a, "parameters")
				return false
			}
			mem = w.blk.params
		}
		size := uint64(len(mem))
		if a > size || size-a < n {
			w.fault(OutOfBounds, in, l, a, "%s memory has %d bytes", s, size)
			return false
		}
		if a&(n-1) != 0 {
			w.fault(Misaligned, in, l, a, "an access of %d bytes", n)
			return false
		}
		w.ptrs[l] = unsafe.Add(unsafe.Pointer(unsafe.SliceData(mem)), a)
	}
	return true
}

// global reports whether an address that resolve has accepted lies in device memory.
func (m *access) global(a uint64) bool {
	return m.space == ptx.Global || m.space == ptx.NoSpace && spaceAt(a) == ptx.Global
}

// inShared reports whether an address that resolve has accepted lies in shared memory; generic ones have lost their window by then.
func (m *access) inShared(a uint64) bool {
	return m.space == ptx.Shared || m.space == ptx.NoSpace && a < sharedWindow
}

// traffic counts sectors and bank conflicts of an access.
func (w *warp) traffic(m *access) {
	c := &w.blk.count
	var global, shared uint32
	for e := w.exec; e != 0; e &= e - 1 {
		l := bits.TrailingZeros32(e)
		switch {
		case m.inShared(w.addrs[l]):
			shared |= 1 << l
		case m.global(w.addrs[l]):
			global |= 1 << l
			w.touch(m, w.addrs[l])
		}
	}
	if global != 0 {
		c.GlobalRequests++
		c.GlobalBytes += m.bytes * uint64(bits.OnesCount32(global))
		c.GlobalSectors += sectors(&w.addrs, global, m.bytes)
	}
	if shared != 0 {
		c.SharedRequests++
		waves, ideal := wavefronts(&w.addrs, shared, m.bytes)
		c.SharedWavefronts += waves
		c.SharedIdeal += ideal
	}
}

// touch marks bytes of device memory for the footprint.
func (w *warp) touch(acc *access, a uint64) {
	m := w.hot
	if m == nil || a-m.base >= m.size {
		m = w.blk.dev.mem.find(a)
	}
	if m == nil {
		return
	}
	if acc.read {
		m.touch(readSectors, a-m.base, acc.bytes)
	}
	if acc.write {
		m.touch(writtenSectors, a-m.base, acc.bytes)
	}
}

// sectors counts the distinct 32-byte sectors that lanes touch.
func sectors(addrs *[lanes]uint64, mask uint32, n uint64) uint64 {
	var seen [2 * lanes]uint64
	k := 0
	for m := mask; m != 0; m &= m - 1 {
		a := addrs[bits.TrailingZeros32(m)]
		for s := a / 32; s <= (a+n-1)/32; s++ {
			known := false
			for _, x := range seen[:k] {
				known = known || x == s
			}
			if !known && k < len(seen) {
				seen[k] = s
				k++
			}
		}
	}
	return uint64(k)
}

// wavefronts returns the passes that a shared access takes through 32 banks of 4 bytes, and the passes its distinct words need at least. Accesses of
// 8 bytes are served by half-warps and of 16 by quarters; lanes that read the same word share it.
func wavefronts(addrs *[lanes]uint64, mask uint32, n uint64) (waves, ideal uint64) {
	group := lanes
	if n > 4 {
		group = lanes * 4 / int(min(n, 16))
	}
	for first := 0; first < lanes; first += group {
		var words [lanes * 4]uint64
		var load [32]uint64
		k := 0
		for l := first; l < first+group; l++ {
			if mask>>l&1 == 0 {
				continue
			}
			for wd := addrs[l] / 4; wd <= (addrs[l]+n-1)/4; wd++ {
				known := false
				for _, x := range words[:k] {
					known = known || x == wd
				}
				if !known && k < len(words) {
					words[k] = wd
					k++
					load[wd%32]++
				}
			}
		}
		most := uint64(0)
		for _, c := range load {
			most = max(most, c)
		}
		waves += most
		ideal += uint64(k+31) / 32
	}
	return waves, ideal
}
