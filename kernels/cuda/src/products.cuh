// Products and what follows them row by row: kernels/op_linear.go and op_experts.go. The bodies here are the same for every engine, which is how a block makes
// a tile of a product: single.cuh in float32, tensorcore.cuh on tensor cores. Parameters of a kernel are the same for every engine.
#pragma once
#include "functions.cuh"

// Matrices of any strides, of which one is 1. What the elements are is in the bits of a parameter named types.
struct view {
	const void* p;
	i64 rs, cs;
};

// Bits of types: a tensor holds bfloat16 instead of float32; and that operands are rounded to it, for an engine that serves both kinds of products.
enum { HALF_A = 1, HALF_B = 2, HALF_H = 4, HALF_OUT = 8, HALF_AGAIN = 16, ROUNDS = 32 };

// An operand: element (i, d) of the outer and the summed dimension, either through an index; one of the strides is 1. Outer numbers of a tile begin at first and
// those from end on count as zeros. With second, half of the tile's outer numbers lie so much further: the two halves of a gated unit.
struct operand {
	const char* p;
	int half;
	i64 outer_stride, depth_stride;
	const int *outer_index, *depth_index;
	i64 first, end, depth0, second;
	int rounds; // for engines without tensor cores: elements are rounded to bfloat16
	__device__ i64 bytes(i64 n) const { return n << (half ? 1 : 2); }
};

// Whether runs of w elements that begin at a multiple of w are aligned.
__device__ inline bool aligned(const void* p, i64 stride, int half, int w) {
	return ((u64)p & ((half ? 2 : 4) * w - 1)) == 0 && stride % w == 0;
}

// How the threads of a block share the pieces of W elements of SIDE outer by DEPTH summed numbers. With ALONG pieces lie along the depth, GROUP threads side by
// side; else along the outer dimension.
template <class E, bool ALONG, int SIDE, int DEPTH, int W, int GROUP> struct reader {
	enum { COUNT = SIDE * DEPTH / W / E::THREADS, POINTERS = ALONG ? COUNT : 1 };
	const char* at[POINTERS];
	int room[POINTERS]; // outer numbers, or for ALONG whether there is one
	int next[COUNT];
	__device__ static int outer(int n) {
		int m = threadIdx.x + E::THREADS * n;
		return ALONG ? m / GROUP % SIDE : m % (SIDE / W) * W;
	}
	__device__ static int depth(int n) {
		int m = threadIdx.x + E::THREADS * n;
		return ALONG ? (m % GROUP + m / (GROUP * SIDE) * GROUP) * W : m / (SIDE / W);
	}
	__device__ void begin(const operand& o, int steps) {
#pragma unroll
		for (int n = 0; n < POINTERS; n++) {
			int c = outer(n);
			i64 i = o.first + (o.second ? E::within(c) : c), left = o.end - i;
			room[n] = left <= 0 ? 0 : left < W ? (int)left : W;
			if (o.second) i += E::side(c) * o.second;
			if (ALONG && o.outer_index && left > 0) i = o.outer_index[i];
			at[n] = o.p + o.bytes(i * o.outer_stride);
		}
		if (!ALONG) look(o, 0, steps);
	}
	// Reads the indices of a step ahead of its elements.
	__device__ void look(const operand& o, int d0, int steps) {
#pragma unroll
		for (int n = 0; n < COUNT; n++)
			if (o.depth_index && d0 + depth(n) < steps) next[n] = o.depth_index[o.depth0 + d0 + depth(n)];
	}
	// The place of piece n of the step from d0 on, and how many of its elements there are.
	__device__ const char* piece(const operand& o, int d0, int steps, int n, int& valid) const {
		int d = d0 + depth(n), left = steps - d;
		if (ALONG) {
			valid = room[n] == 0 || left <= 0 ? 0 : left < W ? left : W;
			return at[n] + o.bytes(d);
		}
		valid = left > 0 ? room[0] : 0;
		i64 row = o.depth_index ? next[n] : o.depth0 + d;
		return at[0] + o.bytes(row * o.depth_stride);
	}
	// Keeps a step of pieces of four floats in shared memory, a row for each number of the depth.
	template <int PITCH> __device__ static void keep(float (&s)[DEPTH][PITCH], const float (&w)[COUNT][4]) {
#pragma unroll
		for (int n = 0; n < COUNT; n++) {
			int i = outer(n), d = depth(n);
			if (ALONG) {
#pragma unroll
				for (int q = 0; q < 4; q++) s[d + q][i] = w[n][q];
			} else *(float4*)&s[d][i] = make_float4(w[n][0], w[n][1], w[n][2], w[n][3]);
		}
	}
};

