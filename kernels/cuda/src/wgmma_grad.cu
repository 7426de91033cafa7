// Gradients of weights on compute capability 9.0: kernels/op_linear.go. Operands are bfloat16 in memory, at multiples of 16 bytes like their rows; rows lie along
// the outer dimension and are summed over.
#include "ring.cuh"

// The segments of a destination in their order. A warp looks at 32 at a time; all lanes get the same one.
struct segments_of {
	const dest& dst;
	imat segs;
	int segments, group, task, base;
	unsigned found;
	__device__ bool next(segment& g) {
		while (!found) {
			if ((base += 32) >= segments) return false;
			int s = base + lane();
			found = __ballot_sync(0xffffffffu, s < segments && dst.takes(segment_of(segs, s), group, task));
		}
		g = segment_of(segs, base + __ffs(found) - 1);
		found &= found - 1;
		return true;
	}
};

// A work item: a tile of a destination [k,n].
template <class S> struct item {
	int group, task;
	i64 i0, j0;
	__device__ item(i64 w, int tasks, i64 k, i64 n) {
		i64 across = (n + S::TN - 1) / S::TN, per = (k + S::TM - 1) / S::TM * across, cell = w / per;
		group = (int)(cell / tasks), task = (int)(cell % tasks);
		i0 = w % per / across * S::TM, j0 = w % across * S::TN;
	}
};

// A step of an operand by copies: rows that end before the step does are zeros.
template <int BOXES> __device__ inline void copy_step(unsigned to, const gathered& r, i64 first, i64 left, i64 x0, i64 end) {
	const half* row[4];
	bool inside[4];
#pragma unroll
	for (int i = 0; i < 4; i++) {
		int d = copied_row(i);
		inside[i] = d < left;
		row[i] = r.p + (!inside[i] ? 0 : (r.index ? r.index[first + d] : first + d) * r.ld);
	}
#pragma unroll 1
	for (int b = 0; b < BOXES; b++)
#pragma unroll
		for (int i = 0; i < 4; i++) copy_row(to + b * BOX + piece_of(copied_row(i)), row[i], x0 + 64 * b + 8 * (threadIdx.x % 8), end, inside[i]);
}

template <int BOXES> __device__ inline void load_step(unsigned to, const tensor_map& t, unsigned barrier, i64 x0, i64 first) {
#pragma unroll
	for (int b = 0; b < BOXES; b++) load_box(to + b * BOX, t, barrier, (int)x0 + 64 * b, (int)first);
}

// Brings the operands of all tiles of the block: whole steps of rows in order by bulk copies, gathered rows and the last ones of a segment piece by piece.
template <class S> __device__ inline void bring(place<S> p, i64 items, const tensor_map& mx, const tensor_map& my, gathered x, gathered y, const dest& dst, imat segs, int segments, i64 k, i64 n) {
	announcer<S> late = {p, 0};
	for (i64 w = blockIdx.x; w < items; w += gridDim.x) {
		item<S> t(w, dst.tasks, k, n);
		segments_of all = {dst, segs, segments, t.group, t.task, -32, 0};
		segment g;
		while (all.next(g))
#pragma unroll 1
			for (int d = 0; d < g.n; d += STEP) {
				bool whole = d + STEP <= g.n, bulk_x = whole && !x.index, bulk_y = whole && !y.index;
				p.wait_empty();
				if (threadIdx.x == 0) {
					arrive_expecting(p.full(), (bulk_x ? S::A * BOX : 0) + (bulk_y ? S::B * BOX : 0));
					if (bulk_x) load_step<S::A>(p.stage(), mx, p.full(), t.i0, g.act0 + d);
					if (bulk_y) load_step<S::B>(p.stage() + S::A * BOX, my, p.full(), t.j0, g.row0 + d);
				}
				if (!bulk_x) copy_step<S::A>(p.stage(), x, g.act0 + d, g.n - d, t.i0, k);
				if (!bulk_y) copy_step<S::B>(p.stage() + S::A * BOX, y, g.row0 + d, g.n - d, t.j0, n);
				late.filled();
				p.next();
			}
	}
	late.finish();
}

template <class S>
__device__ inline void grad_w(const tensor_map& mx, const tensor_map& my, gathered x, gathered y, const dest& dst, i64 rs, i64 cs, imat segs, int segments, int groups, i64 k, i64 n) {
	place<S> p = make_ring<S>(1 + COPIERS);
	i64 items = (k + S::TM - 1) / S::TM * ((n + S::TN - 1) / S::TN) * groups * dst.tasks;
	if (threadIdx.x < GROUP) {
		less_registers<56>();
		bring<S>(p, items, mx, my, x, y, dst, segs, segments, k, n);
		return;
	}
	more_registers<224>();
	for (i64 w = blockIdx.x; w < items; w += gridDim.x) {
		item<S> t(w, dst.tasks, k, n);
		segments_of all = {dst, segs, segments, t.group, t.task, -32, 0};
		segment g;
		i64 steps = 0;
		while (all.next(g)) steps += (g.n + STEP - 1) / STEP;
		if (steps == 0) continue;
		sums<S> s;
		s.template multiply<1, 1>(p, steps);
		float* to = dst.of(t.group, t.task);
		bool touched = *dst.flag(t.group, t.task);
		if (cs != 1) { // a transposed destination
			s.columns(p.desk, [&](int row, int col, float v) {
				i64 i = t.i0 + row, j = t.j0 + col;
				if (i < k && j < n) put(to + i * rs + j * cs, v, touched);
			});
			continue;
		}
		output out(to, rs, 0);
		if (out.wide && n % 4 == 0) {
			s.store(p.desk, to + t.i0 * rs + t.j0, rs, (int)min(k - t.i0, (i64)S::TM), (int)min(n - t.j0, (i64)S::TN), nullptr, touched);
			continue;
		}
		s.each(p.desk, [&](int row, int col, float (&v)[4]) {
			i64 i = t.i0 + row, j = t.j0 + col;
			if (i < k && j < n) out.put(i, j, n, v, touched);
		});
	}
}

#define GRAD(TM, TN)                                                                                                                                                                           \
	KERNEL __launch_bounds__(BLOCK, 1) grad_w_##TM##x##TN(const __grid_constant__ tensor_map mx, const __grid_constant__ tensor_map my, gathered x, gathered y, const __grid_constant__ dest dst,        \
		i64 rs, i64 cs, imat segs, int segments, int groups, i64 k, i64 n) {                                                                                                             \
		grad_w<shape<TM, TN>>(mx, my, x, y, dst, rs, cs, segs, segments, groups, k, n);                                                                                                    \
	}

GRAD(128, 256)
GRAD(128, 128)
GRAD(64, 256)
GRAD(64, 128)
