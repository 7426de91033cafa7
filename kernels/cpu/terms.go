package cpu

// terms is dst (=|+=) a sum of scaled rows, added up in order, where every product and every sum rounds by itself. Four terms at a time are one pass
// over dst, to the same bits.
type terms struct {
	dst  []float32
	add  bool // dst counts: it holds the terms before
	n    int  // of those that wait
	row  [4][]float32
	with [4]float32
}

// term adds factor * row, later. Where there are more than four, no row may have memory in common with dst.
func (t *terms) term(b *backend, row []float32, factor float32) {
	if t.n == 4 {
		t.flush(b)
	}
	t.row[t.n], t.with[t.n] = row, factor
	t.n++
}

// end adds what waits; without any term and without add, dst is 0.
func (t *terms) end(b *backend) {
	if t.n > 0 || !t.add {
		t.flush(b)
	}
}

func (t *terms) flush(b *backend) {
	r, f, v := &t.row, &t.with, b.vec
	switch {
	case t.add:
		i := 0
		for ; i+1 < t.n; i += 2 {
			v.Axpy2(t.dst, r[i], r[i+1], f[i], f[i+1])
		}
		if i < t.n {
			v.Axpy(t.dst, r[i], f[i])
		}
	case t.n == 0:
		clear(t.dst)
	case t.n == 1:
		v.Scale(t.dst, r[0], f[0])
	case t.n == 2:
		v.Mix2(t.dst, r[0], r[1], f[0], f[1])
	case t.n == 3:
		v.Mix3(t.dst, r[0], r[1], r[2], f[0], f[1], f[2])
	default:
		v.Mix4(t.dst, r[0], r[1], r[2], r[3], f[0], f[1], f[2], f[3])
	}
	t.n, t.add = 0, true
}