// A matrix that a tile is written to, four columns at a time.
struct output {
	char* p;
	i64 ld;
	int half;
	bool wide;
	__device__ output(void* q, i64 stride, int type) : p((char*)q), ld(stride), half(type), wide(aligned(q, stride, type, 4)) {}
	__device__ explicit output(mat m, int type = 0) : output(m.p, m.ld, type) {}
	// Rounds v to what is stored.
	__device__ float kept(float v) const { return half ? float_of(half_of(v)) : v; }
	__device__ void put(i64 i, i64 j, i64 cols, const float (&v)[4]) const {
		i64 at = i * ld + j;
		if (wide && j + 4 <= cols) {
			if (half) *(uint2*)(p + 2 * at) = make_uint2(halves_of(v[0], v[1]), halves_of(v[2], v[3]));
			else *(float4*)(p + 4 * at) = make_float4(v[0], v[1], v[2], v[3]);
			return;
		}
#pragma unroll
		for (int q = 0; q < 4; q++)
			if (j + q < cols) {
				if (half) ((unsigned short*)p)[at + q] = half_of(v[q]);
				else ((float*)p)[at + q] = v[q];
			}
	}
	// Reads four columns; those from cols on are zeros.
	__device__ void get(i64 i, i64 j, i64 cols, float (&v)[4]) const {
		i64 at = i * ld + j;
		if (wide && j + 4 <= cols) {
			if (half) {
				uint2 w = *(const uint2*)(p + 2 * at);
				v[0] = __uint_as_float(w.x << 16), v[1] = __uint_as_float(w.x & 0xffff0000u), v[2] = __uint_as_float(w.y << 16), v[3] = __uint_as_float(w.y & 0xffff0000u);
			} else {
				float4 w = *(const float4*)(p + 4 * at);
				v[0] = w.x, v[1] = w.y, v[2] = w.z, v[3] = w.w;
			}
			return;
		}
#pragma unroll
		for (int q = 0; q < 4; q++) v[q] = j + q >= cols ? 0 : float_at(p, at + q, half);
	}
	// Stores four columns, or adds them to what is there.
	__device__ void put(i64 i, i64 j, i64 cols, float (&v)[4], bool accumulate) const {
		float old[4];
		if (accumulate) get(i, j, cols, old);
#pragma unroll
		for (int q = 0; q < 4; q++)
			if (accumulate) v[q] = old[q] + v[q];
		put(i, j, cols, v);
	}
};

// Layouts that an operand may have, known before the kernel runs or not.
enum { ALONG, ACROSS, EITHER };

// Calls E::run for the layouts of two operands.
template <class E, int A, int B> __device__ inline void by_layout(typename E::fragment& f, typename E::shared& sh, const operand& a, const operand& b, int steps) {
	if (steps <= 0) return;
	bool ak = A == EITHER ? a.depth_stride == 1 : A == ALONG, bk = B == EITHER ? b.depth_stride == 1 : B == ALONG;
	if (ak && bk) E::template run<true, true>(f, sh, a, b, steps);
	else if (ak) E::template run<true, false>(f, sh, a, b, steps);
	else if (bk) E::template run<false, true>(f, sh, a, b, steps);
	else E::template run<false, false>(f, sh, a, b, steps);
}

