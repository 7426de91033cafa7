package emu

import (
	"strconv"
	"sync/atomic"
)

// owners says, for each two bytes of an allocation, which block wrote them last and which read them: the launch in the high half, the block's number and one
// in the low one, or manyBlocks.
type owners struct{ writer, reader []atomic.Uint64 }

const manyBlocks = 1<<32 - 1

// other reports whether an owner is another block of the same launch.
func other(owner, me uint64) bool { return owner>>32 == me>>32 && owner != me }

// blocksOrdered checks a plain access against those of other blocks of the launch. A block that has received the result of an atomic operation may know that others are done, so its reads
// are not checked; nor are volatile, relaxed and acquiring accesses. Marks are set before the other side's are read, so of two blocks at the same time one sees the other.
func (w *warp) blocksOrdered(in *inst, l int, m *allocation, off uint64) bool {
	b, acc := w.blk, in.mem
	if acc.atomic {
		b.acquired = b.acquired || in.asm.Op == "atom"
		return true
	}
	if acc.bytes < 2 || in.asm.Has("volatile") || in.asm.Has("relaxed") || in.asm.Has("acquire") {
		return true
	}
	me := b.launch<<32 | b.number + 1
	for g := off / 2; g < (off+acc.bytes)/2; g++ {
		var writer uint64
		if acc.write {
			writer = m.owners.writer[g].Swap(me)
			if other(m.owners.reader[g].Load(), me) && !b.acquired {
				w.fault(GlobalRace, in, l, m.base+off, "%s reads it in the same launch", blockName(m.owners.reader[g].Load()))
				return false
			}
		} else {
			if old := m.owners.reader[g].Swap(me); other(old, me) {
				m.owners.reader[g].Store(b.launch<<32 | manyBlocks)
			}
			writer = m.owners.writer[g].Load()
		}
		if other(writer, me) && !b.acquired {
			w.fault(GlobalRace, in, l, m.base+off, "%s writes it in the same launch", blockName(writer))
			return false
		}
	}
	return true
}

func blockName(owner uint64) string {
	if owner&manyBlocks == manyBlocks {
		return "more than one block"
	}
	return "block number " + strconv.FormatUint(owner&manyBlocks-1, 10)
}
