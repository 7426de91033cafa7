package emu

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"

	"artel/kernels/cuda/emu/ptx"
)

// systemFunctions are the functions of the device runtime that kernels may call.
var systemFunctions = map[string]func(w *warp, in *inst, s *callSite){
	"vprintf": printFormat, "__assertfail": assertFailed, "malloc": deviceMalloc, "free": deviceFree,
}

// argument is the value of an argument for a lane.
func (w *warp) argument(s *callSite, i, l int) uint64 {
	at := uint64(l)*uint64(w.blk.fn.localSize) + w.base + s.args[i].off
	var b [8]byte
	copy(b[:], w.local[at:at+min(s.args[i].size, 8)])
	return binary.LittleEndian.Uint64(b[:])
}

// give sets the result of a call for a lane.
func (w *warp) give(s *callSite, l int, v uint64) {
	if len(s.results) == 1 {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], v)
		at := uint64(l)*uint64(w.blk.fn.localSize) + w.base + s.results[0].off
		copy(w.local[at:at+min(s.results[0].size, 8)], b[:])
	}
}

// bytesAt returns the memory from a generic address on, for a lane.
func (w *warp) bytesAt(a uint64, l int) []byte {
	switch spaceAt(a) {
	case ptx.Shared:
		if a -= sharedWindow; a < uint64(len(w.blk.shared)) {
			return w.blk.shared[a:]
		}
	case ptx.Local:
		size := uint64(w.blk.fn.localSize)
		if a -= localWindow; a < size {
			return w.local[uint64(l)*size:][a:size]
		}
	case ptx.Global:
		if m := w.blk.dev.mem.find(a); m != nil {
			return m.data[a-m.base:]
		}
	}
	return nil
}

// text reads a string that ends with a zero.
func (w *warp) text(in *inst, a uint64, l int) (string, bool) {
	b := w.bytesAt(a, l)
	n := strings.IndexByte(string(b[:min(len(b), 1<<16)]), 0)
	if n < 0 {
		w.fault(OutOfBounds, in, l, a, "a string without end")
		return "", false
	}
	return string(b[:n]), true
}

// printFormat is vprintf: a format and the address of the arguments.
func printFormat(w *warp, in *inst, s *callSite) {
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		format, ok := w.text(in, w.argument(s, 0, l), l)
		if !ok {
			return
		}
		p := printer{w: w, in: in, lane: l, data: w.bytesAt(w.argument(s, 1, l), l)}
		out := p.format(format)
		if w.state == failed {
			return
		}
		w.blk.dev.print(out)
		w.give(s, l, uint64(p.n))
	}
}

// print writes what a kernel prints, one call at a time.
func (d *Device) print(s string) {
	d.printing.Lock()
	defer d.printing.Unlock()
	io.WriteString(d.opts.Output, s)
}

// printer formats the arguments of printf: numbers of 4 and 8 bytes, aligned, one behind the other.
type printer struct {
	w    *warp
	in   *inst
	lane int
	data []byte
	at   int
	n    int // arguments
}

// next reads an argument of a size.
func (p *printer) next(size int) uint64 {
	p.at = roundUp(p.at, size)
	if p.at+size > len(p.data) {
		p.w.fault(BadOperand, p.in, p.lane, 0, "printf: argument %d is missing", p.n+1)
		return 0
	}
	v := uint64(binary.LittleEndian.Uint32(p.data[p.at:]))
	if size == 8 {
		v = binary.LittleEndian.Uint64(p.data[p.at:])
	}
	p.at += size
	p.n++
	return v
}

// format does what printf says of C's conversions.
func (p *printer) format(f string) string {
	var b strings.Builder
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			b.WriteByte(f[i])
			continue
		}
		start := i
		spec := "%"
		for i++; i < len(f) && strings.IndexByte("-+ #0123456789.*", f[i]) >= 0; i++ {
			if f[i] == '*' {
				spec += fmt.Sprint(int32(p.next(4)))
			} else {
				spec += f[i : i+1]
			}
		}
		size := 4
		for ; i < len(f) && strings.IndexByte("hlLzjt", f[i]) >= 0; i++ {
			if f[i] != 'h' {
				size = 8
			}
		}
		if i >= len(f) {
			return b.String() + f[start:]
		}
		b.WriteString(p.convert(spec, f[i], size, f[start:i+1]))
		if p.w.state == failed {
			return ""
		}
	}
	return b.String()
}

// convert formats one argument.
func (p *printer) convert(spec string, verb byte, size int, whole string) string {
	switch verb {
	case '%':
		return "%"
	case 'd', 'i':
		v := int64(p.next(size))
		if size == 4 {
			v = int64(int32(v))
		}
		return fmt.Sprintf(spec+"d", v)
	case 'u':
		return fmt.Sprintf(spec+"d", p.next(size))
	case 'x', 'X', 'o':
		return fmt.Sprintf(spec+string(verb), p.next(size))
	case 'c':
		return fmt.Sprintf(spec+"c", rune(byte(p.next(4))))
	case 'p':
		return fmt.Sprintf(spec+"s", fmt.Sprintf("%#x", p.next(8)))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		if !strings.Contains(spec, ".") {
			spec += ".6"
		}
		return fmt.Sprintf(spec+string(verb), math.Float64frombits(p.next(8)))
	case 'a', 'A':
		return fmt.Sprintf(spec+map[byte]string{'a': "x", 'A': "X"}[verb], math.Float64frombits(p.next(8)))
	case 's':
		s, _ := p.w.text(p.in, p.next(8), p.lane)
		return fmt.Sprintf(spec+"s", s)
	}
	return whole
}

// assertFailed is __assertfail: message, file, line, function.
func assertFailed(w *warp, in *inst, s *callSite) {
	l := w.lane()
	if len(s.args) < 4 {
		w.fault(Assertion, in, l, 0, "")
		return
	}
	var words [4]string
	for _, i := range [...]int{0, 1, 3} {
		var ok bool
		if words[i], ok = w.text(in, w.argument(s, i, l), l); !ok {
			return
		}
	}
	w.fault(Assertion, in, l, 0, "%s:%d: %s: assertion `%s'", words[1], uint32(w.argument(s, 2, l)), words[3], words[0])
}

// deviceMalloc gives a lane memory of the device; 0 when there is none.
func deviceMalloc(w *warp, in *inst, s *callSite) {
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		p, err := w.blk.dev.Alloc(int64(w.argument(s, 0, l)))
		if err != nil {
			p = 0
		}
		w.give(s, l, uint64(p))
	}
}

// deviceFree takes it back.
func deviceFree(w *warp, in *inst, s *callSite) {
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		a := w.argument(s, 0, l)
		if a == 0 {
			continue
		}
		if err := w.blk.dev.Free(Ptr(a)); err != nil {
			w.fault(UseAfterFree, in, l, a, "free of what is not the start of memory in use")
			return
		}
		if w.hot != nil && w.hot.base == a {
			w.hot = nil
		}
	}
}