// Finds the group of a tile of rows, and makes down the number of the tile within it; groups when there is none. Every warp finds the same.
template <int ROWS> __device__ inline int find_group(const int* off, int groups, i64& down) {
	for (int g0 = 0; g0 < groups; g0 += 32) {
		int g = g0 + lane();
		i64 own = g < groups ? (off[g + 1] - off[g] + ROWS - 1) / ROWS : 0, upto = own;
#pragma unroll
		for (int d = 1; d < 32; d *= 2) {
			i64 left = __shfl_up_sync(0xffffffffu, upto, d);
			if (lane() >= d) upto += left;
		}
		unsigned past = __ballot_sync(0xffffffffu, down < upto);
		if (past) {
			int first = __ffs(past) - 1;
			down -= __shfl_sync(0xffffffffu, upto - own, first);
			return g0 + first;
		}
		down -= __shfl_sync(0xffffffffu, upto, 31);
	}
	return groups;
}

// What follows a product element by element: kernels.GEMM.
struct epilogue {
	const float* bias;
	int accumulate, function;
	mat pre;
	const float* scale;
	mat residual;
};

// Where a product goes, and what follows it on the way.
struct followed {
	output out, pre, residual;
	const epilogue& e;
	__device__ followed(mat c, int half, const epilogue& e) : out(c, half), pre(e.pre), residual(e.residual), e(e) {}
	// Finishes four columns of a row and stores them.
	__device__ void put(i64 r, i64 s, i64 n, float (&v)[4]) const {
		float old[4];
		if (e.accumulate) out.get(r, s, n, old);
		if (residual.p) residual.get(r, s, n, old);
#pragma unroll
		for (int q = 0; q < 4; q++)
			if (e.bias && s + q < n) v[q] += e.bias[s + q];
		if (pre.p) pre.put(r, s, n, v);
		if (e.function != IDENTITY)
#pragma unroll 1
			for (int q = 0; q < 4; q++) { // in a circle: one copy of the functions
				float x = value_of(e.function, v[0]);
				v[0] = v[1], v[1] = v[2], v[2] = v[3], v[3] = x;
			}
		float factor = e.scale ? e.scale[r] : 1;
#pragma unroll
		for (int q = 0; q < 4; q++) {
			if (e.scale) v[q] *= factor;
			if (e.accumulate || residual.p) v[q] += old[q];
		}
		out.put(r, s, n, v);
	}
};

// A block makes a tile. Grids are as large as it takes, so that nothing has to be kept from tile to tile.
template <class E> __device__ inline void gemm_body(typename E::shared& sh, view a, view b, mat c, i64 m, i64 n, i64 k, int types, const epilogue& e) {
	typename E::fragment f;
	i64 across = (n + E::COLS - 1) / E::COLS;
	i64 w = blockIdx.x, i0 = w / across * E::ROWS, j0 = w % across * E::COLS;
	E::zero(f);
	E::template product<EITHER, EITHER>(f, sh, {(const char*)a.p, types & HALF_A, a.rs, a.cs, nullptr, nullptr, i0, m, 0, 0, types & ROUNDS}, {(const char*)b.p, types & HALF_B, b.cs, b.rs, nullptr, nullptr, j0, n, 0, 0, types & ROUNDS}, (int)k);
	followed to(c, 0, e);
	E::each(f, sh, [&](int i, int j, float (&v)[4]) {
		if (i0 + i < m && j0 + j < n) to.put(i0 + i, j0 + j, n, v);
	});
}

