// Products and gradients of weights in float32, without tensor cores: kernels/op_linear.go. They serve small and odd shapes and exact comparison.
#include "common.cuh"

// Matrices of any strides, of which one is 1.
struct view {
	float* p;
	i64 rs, cs;
	__device__ float at(i64 i, i64 j) const { return p[i * rs + j * cs]; }
};

enum { TILE = 64, DEPTH = 16 };

// A block of 16 x 16 threads makes a tile of 64 x 64, four rows and four columns a thread; sums run over the depth in order.
struct tile {
	float sum[4][4];
	float a[4], b[4];
};

__device__ inline void zero(tile& t) {
#pragma unroll
	for (int i = 0; i < 4; i++)
#pragma unroll
		for (int j = 0; j < 4; j++) t.sum[i][j] = 0;
}

// One step of the depth from shared memory.
__device__ inline void multiply(tile& t, const float (*sa)[TILE + 4], const float (*sb)[TILE + 4]) {
	int ty = threadIdx.x / 16, tx = threadIdx.x % 16;
#pragma unroll
	for (int p = 0; p < DEPTH; p++) {
#pragma unroll
		for (int i = 0; i < 4; i++) t.a[i] = sa[p][ty + 16 * i];
#pragma unroll
		for (int j = 0; j < 4; j++) t.b[j] = sb[p][tx + 16 * j];
#pragma unroll
		for (int i = 0; i < 4; i++)
#pragma unroll
			for (int j = 0; j < 4; j++) t.sum[i][j] += t.a[i] * t.b[j];
	}
}

// Rows i0.. of a (through index when given, below rows) times columns j0.. of b.
__device__ inline void product(tile& t, view a, const int* index, view b, i64 i0, i64 rows, i64 j0, i64 cols, i64 depth) {
	__shared__ float sa[DEPTH][TILE + 4], sb[DEPTH][TILE + 4];
	zero(t);
	for (i64 p0 = 0; p0 < depth; p0 += DEPTH) {
		__syncthreads();
		for (int n = threadIdx.x; n < DEPTH * TILE; n += 256) {
			int i = n / DEPTH, p = n % DEPTH; // rows of a are mostly contiguous
			float v = 0;
			if (i0 + i < rows && p0 + p < depth) v = a.at(index ? index[i0 + i] : i0 + i, p0 + p);
			sa[p][i] = v;
			int q = n / TILE, j = n % TILE;
			sb[q][j] = j0 + j < cols && p0 + q < depth ? b.at(p0 + q, j0 + j) : 0;
		}
		__syncthreads();
		multiply(t, sa, sb);
	}
}

KERNEL gemm(view a, view b, mat c, const float* bias, i64 m, i64 n, i64 k, int accumulate) {
	tile t;
	i64 tiles = (n + TILE - 1) / TILE, all = (m + TILE - 1) / TILE * tiles;
	for (i64 w = blockIdx.x; w < all; w += gridDim.x) {
		i64 i0 = w / tiles * TILE, j0 = w % tiles * TILE;
		product(t, a, nullptr, b, i0, m, j0, n, k);
		int ty = threadIdx.x / 16, tx = threadIdx.x % 16;
		for (int i = 0; i < 4; i++)
			for (int j = 0; j < 4; j++) {
				i64 r = i0 + ty + 16 * i, s = j0 + tx + 16 * j;
				if (r < m && s < n) put(&c.at(r, s), t.sum[i][j] + (bias ? bias[s] : 0), accumulate);
			}
	}
}

// Work items are tiles of rows of all groups, then tiles of columns; a block finds its group in off, so that nothing about the routing is known on the host.
KERNEL grouped_gemm(view a, const int* index, view b, i64 group_stride, mat c, const int* off, int groups, i64 n, i64 k) {
	tile t;
	i64 across = (n + TILE - 1) / TILE;
	for (i64 w = blockIdx.x;; w += gridDim.x) {
		i64 down = w / across, j0 = w % across * TILE;
		int g = 0;
		for (; g < groups; g++) {
			i64 tiles = (off[g + 1] - off[g] + TILE - 1) / TILE;
			if (down < tiles) break;
			down -= tiles;
		}
		if (g == groups) return;
		i64 i0 = off[g] + down * TILE;
		view bg = b;
		bg.p += g * group_stride;
		product(t, a, index, bg, i0, off[g + 1], j0, n, k);
		int ty = threadIdx.x / 16, tx = threadIdx.x % 16;
		for (int i = 0; i < 4; i++)
			for (int j = 0; j < 4; j++) {
				i64 r = i0 + ty + 16 * i, s = j0 + tx + 16 * j;
				if (r < off[g + 1] && s < n) c.at(r, s) = t.sum[i][j];
			}
	}
}

// A block makes a tile of one destination [k,n] from all of its segments, row by row in their order.
KERNEL grad_w(dest dst, i64 rs, i64 cs, imat segs, int segments, int groups, mat x, const int* xi, mat dy, const int* yi, i64 k, i64 n) {
	__shared__ float sa[DEPTH][TILE + 4], sb[DEPTH][TILE + 4];
	tile t;
	i64 across = (n + TILE - 1) / TILE, per = (k + TILE - 1) / TILE * across;
	for (i64 w = blockIdx.x; w < per * groups * dst.tasks; w += gridDim.x) {
		int cell = (int)(w / per), group = cell / dst.tasks, task = cell % dst.tasks;
		i64 i0 = w % per / across * TILE, j0 = w % across * TILE;
		bool any = false;
		zero(t);
		for (int s = 0; s < segments; s++) {
			segment g = segment_of(segs, s);
			if (!dst.takes(g, group, task)) continue;
			any = true;
			for (int r0 = 0; r0 < g.n; r0 += DEPTH) {
				__syncthreads();
				for (int q = threadIdx.x; q < DEPTH * TILE; q += 256) {
					int p = q / TILE, i = q % TILE;
					float u = 0, v = 0;
					if (r0 + p < g.n) {
						i64 a = g.act0 + r0 + p, c = g.row0 + r0 + p;
						if (i0 + i < k) u = x.at(xi ? xi[a] : a, i0 + i);
						if (j0 + i < n) v = dy.at(yi ? yi[c] : c, j0 + i);
					}
					sa[p][i] = u;
					sb[p][i] = v;
				}
				__syncthreads();
				multiply(t, sa, sb);
			}
		}
		if (!any) continue;
		int ty = threadIdx.x / 16, tx = threadIdx.x % 16, touched = *dst.flag(group, task);
		float* p = dst.of(group, task);
		for (int i = 0; i < 4; i++)
			for (int j = 0; j < 4; j++) {
				i64 r = i0 + ty + 16 * i, c = j0 + tx + 16 * j;
				if (r < k && c < n) put(p + r * rs + c * cs, t.sum[i][j], touched);
			}
	}
}

// Sets the flags of destinations that a kernel before it wrote.
KERNEL mark(dest dst, imat segs, int segments, int groups) {
	for (i64 n = thread_id(); n < (i64)groups * dst.tasks; n += threads()) {
		int g = (int)(n / dst.tasks), t = (int)(n % dst.tasks);
		for (int s = 0; s < segments; s++)
			if (dst.takes(segment_of(segs, s), g, t)) *dst.flag(g, t) = 1;
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
