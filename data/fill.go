package data

import "artel/rng"

// begin empties b for a batch of m.
func (b *Batch) begin(m *Mixture) {
	b.Rows, b.Domains, b.Segments, b.Keys = 0, b.Domains[:0], b.Segments[:0], b.Keys[:0]
	s := &b.store
	if s.dense == nil {
		s.dense, s.ids, s.off = make([][]float32, len(m.sources)), make([][]int32, len(m.sources)), make([][]int32, len(m.sources))
		s.labels, s.values = make([][]int32, len(m.Tasks)), make([][]float32, len(m.Tasks))
	}
	for d := range m.sources {
		s.dense[d], s.ids[d], s.off[d] = s.dense[d][:0], s.ids[d][:0], append(s.off[d][:0], 0)
	}
	for t := range m.Tasks {
		s.labels[t], s.values[t] = s.labels[t][:0], s.values[t][:0]
	}
}

// open announces n rows of a unit: the domain's rows go on, and the tasks that the rows count for get segments.
func (b *Batch) open(m *Mixture, u unit, n int) {
	if k := len(b.Domains); k == 0 || b.Domains[k-1].Domain != u.domain {
		b.Domains = append(b.Domains, Rows{Domain: u.domain, Row0: b.Rows})
	}
	lo, hi := m.first[u.domain], m.first[u.domain]+len(m.Specs[u.domain].Tasks)
	if u.task >= 0 {
		lo, hi = u.task, u.task+1
	}
	for t := lo; t < hi; t++ {
		b.Segments = append(b.Segments, Segment{Task: t, Row0: b.Rows, N: n})
	}
}

// row appends one row of a unit and the labels of the tasks that it counts for.
func (b *Batch) row(m *Mixture, u unit, src Source, split Split, i uint64, s rng.Stream, key uint64) {
	d, spec := u.domain, &m.Specs[u.domain]
	st := &b.store
	r := &st.row
	if spec.Dense > 0 {
		n := len(st.dense[d])
		st.dense[d] = extend(st.dense[d], spec.Dense)
		r.Dense = st.dense[d][n:]
	}
	r.IDs = st.ids[d]
	r.Labels = extend(r.Labels[:0], len(spec.Tasks))
	for len(r.Values) < len(spec.Tasks) {
		r.Values = append(r.Values, nil)
	}
	for t, ts := range spec.Tasks {
		r.Labels[t] = -1
		r.Values[t] = extend(r.Values[t][:0], ts.Outputs)
	}
	src.Fill(split, i, s, r)
	st.ids[d] = r.IDs
	st.off[d] = append(st.off[d], int32(len(r.IDs)))
	for t := range spec.Tasks {
		g := m.first[d] + t
		if u.task >= 0 && u.task != g {
			continue
		}
		if spec.Tasks[t].Classes != nil {
			st.labels[g] = append(st.labels[g], r.Labels[t])
		} else {
			st.values[g] = append(st.values[g], r.Values[t]...)
		}
	}
	b.Keys = append(b.Keys, int32(uint32(key)), int32(uint32(key>>32)&0xffff|uint32(d)<<16))
	b.Rows++
	b.finish(m)
}

// finish points the batch's slices at the memory as it is now.
func (b *Batch) finish(m *Mixture) {
	last := &b.Domains[len(b.Domains)-1]
	d := last.Domain
	last.N = b.Rows - last.Row0
	last.Dense, last.IDs, last.Off = b.store.dense[d], b.store.ids[d], b.store.off[d]
	for i := range b.Segments {
		g := &b.Segments[i]
		if m.Tasks[g.Task].Classes != nil {
			g.Labels = b.store.labels[g.Task]
		} else {
			g.Values = b.store.values[g.Task]
		}
	}
}

// extend appends n elements with undefined contents.
func extend[E any](s []E, n int) []E {
	if cap(s)-len(s) >= n {
		return s[:len(s)+n]
	}
	t := make([]E, len(s)+n, 2*(len(s)+n))
	copy(t, s)
	return t
}