// Work items are tiles of rows of all groups, then tiles of columns; a block finds its group in off, so that nothing about the routing is known on the host.
template <class E> __device__ inline void grouped_gemm_body(typename E::shared& sh, view a, const int* index, view b, i64 group_stride, mat c, const int* off, int groups, int types, i64 n, i64 k) {
	typename E::fragment f;
	output out(c, types & HALF_OUT);
	i64 across = (n + E::COLS - 1) / E::COLS;
	i64 w = blockIdx.x, down = w / across, j0 = w % across * E::COLS;
	int g = find_group<E::ROWS>(off, groups, down);
	if (g == groups) return;
	i64 i0 = off[g] + down * E::ROWS, end = off[g + 1];
	operand rhs = {(const char*)b.p, types & HALF_B, b.cs, b.rs, nullptr, nullptr, j0, n, 0, 0};
	rhs.p += rhs.bytes(g * group_stride);
	E::zero(f);
	E::template product<ALONG, EITHER>(f, sh, {(const char*)a.p, types & HALF_A, a.rs, 1, index, nullptr, i0, end, 0, 0}, rhs, (int)k);
	E::each(f, sh, [&](int i, int j, float (&v)[4]) {
		if (i0 + i < end && j0 + j < n) out.put(i0 + i, j0 + j, n, v);
	});
}

// A block makes a tile of one destination [k,n] from all of its segments in their order; a segment's last step is filled up with zeros.
template <class E> __device__ inline void grad_w_body(typename E::shared& sh, dest dst, i64 rs, i64 cs, imat segs, int segments, int groups, mat x, const int* xi, mat dy, const int* yi, i64 k, i64 n, int types) {
	typename E::fragment f;
	i64 across = (n + E::COLS - 1) / E::COLS, per = (k + E::ROWS - 1) / E::ROWS * across;
	i64 w = blockIdx.x;
	int cell = (int)(w / per), group = cell / dst.tasks, task = cell % dst.tasks;
	i64 i0 = w % per / across * E::ROWS, j0 = w % across * E::COLS;
	bool any = false;
	E::zero(f);
	for (int s = 0; s < segments; s++) {
		segment g = segment_of(segs, s);
		if (!dst.takes(g, group, task)) continue;
		any = true;
		E::template product<ACROSS, ACROSS>(f, sh, {(const char*)x.p, types & HALF_A, 1, x.ld, nullptr, xi, i0, k, g.act0, 0}, {(const char*)dy.p, types & HALF_B, 1, dy.ld, nullptr, yi, j0, n, g.row0, 0}, g.n);
	}
	if (!any) return;
	int touched = *dst.flag(group, task);
	float* p = dst.of(group, task);
	output out(p, rs, 0);
	E::each(f, sh, [&](int i, int j, float (&v)[4]) {
		i64 r = i0 + i, c = j0 + j;
		if (r >= k || c >= n) return;
		if (cs != 1) { // a transposed destination
#pragma unroll
			for (int q = 0; q < 4; q++)
				if (c + q < n) put(p + r * rs + (c + q) * cs, v[q], touched);
			return;
		}
		out.put(r, c, n, v, touched);
	});
}

// What kernels.GroupedGated makes of a product: four units of row i from j on at a time.
struct gated_units {
	output pre, up, post;
	i64 width;
	int gate;
	__device__ gated_units(mat h, mat a, int types, i64 units, int which) : pre(h, types & HALF_H), up(pre), post(a, types & HALF_OUT), width(units), gate(which) { up.wide = pre.wide && width % 4 == 0; }
	__device__ void put(i64 i, i64 j, float (&v)[4]) const {
		float act[4];
#pragma unroll
		for (int q = 0; q < 4; q++) act[q] = gate_of(gate, v[q] = pre.kept(v[q]));
		pre.put(i, j, width, v);
		post.put(i, j, width, act);
	}
	// Pairs of SwiGLU: gates v and the numbers u that they let through.
	__device__ void put(i64 i, i64 j, float (&v)[4], float (&u)[4]) const {
		float act[4];
#pragma unroll
		for (int q = 0; q < 4; q++) {
			v[q] = pre.kept(v[q]);
			u[q] = pre.kept(u[q]);
			act[q] = gate_of(SWIGLU, v[q]) * u[q];
		}
		pre.put(i, j, width, v);
		up.put(i, width + j, 2 * width, u);
		post.put(i, j, width, act);
	}
};

