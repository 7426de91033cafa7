package optim

import "artel/param"

// span is elements [lo,hi) of the flat space.
type span struct{ lo, hi int }

// run is a Run with what it is made from.
type run struct {
	Run
	span
	lrScale float64
}

// layout merges neighbouring parameters with equal settings into runs, and what is not frozen into spans. With matrices, each matrix
// is a run of its own. Padding between merged parameters lies inside: it is zero, and no rule moves a zero without a gradient.
func layout(set *param.Set, all []settings, matrices bool) (runs []run, spans []span) {
	var last *settings // of the run that the next parameter may join
	joined := false    // the parameter before is trained
	for i, p := range set.Params {
		s := all[i]
		if s.freeze {
			last, joined = nil, false
			continue
		}
		hi := p.Off + p.Len()
		if joined {
			spans[len(spans)-1].hi = hi
		} else {
			spans = append(spans, span{p.Off, hi})
		}
		joined = true
		s.matrix = s.matrix && matrices
		if last != nil && *last == s && !s.matrix {
			runs[len(runs)-1].hi = hi
			continue
		}
		last = &s
		r := run{span: span{p.Off, hi}, lrScale: s.lrScale}
		r.Decay = s.decay
		if s.matrix {
			r.Rows, r.Cols = p.Shape()[0], p.Shape()[1]
		}
		runs = append(runs, r)
	}
	return runs, spans
}
