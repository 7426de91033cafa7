package cpu

import "unsafe"

// line is memory for rows of bfloat16 numbers while they are float32.
type line struct{ buf []float32 }

// parts returns memory for count runs of n numbers.
func (l *line) parts(count, n int) [5][]float32 {
	l.buf = grown(l.buf, count*n)
	var out [5][]float32
	for i := range count {
		out[i] = l.buf[i*n : (i+1)*n]
	}
	return out
}

// load returns columns [lo,hi) of row i; those of bfloat16 numbers are widened into buf.
func (b *backend) load(m *rows, i, lo, hi int, buf []float32) []float32 {
	if m.h == nil {
		return m.p[i*m.ld+lo : i*m.ld+hi]
	}
	b.vec.Widen(buf[:hi-lo], m.h[i*m.ld+lo:i*m.ld+hi])
	return buf[:hi-lo]
}

// space returns columns [lo,hi) of row i, or buf to write to instead, which store puts there.
func (m *rows) space(i, lo, hi int, buf []float32) []float32 {
	if m.h == nil {
		return m.p[i*m.ld+lo : i*m.ld+hi]
	}
	return buf[:hi-lo]
}

// store rounds x to the columns from lo on of row i of bfloat16 numbers; float32 ones are there already.
func (b *backend) store(m *rows, i, lo int, x []float32) {
	if m.h != nil {
		b.vec.Round(m.h[i*m.ld+lo:i*m.ld+lo+len(x)], x)
	}
}

// half returns columns [lo,hi) of row i of bfloat16 numbers.
func (m *rows) half(i, lo, hi int) []uint16 { return m.h[i*m.ld+lo : i*m.ld+hi] }

// words returns what lies from column j of row i on, how far rows are apart and log2 of the columns in a word; none where rows are no whole words.
func (m *rows) words(i, j int) (w []float32, ld int, by uint) {
	if m.h == nil {
		return m.p[i*m.ld+j:], m.ld, 0
	}
	if h := m.h[i*m.ld+j:]; m.ld%2 == 0 && len(h) > 1 {
		return unsafe.Slice((*float32)(unsafe.Pointer(&h[0])), len(h)/2), m.ld / 2, 1
	}
	return nil, 0, 1
}

// copyRow copies row i to dst.
func (b *backend) copyRow(dst []float32, m *rows, i int) {
	if m.h != nil {
		b.vec.Widen(dst, m.h[i*m.ld:i*m.ld+m.cols])
	} else {
		copy(dst, m.row(i))
	}
}