// What kernels.GroupedGatedGrad makes of a product.
struct gated_grads {
	output pre, pre_up, grad, grad_up, post;
	const int* act;
	const float* scale;
	i64 width;
	int gate;
	__device__ gated_grads(mat h, const int* rows, const float* factors, mat dh, mat again, int types, i64 units, int which)
		: pre(h, types & HALF_H), pre_up(pre), grad(dh, types & HALF_OUT), grad_up(grad), post(again, types & HALF_AGAIN), act(rows), scale(factors), width(units), gate(which) {
		pre_up.wide = pre.wide && width % 4 == 0;
		grad_up.wide = grad.wide && width % 4 == 0;
	}
	// Takes the gradients of four activations of row i from j on, and returns their part of that of the row's scale.
	__device__ float put(i64 i, i64 j, float (&d)[4]) const {
		bool pairs = gate == SWIGLU;
		i64 row = row_of(act, i), cols = pairs ? 2 * width : width;
		float x[4], u[4], own[4], ups[4], a[4], s = scale ? scale[row] : 1, sum = 0;
		pre.get(row, j, width, x);
		if (pairs) pre_up.get(row, width + j, cols, u);
#pragma unroll
		for (int q = 0; q < 4; q++) {
			float slope, v = gate_and_slope(gate, x[q], slope);
			if (pairs) {
				ups[q] = s * v * d[q];
				own[q] = s * slope * u[q] * d[q];
				v *= u[q];
			} else own[q] = s * slope * d[q];
			a[q] = s * v;
			if (j + q < width) sum += d[q] * v;
		}
		grad.put(i, j, width, own);
		if (pairs) grad_up.put(i, width + j, cols, ups);
		if (post.p) post.put(i, j, width, a);
		return sum;
	}
};

// The product of GroupedGEMM, its activation as soon as a tile is there: H and A are written once. With SwiGLU a tile holds both halves of its units.
template <class E> __device__ inline void grouped_gated_body(typename E::shared& sh, view x, const int* index, view b, i64 group_stride, mat h, mat a, const int* off, int groups, int types, i64 width, i64 k, int gate) {
	typename E::fragment f;
	gated_units units(h, a, types, width, gate);
	bool pairs = gate == SWIGLU;
	i64 step = pairs ? E::COLS / 2 : E::COLS, across = (width + step - 1) / step;
	i64 w = blockIdx.x, down = w / across, j0 = w % across * step;
	int g = find_group<E::ROWS>(off, groups, down);
	if (g == groups) return;
	i64 i0 = off[g] + down * E::ROWS, end = off[g + 1];
	operand rhs = {(const char*)b.p, types & HALF_B, b.cs, b.rs, nullptr, nullptr, j0, width, 0, pairs ? width : 0};
	rhs.p += rhs.bytes(g * group_stride);
	E::zero(f);
	E::template product<ALONG, EITHER>(f, sh, {(const char*)x.p, types & HALF_A, x.rs, 1, index, nullptr, i0, end, 0, 0}, rhs, (int)k);
	if (pairs)
		E::both(f, sh, [&](int i, int j, float (&v)[4], float (&u)[4]) {
			if (i0 + i < end && j0 + j < width) units.put(i0 + i, j0 + j, v, u);
		});
	else
		E::each(f, sh, [&](int i, int j, float (&v)[4]) {
			if (i0 + i < end && j0 + j < width) units.put(i0 + i, j0 + j, v);
		});
}

