package cpu

import (
	"artel/kernels/cpu/internal/gemm"
	"artel/tensor"
)

// keeper holds weights of one storage in the form that products read, while they do not change.
type keeper struct {
	on   bool
	kept map[view]*gemm.Kept
}

// view is a matrix in a storage.
type view struct{ off, rows, cols, rs, cs int }

// keep is kernels.Backend.Keep. The memory stays for the next time.
func (b *backend) keep(w *tensor.Storage, on bool) {
	k := b.keepers[w]
	if k == nil {
		k = &keeper{kept: map[view]*gemm.Kept{}}
		b.keepers[w] = k
	}
	if k.on && !on {
		for _, m := range k.kept {
			m.Drop()
		}
	}
	k.on = on
}

// keptRows is the most rows of a product in float32 for which packed weights are worth their memory, if they are transposed. Others read weights where they lie or pack
// them on the way at no cost that shows (benchmarks/KERNELS.md).
const keptRows = 24

// weights gives a product, whose right operand is w, the form in which that is kept, if it is. In bfloat16 that saves rounding them, too.
func (b *backend) weights(p *gemm.Product, w tensor.Tensor) {
	if len(b.keepers) == 0 {
		return
	}
	k := b.keepers[w.Storage()]
	p.BF16 = b.bf16
	if k == nil || !k.on || !p.BF16 && (p.B.CS == 1 || p.M > keptRows) {
		return
	}
	v := view{w.Offset(), p.K, p.N, p.B.RS, p.B.CS}
	m := k.kept[v]
	if m == nil {
		m = b.gemm.NewKept(p)
		k.kept[v] = m
	}
	p.Kept = m
}
