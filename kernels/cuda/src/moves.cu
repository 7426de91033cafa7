// Moves and sums of rows: kernels/op_moves.go.
#include "common.cuh"

// dtype.Type
enum { F32 = 1, F64 = 2, BF16 = 3, I32 = 4 };

// Tensors of rank up to 4 with any strides; types are numbered as in package dtype.
struct shape4 { i64 n[4]; };
struct stride4 { i64 s[4]; };

__device__ inline double load(const void* p, int type, i64 i) {
	switch (type) {
	case F32: return ((const float*)p)[i];
	case F64: return ((const double*)p)[i];
	case BF16: return float_of(((const unsigned short*)p)[i]);
	}
	return ((const int*)p)[i];
}

// Rounds to nearest even; NaN stays NaN.
__device__ inline unsigned short to_bf16(float v) {
	unsigned u = __float_as_uint(v);
	if (v != v) return (unsigned short)(u >> 16 | 0x40);
	return (unsigned short)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

// A double rounded once: through float with the last bit sticky.
__device__ inline unsigned short to_bf16(double v) {
	float f = (float)v;
	unsigned u = __float_as_uint(f);
	if ((double)f != v && v == v) {
		// f was rounded: go back to the value towards zero and mark what was cut.
		if (fabs((double)f) > fabs(v)) u--;
		u |= 1;
	}
	return to_bf16(__uint_as_float(u));
}

__device__ inline void store(void* p, int type, i64 i, double v) {
	switch (type) {
	case F32: ((float*)p)[i] = (float)v; break;
	case F64: ((double*)p)[i] = v; break;
	case BF16: ((unsigned short*)p)[i] = to_bf16(v); break;
	default: ((int*)p)[i] = (int)v;
	}
}

__device__ inline i64 place(i64 k, const shape4& n, const stride4& s) {
	i64 at = 0;
	for (int d = 3; d >= 0; d--) {
		at += k % n.n[d] * s.s[d];
		k /= n.n[d];
	}
	return at;
}

KERNEL fill(void* dst, int type, shape4 n, stride4 s, double v) {
	i64 total = n.n[0] * n.n[1] * n.n[2] * n.n[3];
	for (i64 k = thread_id(); k < total; k += threads()) store(dst, type, place(k, n, s), v);
}

KERNEL copy(void* dst, int dtype, stride4 ds, const void* src, int stype, stride4 ss, shape4 n) {
	i64 total = n.n[0] * n.n[1] * n.n[2] * n.n[3];
	for (i64 k = thread_id(); k < total; k += threads()) store(dst, dtype, place(k, n, ds), load(src, stype, place(k, n, ss)));
}

KERNEL axpy(mat dst, mat src, i64 rows, i64 cols, double scale, const double* by, int accumulate) {
	float alpha;
	if (!factor(by, scale, &alpha)) return;
	for (i64 k = thread_id(); k < rows * cols; k += threads()) put(&dst.at(k / cols, k % cols), alpha * src.at(k / cols, k % cols), accumulate);
}

// Both matrices hold words of 32 bits, floats or integers.
KERNEL gather_rows(imat dst, imat src, const int* index, i64 rows, i64 cols) {
	for (i64 k = thread_id(); k < rows * cols; k += threads()) {
		i64 i = k / cols, j = k % cols;
		dst.at(i, j) = index[i] < 0 ? 0 : src.at(index[i], j);
	}
}

// A thread owns a column, so that rows are added in order.
KERNEL scatter_rows(mat dst, mat src, const int* index, i64 rows, i64 cols) {
	for (i64 j = thread_id(); j < cols; j += threads())
		for (i64 i = 0; i < rows; i++)
			if (index[i] >= 0) dst.at(index[i], j) += src.at(i, j);
}

KERNEL gather_cols(mat dst, mat src, const int* index, i64 rows, i64 n) {
	for (i64 k = thread_id(); k < rows * n; k += threads()) dst.at(k / n, k % n) = src.at(k / n, index[k % n]);
}

// A thread owns a row.
KERNEL scatter_cols(mat dst, mat src, const int* index, i64 rows, i64 cols, i64 n, int accumulate) {
	for (i64 i = thread_id(); i < rows; i += threads()) {
		for (i64 j = 0; j < cols && !accumulate; j++) dst.at(i, j) = 0;
		for (i64 j = 0; j < n; j++) dst.at(i, index[j]) += src.at(i, j);
	}
}
