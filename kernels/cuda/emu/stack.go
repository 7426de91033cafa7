package emu

// split is a part of a warp that waits: its lanes run from pc until they reach join.
type split struct {
	pc, join int32
	mask     uint32
}

// branch moves the lanes of exec to the target; when others stay, the two parts run one after the other and meet at join.
func (w *warp) branch(target, join int32) {
	taken := w.exec
	if taken == w.active {
		w.pc = target
		return
	}
	stay := w.active &^ taken
	// The whole waits at join, unless the part it belongs to meets there anyway.
	if w.join != join {
		w.stack = append(w.stack, split{join, w.join, w.active})
	}
	switch {
	case target == join:
		w.active, w.join = stay, join
	case w.pc == join:
		w.active, w.join, w.pc = taken, join, target
	default:
		w.stack = append(w.stack, split{w.pc, join, stay})
		w.active, w.join, w.pc = taken, join, target
	}
}

// pop continues with the next part that has lanes left; a warp without any is done.
func (w *warp) pop() {
	for {
		for len(w.stack) > w.floor {
			s := w.stack[len(w.stack)-1]
			w.stack = w.stack[:len(w.stack)-1]
			if s.mask &= w.here; s.mask != 0 {
				w.pc, w.join, w.active = s.pc, s.join, s.mask
				return
			}
		}
		if len(w.frames) == 0 {
			w.active, w.state = 0, done
			return
		}
		if w.unwind(); w.active != 0 {
			return
		}
	}
}

// leave ends the lanes of exec.
func (w *warp) leave() {
	w.live &^= w.exec
	w.here &^= w.exec
	w.active &^= w.exec
	if w.active == 0 {
		w.pop()
	}
}
