package cpu

import "artel/kernels"

// columnRun is a run of n columns of a wide matrix from col on that the index of GatherCols or ScatterCols names one after the other.
type columnRun struct{ col, n int }

// findColumns cuts an index into runs, for the rows of the op that follows.
func (b *backend) findColumns(index []int32) {
	b.columns = b.columns[:0]
	for j := 0; j < len(index); {
		n := 1
		for j+n < len(index) && index[j+n] == index[j]+int32(n) {
			n++
		}
		b.columns = append(b.columns, columnRun{int(index[j]), n})
		j += n
	}
}

func (b *backend) gatherCols(a *kernels.GatherCols, lo, hi int) {
	dst, src := matrix(a.Dst), matrix(a.Src)
	for i := lo; i < hi; i++ {
		d, s := dst.row(i), src.row(i)
		for _, r := range b.columns {
			from := s[r.col : r.col+r.n]
			for j, v := range from { // runs are short: no call for each
				d[j] = v
			}
			d = d[r.n:]
		}
	}
}

func (b *backend) scatterCols(a *kernels.ScatterCols, lo, hi int) {
	dst, src := matrix(a.Dst), matrix(a.Src)
	for i := lo; i < hi; i++ {
		d, s := dst.row(i), src.row(i)
		if !a.Accumulate {
			clear(d)
		}
		for _, r := range b.columns {
			b.vec.Axpy(d[r.col:r.col+r.n], s[:r.n], 1)
			s = s[r.n:]
		}
	}
}
