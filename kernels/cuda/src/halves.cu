// Products and gradients of weights with operands rounded to bfloat16, on tensor cores: kernels/op_linear.go. Parameters are those of the kernels of linear.cu.
#include "tensorcore.cuh"

struct view {
	float* p;
	i64 rs, cs;
};

KERNEL gemm(view a, view b, mat c, const float* bias, i64 m, i64 n, i64 k, int accumulate) {
	__shared__ __align__(16) stage sa, sb;
	fragment f;
	i64 across = (n + SIDE - 1) / SIDE, all = (m + SIDE - 1) / SIDE * across;
	for (i64 w = blockIdx.x; w < all; w += gridDim.x) {
		i64 i0 = w / across * SIDE, j0 = w % across * SIDE;
		zero(f);
		product(f, sa, sb, {a.p, a.rs, a.cs, nullptr, nullptr, i0, m, 0}, {b.p, b.cs, b.rs, nullptr, nullptr, j0, n, 0}, k);
		each(f, [&](int i, int j, float v) {
			if (i0 + i < m && j0 + j < n) put(&c.at(i0 + i, j0 + j), v + (bias ? bias[j0 + j] : 0), accumulate);
		});
	}
}

// Work items are tiles of rows of all groups, then tiles of columns, as in linear.cu.
KERNEL grouped_gemm(view a, const int* index, view b, i64 group_stride, mat c, const int* off, int groups, i64 n, i64 k) {
	__shared__ __align__(16) stage sa, sb;
	fragment f;
	i64 across = (n + SIDE - 1) / SIDE;
	for (i64 w = blockIdx.x;; w += gridDim.x) {
		i64 down = w / across, j0 = w % across * SIDE;
		int g = 0;
		for (; g < groups; g++) {
			i64 tiles = (off[g + 1] - off[g] + SIDE - 1) / SIDE;
			if (down < tiles) break;
			down -= tiles;
		}
		if (g == groups) return;
		i64 i0 = off[g] + down * SIDE, end = off[g + 1];
		zero(f);
		product(f, sa, sb, {a.p, a.rs, a.cs, index, nullptr, i0, end, 0}, {b.p + g * group_stride, b.cs, b.rs, nullptr, nullptr, j0, n, 0}, k);
		each(f, [&](int i, int j, float v) {
			if (i0 + i < end && j0 + j < n) c.at(i0 + i, j0 + j) = v;
		});
	}
}

// A block makes a tile of one destination [k,n] from all of its segments in their order; a segment's last step is filled up with zeros.
KERNEL grad_w(dest dst, i64 rs, i64 cs, imat segs, int segments, int groups, mat x, const int* xi, mat dy, const int* yi, i64 k, i64 n) {
	__shared__ __align__(16) stage sa, sb;
	fragment f;
	i64 across = (n + SIDE - 1) / SIDE, per = (k + SIDE - 1) / SIDE * across;
	for (i64 w = blockIdx.x; w < per * groups * dst.tasks; w += gridDim.x) {
		int cell = (int)(w / per), group = cell / dst.tasks, task = cell % dst.tasks;
		i64 i0 = w % per / across * SIDE, j0 = w % across * SIDE;
		bool any = false;
		zero(f);
		for (int s = 0; s < segments; s++) {
			segment g = segment_of(segs, s);
			if (!dst.takes(g, group, task)) continue;
			any = true;
			product(f, sa, sb, {x.p, 1, x.ld, nullptr, xi, i0, k, g.act0}, {dy.p, 1, dy.ld, nullptr, yi, j0, n, g.row0}, g.n);
		}
		if (!any) continue;
		int touched = *dst.flag(group, task);
		float* p = dst.of(group, task);
		each(f, [&](int i, int j, float v) {
			if (i0 + i < k && j0 + j < n) put(p + (i0 + i) * rs + (j0 + j) * cs, v, touched);
		});
	}
}
