// Products of rows cut into groups on compute capability 9.0. Operands are bfloat16 in memory, at multiples of 16 bytes like their rows.
#pragma once
#include "ring.cuh"

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

// The columns of B that box b begins with, when half of the columns of each warpgroup lie so much further.
template <class S> __device__ inline i64 paired_box(int b, i64 second) {
	constexpr int OWN = S::N / 64, HALF = OWN / 2 > 0 ? OWN / 2 : 1;
	return 64 * (b / OWN * HALF + b % OWN % HALF) + b % OWN / HALF * second;
}

// Brings the operands of all tiles of the block: A by bulk copies, or row by row when it is gathered, B by bulk copies. With second half of the columns of a tile lie so much further.
template <class S, int TA, int TB> __device__ inline void bring(place<S> p, walk t, const tensor_map& ma, const tensor_map& mb, gathered a, i64 k, i64 second = 0) {
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
					int outer = second ? (int)(t.j * (S::TN / 2) + paired_box<S>(b, second)) : (int)t.j * S::TN + 64 * b;
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
