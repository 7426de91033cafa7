// Products on compute capability 9.0: kernels/op_linear.go.
#include "groups.cuh"

template <class S, int TA, int TB>
__device__ inline void product(const tensor_map& ma, const tensor_map& mb, gathered a, mat c, const int* off, int groups, int half, i64 m, i64 n, i64 k, const epilogue& e) {
	place<S> p = make_ring<S>(a.index ? 1 + COPIERS : 1);
	walk t = {off, groups, m, (n + S::TN - 1) / S::TN, 0};
	t.template open<S::TM>();
	if (threadIdx.x < GROUP) {
		less_registers<56>();
		bring<S, TA, TB>(p, t, ma, mb, a, k);
		return;
	}
	more_registers<224>();
	followed to(c, half, e);
	bool whole = to.out.wide && !half && n % 4 == 0 && e.function == IDENTITY && !e.pre.p && !e.scale && !e.residual.p;
	for (i64 w = blockIdx.x; t.template find<S::TM>(w); w += gridDim.x) {
		sums<S> s;
		s.template multiply<TA, TB>(p, (k + STEP - 1) / STEP);
		i64 j0 = t.j * S::TN;
		if (whole) {
			s.store(p.desk, &c.at(t.i, j0), c.ld, (int)min(t.end - t.i, (i64)S::TM), (int)min(n - j0, (i64)S::TN), e.bias ? e.bias + j0 : nullptr, e.accumulate);
			continue;
		}
		s.each(p.desk, [&](int row, int col, float (&v)[4]) {
			if (t.i + row < t.end && j0 + col < n) to.put(t.i + row, j0 + col, n, v);
		});
	}
}

#define PRODUCT(TM, TN, NAME, TA, TB)                                                                                                                                                          \
	KERNEL __launch_bounds__(BLOCK, 1) product_##TM##x##TN##_##NAME(const __grid_constant__ tensor_map ma, const __grid_constant__ tensor_map mb, gathered a, mat c, const int* off,           \
		int groups, int half, i64 m, i64 n, i64 k, const float* bias, int accumulate, int function, mat pre, const float* scale, mat residual) {                                           \
		product<shape<TM, TN>, TA, TB>(ma, mb, a, c, off, groups, half, m, n, k, {bias, accumulate, function, pre, scale, residual});                                                      \
	}

// By the contiguous dimension of A and of B: d the depth, o the outer one.
PRODUCT(128, 256, dd, 0, 0)
PRODUCT(128, 256, do, 0, 1)
PRODUCT(128, 128, dd, 0, 0)
PRODUCT(128, 128, do, 0, 1)
PRODUCT(128, 128, od, 1, 0)
PRODUCT(128, 128, oo, 1, 1)
PRODUCT(64, 256, dd, 0, 0)
PRODUCT(64, 256, do, 0, 1)
PRODUCT(64, 128, dd, 0, 0)
PRODUCT(64, 128, do, 0, 1)

// Makes an operand: rounds matrices src[g][i][:] of floats or copies those of halves, to rows of ld elements, of which those from n on stay as they are.
KERNEL pack(half* dst, i64 ld, i64 group, const void* src, i64 source_group, i64 source_ld, i64 groups, i64 m, i64 n, int halves) {
	i64 pieces = (n + 7) / 8;
	bool wide = !halves && (u64)src % 16 == 0 && source_group % 4 == 0 && source_ld % 4 == 0;
	for (i64 w = thread_id(); w < groups * m * pieces; w += threads()) {
		i64 j = w % pieces * 8, i = w / pieces % m, g = w / pieces / m, at = g * source_group + i * source_ld + j;
		half* to = dst + g * group + i * ld + j;
		if (wide && j + 8 <= n) {
			const float4* p = (const float4*)((const float*)src + at);
			float4 a = p[0], b = p[1];
			*(uint4*)to = make_uint4(halves_of(a.x, a.y), halves_of(a.z, a.w), halves_of(b.x, b.y), halves_of(b.z, b.w));
			continue;
		}
		for (int e = 0; e < 8 && j + e < n; e++) to[e] = halves ? ((const half*)src)[at + e] : half_of(((const float*)src)[at + e]);
	}
}
