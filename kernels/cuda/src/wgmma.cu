// Products of bfloat16 on compute capability 9.0: kernels/op_linear.go. Operands are bfloat16 in memory, at multiples of 16 bytes like their rows.
#include "ring.cuh"

// The rows of A, when they are gathered: index is none otherwise.
struct gathered {
	const half* p;
	i64 ld;
	const int* index;
};

// The result: rows of floats or of halves.
struct output {
	void* p;
	i64 ld;
	int halves;
	__device__ void* at(i64 i, i64 j) const { return (char*)p + (i * ld + j) * (halves ? 2 : 4); }
};

// The tiles of all groups: rows of a group, in bands of eight tiles so that operands stay in the second-level cache, by columns. Work items ask in rising order.
struct walk {
	const int* off; // none for one group of rows rows
	int groups;
	i64 rows, across; // tiles of columns
	int g;
	i64 begin, end, down, before; // rows and tiles of rows of group g, work items before it
	i64 i, j;                     // the tile found
	template <int TM> __device__ void open() {
		begin = off ? off[g] : 0;
		end = off ? off[g + 1] : rows;
		down = (end - begin + TM - 1) / TM;
	}
	template <int TM> __device__ bool find(i64 w) {
		while (w - before >= down * across) {
			before += down * across;
			if (++g >= groups) return false;
			open<TM>();
		}
		i64 t = w - before, band = t / (8 * across), tall = min(8LL, down - 8 * band);
		t -= band * 8 * across;
		i = begin + (8 * band + t % tall) * TM;
		j = t / tall;
		return true;
	}
};

// Brings the operands of all tiles of the block: A by bulk copies, or row by row when it is gathered, B by bulk copies.
template <class S, int TA, int TB> __device__ inline void bring(place<S> p, walk t, const tensor_map& ma, const tensor_map& mb, gathered a, i64 k) {
	announcer<S> late = {p, 0};
	bool leader = threadIdx.x == 0;
	if (!a.index && !leader) return;
	for (i64 w = blockIdx.x; t.find<S::TM>(w); w += gridDim.x) {
		const half* row[S::TM / 16];
		bool inside[S::TM / 16];
		if (a.index)
#pragma unroll
			for (int i = 0; i < S::TM / 16; i++) {
				i64 r = t.i + copied_row(i);
				inside[i] = r < t.end;
				row[i] = a.p + (inside[i] ? a.index[r] * a.ld : 0);
			}
		for (i64 d = 0; d < k; d += STEP) {
			p.wait_empty();
			if (leader) {
				arrive_expecting(p.full(), (a.index ? S::B : S::A + S::B) * BOX);
				if (!a.index)
#pragma unroll
					for (int b = 0; b < S::A; b++) {
						int outer = (int)t.i + 64 * b;
						load_box(p.stage() + b * BOX, ma, p.full(), TA ? outer : (int)d, TA ? (int)d : outer);
					}
#pragma unroll
				for (int b = 0; b < S::B; b++) {
					int outer = (int)t.j * S::TN + 64 * b;
					load_box(p.stage() + (S::A + b) * BOX, mb, p.full(), TB ? outer : (int)d, TB ? (int)d : outer, t.g);
				}
			}
			if (a.index) {
#pragma unroll
				for (int i = 0; i < S::TM / 16; i++) copy_row(p.stage() + piece_of(copied_row(i)), row[i], d + 8 * (threadIdx.x % 8), k, inside[i]);
				late.filled();
			}
			p.next();
		}
	}
	if (a.index) late.finish();
}

template <class S, int TA, int TB>
__device__ inline void product(const tensor_map& ma, const tensor_map& mb, gathered a, output c, const float* bias, const int* off, int groups, i64 m, i64 n, i64 k, int accumulate) {
	place<S> p = make_ring<S>(a.index ? 1 + COPIERS : 1);
	walk t = {off, groups, m, (n + S::TN - 1) / S::TN, 0};
	t.template open<S::TM>();
	if (threadIdx.x < GROUP) {
		less_registers<56>();
		bring<S, TA, TB>(p, t, ma, mb, a, k);
		return;
	}
	more_registers<224>();
	for (i64 w = blockIdx.x; t.template find<S::TM>(w); w += gridDim.x) {
		sums<S> s;
		s.template multiply<TA, TB>(p, (k + STEP - 1) / STEP);
		i64 j0 = t.j * S::TN;
		s.store(c.at(t.i, j0), c.halves, c.ld, 1, (int)min(t.end - t.i, (i64)S::TM), (int)min(n - j0, (i64)S::TN), bias ? bias + j0 : nullptr, accumulate);
	}
}

#define PRODUCT(TM, TN, NAME, TA, TB)                                                                                                                                                          \
	KERNEL __launch_bounds__(BLOCK, 1) product_##TM##x##TN##_##NAME(const __grid_constant__ tensor_map ma, const __grid_constant__ tensor_map mb, gathered a, output c, const float* bias,        \
		const int* off, int groups, i64 m, i64 n, i64 k, int accumulate) {                                                                                                                 \
		product<shape<TM, TN>, TA, TB>(ma, mb, a, c, bias, off, groups, m, n, k, accumulate);                                                                                              \
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
	for (i64 w = thread_id(); w < groups * m * pieces; w += threads()) {
		i64 j = w % pieces * 8, i = w / pieces % m, g = w / pieces / m, at = g * source_group + i * source_ld + j;
		half* to = dst + g * group + i * ld + j;
		for (int e = 0; e < 8 && j + e < n; e++) {
			if (halves) {
				to[e] = ((const half*)src)[at + e];
				continue;
			}
			unsigned v;
			asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(v) : "f"(0.f), "f"(((const float*)src)[at + e]));
			to[e] = (half)v;
		}
	}
}