// The product of GroupedGEMM against the activation's derivative as soon as a tile is there: da is never written. The gradient of a row's scale is the sum over the
// tiles of its columns: a block adds its own and leaves the sum in part, column by column of tiles, for add_scales; with one tile across part is dscale itself.
template <class E> __device__ inline void grouped_gated_grad_body(typename E::shared& sh, view dy, const int* index, view b, i64 group_stride, const int* off, int groups, int types, i64 width, i64 k,
	mat h, const int* act, const float* scale, mat dh, float* part, i64 part_row, mat again, int gate) {
	typename E::fragment f;
	gated_grads units(h, act, scale, dh, again, types, width, gate);
	i64 across = (width + E::COLS - 1) / E::COLS;
	i64 w = blockIdx.x, down = w / across, j0 = w % across * E::COLS;
	int g = find_group<E::ROWS>(off, groups, down);
	if (g == groups) return;
	i64 i0 = off[g] + down * E::ROWS, end = off[g + 1];
	operand rhs = {(const char*)b.p, types & HALF_B, b.cs, b.rs, nullptr, nullptr, j0, width, 0, 0};
	rhs.p += rhs.bytes(g * group_stride);
	E::zero(f);
	E::template product<ALONG, EITHER>(f, sh, {(const char*)dy.p, types & HALF_A, dy.rs, 1, index, nullptr, i0, end, 0, 0}, rhs, (int)k);
	E::sums(f, sh, [&](int i, int j, float (&d)[4]) {
		return i0 + i < end && j0 + j < width ? units.put(i0 + i, j0 + j, d) : 0;
	}, [&](int i, float sum) {
		if (part && i0 + i < end) part[(i0 + i) * part_row + w % across] = sum;
	});
}

// The product alone of an engine.
#define GEMM(E, NAME) \
	KERNEL __launch_bounds__(E::THREADS, E::BLOCKS) NAME(gemm)(view a, view b, mat c, i64 m, i64 n, i64 k, int types, int, const float* bias, int accumulate, int function, mat pre, const float* scale, mat residual) { \
		SHARED(E); \
		gemm_body<E>(sh, a, b, c, m, n, k, types, {bias, accumulate, function, pre, scale, residual}); \
	}

// The kernels of an engine. Its BLOCKS, and GRAD_BLOCKS for the last ones, are the blocks of a multiprocessor that registers are to suffice for.
#define PRODUCTS(E, NAME) \
	GEMM(E, NAME) \
	KERNEL __launch_bounds__(E::THREADS, E::BLOCKS) NAME(grouped_gemm)(view a, const int* index, view b, i64 group_stride, mat c, const int* off, int groups, int types, i64 n, i64 k) { \
		SHARED(E); \
		grouped_gemm_body<E>(sh, a, index, b, group_stride, c, off, groups, types, n, k); \
	} \
	KERNEL __launch_bounds__(E::THREADS, E::GRAD_BLOCKS) NAME(grad_w)(dest dst, i64 rs, i64 cs, imat segs, int segments, int groups, mat x, const int* xi, mat dy, const int* yi, i64 k, i64 n, int types) { \
		SHARED(E); \
		grad_w_body<E>(sh, dst, rs, cs, segs, segments, groups, x, xi, dy, yi, k, n, types); \
	} \
	KERNEL __launch_bounds__(E::THREADS, E::BLOCKS) NAME(grouped_gated)(view x, const int* index, view b, i64 group_stride, mat h, mat a, const int* off, int groups, int types, i64 width, i64 k, int gate) { \
		SHARED(E); \
		grouped_gated_body<E>(sh, x, index, b, group_stride, h, a, off, groups, types, width, k, gate); \
	} \
	KERNEL __launch_bounds__(E::THREADS, E::GRAD_BLOCKS) NAME(grouped_gated_grad)(view dy, const int* index, view b, i64 group_stride, const int* off, int groups, int types, i64 width, i64 k, \
		mat h, const int* act, const float* scale, mat dh, float* part, i64 part_row, mat again, int gate) { \
		SHARED(E); \
		grouped_gated_grad_body<E>(sh, dy, index, b, group_stride, off, groups, types, width, k, h, act, scale, dh, part, part_row, again, gate); \
	}
