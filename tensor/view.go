package tensor

import "fmt"

// Narrow returns the part [lo, lo+n) of dimension dim; it shares the elements.
func (t Tensor) Narrow(dim, lo, n int) Tensor {
	if dim >= int(t.rank) || lo < 0 || n < 0 || lo+n > t.shape[dim] {
		panic(fmt.Sprintf("tensor: narrow %v: dimension %d to [%d,%d)", t, dim, lo, lo+n))
	}
	t.off += lo * t.stride[dim]
	t.shape[dim] = n
	return t
}

// At returns sub-tensor i along the first dimension, with one dimension less.
func (t Tensor) At(i int) Tensor {
	if t.rank == 0 || i < 0 || i >= t.shape[0] {
		panic(fmt.Sprintf("tensor: index %d of %v", i, t))
	}
	t.off += i * t.stride[0]
	copy(t.shape[:], t.shape[1:])
	copy(t.stride[:], t.stride[1:])
	t.rank--
	t.shape[t.rank], t.stride[t.rank] = 0, 0
	return t
}

// Swap exchanges two dimensions; it shares the elements.
func (t Tensor) Swap(a, b int) Tensor {
	t.shape[a], t.shape[b] = t.shape[b], t.shape[a]
	t.stride[a], t.stride[b] = t.stride[b], t.stride[a]
	return t
}

// T is the transpose of a matrix; it shares the elements.
func (t Tensor) T() Tensor { return t.Swap(0, 1) }

// Reshape views contiguous elements under another shape of the same size.
func (t Tensor) Reshape(shape ...int) Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	if !t.Contiguous() || n != t.Len() {
		panic(fmt.Sprintf("tensor: reshape %v (contiguous %v) to %d elements", t, t.Contiguous(), n))
	}
	u := Tensor{Type: t.Type, rank: uint8(len(shape)), off: t.off, st: t.st}
	for i := len(shape) - 1; i >= 0; i-- {
		u.shape[i] = shape[i]
		u.stride[i] = 1
		if i+1 < len(shape) {
			u.stride[i] = u.stride[i+1] * shape[i+1]
		}
	}
	return u
}

// Strided returns a view with the given shape and strides that starts where t starts. It panics when it would leave
// the storage.
func (t Tensor) Strided(shape, stride []int) Tensor {
	u := Tensor{Type: t.Type, rank: uint8(len(shape)), off: t.off, st: t.st}
	copy(u.shape[:], shape)
	copy(u.stride[:], stride)
	if u.off+u.extent() > t.st.Len {
		panic(fmt.Sprintf("tensor: strided view %v, %d elements from first to last, leaves the storage", u, u.extent()))
	}
	return u
}
