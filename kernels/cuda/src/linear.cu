// Gradients of biases and tables, and what products leave to do: kernels/op_linear.go.
#include "common.cuh"

// Sets the flags of destinations that a kernel before it wrote.
KERNEL mark(dest dst, imat segs, int segments, int groups) {
	for (i64 n = thread_id(); n < (i64)groups * dst.tasks; n += threads()) {
		int g = (int)(n / dst.tasks), t = (int)(n % dst.tasks);
		for (int s = 0; s < segments; s++)
			if (dst.takes(segment_of(segs, s), g, t)) *dst.flag(g, t) = 1;
	}
}

// The gradients of scales: the parts that tiles left, in the order of their columns.
KERNEL add_scales(float* dscale, mat part, int parts, const int* rows) {
	for (i64 r = thread_id(); r < *rows; r += threads()) {
		float sum = 0;
		for (int t = 0; t < parts; t++) sum += part.at(r, t);
		dscale[r] = sum;
	}
}

// A thread owns a column of a destination.
KERNEL grad_b(dest dst, imat segs, int segments, int groups, mat dy, i64 cols) {
	for (i64 k = thread_id(); k < groups * dst.tasks * cols; k += threads()) {
		int cell = (int)(k / cols), group = cell / dst.tasks, task = cell % dst.tasks;
		i64 j = k % cols;
		bool any = false;
		float sum = 0;
		for (int s = 0; s < segments; s++) {
			segment g = segment_of(segs, s);
			if (!dst.takes(g, group, task)) continue;
			any = true;
			for (int i = 0; i < g.n; i++) sum += dy.at(g.row0 + i, j);
		}
		if (any) put(&dst.of(group, task)[j], sum, *dst.flag(group, task));
	}
}

// The ids of a row's bag, and the factor of their sum.
__device__ inline float bag(const int* off, i64 i, int mean, i64& lo, i64& hi) {
	lo = off ? off[i] : i;
	hi = off ? off[i + 1] : i + 1;
	return off && mean && hi > lo ? 1.f / (hi - lo) : 1;
}

KERNEL embed(mat table, const int* ids, const int* off, mat dst, i64 rows, i64 cols, int mean) {
	for (i64 k = thread_id(); k < rows * cols; k += threads()) {
		i64 i = k / cols, j = k % cols, lo, hi;
		float scale = bag(off, i, mean, lo, hi), s = 0;
		for (i64 q = lo; q < hi; q++) s += table.at(ids[q], j);
		dst.at(i, j) = scale * s;
	}
}

// A thread owns a column of a task's table: it is zeroed before its first segment, and rows are added in order.
KERNEL embed_grad(dest dst, i64 ld, imat segs, int segments, const int* ids, const int* off, mat dy, i64 vocabulary, i64 cols, int mean) {
	for (i64 k = thread_id(); k < dst.tasks * cols; k += threads()) {
		int t = (int)(k / cols);
		i64 j = k % cols;
		float* p = dst.of(0, t) + j;
		bool fresh = !*dst.flag(0, t);
		for (int s = 0; s < segments; s++) {
			segment g = segment_of(segs, s);
			if (!dst.takes(g, 0, t)) continue;
			for (i64 v = 0; v < vocabulary && fresh; v++) p[v * ld] = 0;
			fresh = false;
			for (int i = 0; i < g.n; i++) {
				i64 lo, hi;
				float scale = bag(off, g.act0 + i, mean, lo, hi);
				for (i64 q = lo; q < hi; q++) p[ids[q] * ld] += scale * dy.at(g.row0 + i, j);
			}
		}
	}
}
