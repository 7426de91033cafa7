// Products of banks of experts with their activation and its gradient on compute capability 9.0: kernels/op_experts.go.
#include "groups.cuh"

// H and A of GroupedGated. With SwiGLU half of the columns of a tile are gates, half the numbers that they let through.
template <class S, int TB>
__device__ inline void grouped_gated(const tensor_map& mx, const tensor_map& mb, gathered x, mat h, mat a, const int* off, int groups, int types, i64 width, i64 k, int gate) {
	place<S> p = make_ring<S>(x.index ? 1 + COPIERS : 1);
	bool pairs = gate == SWIGLU;
	i64 step = pairs ? S::TN / 2 : S::TN;
	walk t = {off, groups, 0, (width + step - 1) / step, 0};
	t.template open<S::TM>();
	if (threadIdx.x < GROUP) {
		less_registers<56>();
		bring<S, 0, TB>(p, t, mx, mb, x, k, pairs ? width : 0);
		return;
	}
	more_registers<224>();
	gated_units units(h, a, types, width, gate);
	for (i64 w = blockIdx.x; t.template find<S::TM>(w); w += gridDim.x) {
		sums<S> s;
		s.template multiply<0, TB>(p, (k + STEP - 1) / STEP);
		i64 j0 = t.j * step;
		if (pairs)
			s.both(p.desk, [&](int row, int col, float (&v)[4], float (&u)[4]) {
				if (t.i + row < t.end && j0 + col < width) units.put(t.i + row, j0 + col, v, u);
			});
		else
			s.each(p.desk, [&](int row, int col, float (&v)[4]) {
				if (t.i + row < t.end && j0 + col < width) units.put(t.i + row, j0 + col, v);
			});
	}
}

// DH, A and the parts of DScale of GroupedGatedGrad: part holds a sum for every 64 columns of a row, so that they are the same whatever the tile.
template <class S, int TB>
__device__ inline void grouped_gated_grad(const tensor_map& my, const tensor_map& mb, gathered dy, const int* off, int groups, int types, i64 width, i64 k, mat h, const int* act, const float* scale,
	mat dh, float* part, i64 part_row, mat again, int gate) {
	place<S> p = make_ring<S>(dy.index ? 1 + COPIERS : 1);
	walk t = {off, groups, 0, (width + S::TN - 1) / S::TN, 0};
	t.template open<S::TM>();
	if (threadIdx.x < GROUP) {
		less_registers<56>();
		bring<S, 0, TB>(p, t, my, mb, dy, k);
		return;
	}
	more_registers<224>();
	gated_grads units(h, act, scale, dh, again, types, width, gate);
	for (i64 w = blockIdx.x; t.template find<S::TM>(w); w += gridDim.x) {
		sums<S> s;
		s.template multiply<0, TB>(p, (k + STEP - 1) / STEP);
		i64 j0 = t.j * S::TN;
		s.totals(p.desk, [&](int row, int col, float (&d)[4]) {
			return t.i + row < t.end && j0 + col < width ? units.put(t.i + row, j0 + col, d) : 0;
		}, [&](int row, int col, float sum) {
			if (part && t.i + row < t.end && j0 + col < width) part[(t.i + row) * part_row + (j0 + col) / 64] = sum;
		});
	}
}

// By the contiguous dimension of B: d the depth, o the outer one.
#define EXPERTS(TM, TN, NAME, TB)                                                                                                                                                              \
	KERNEL __launch_bounds__(BLOCK, 1) gated_##TM##x##TN##_d##NAME(const __grid_constant__ tensor_map mx, const __grid_constant__ tensor_map mb, gathered x, mat h, mat a, const int* off,     \
		int groups, int types, i64 width, i64 k, int gate) {                                                                                                                               \
		grouped_gated<shape<TM, TN>, TB>(mx, mb, x, h, a, off, groups, types, width, k, gate);                                                                                             \
	}                                                                                                                                                                                      \
	KERNEL __launch_bounds__(BLOCK, 1) gated_grad_##TM##x##TN##_d##NAME(const __grid_constant__ tensor_map my, const __grid_constant__ tensor_map mb, gathered dy, const int* off, int groups, \
		int types, i64 width, i64 k, mat h, const int* act, const float* scale, mat dh, float* part, i64 part_row, mat again, int gate) {                                                  \
		grouped_gated_grad<shape<TM, TN>, TB>(my, mb, dy, off, groups, types, width, k, h, act, scale, dh, part, part_row, again, gate);                                                   \
	}

EXPERTS(128, 256, d, 0)
EXPERTS(128, 256, o, 1)
EXPERTS(128, 128, d, 0)
EXPERTS(128, 128, o, 1)
EXPERTS(64, 256, d, 0)
EXPERTS(64, 256, o, 1)
