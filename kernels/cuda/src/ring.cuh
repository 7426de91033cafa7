// The pipeline of the products of compute capability 9.0. A block is three warpgroups: the first brings operands to shared memory, the other two multiply.
// Between them lies a ring of stages, each a step of 64 along the depth: boxes of 64 x 64 elements with rows of 128 bytes, swizzled, first those of A, then those of B.
// A box is "deep" when its rows lie along the depth, else along the outer dimension (rows of A, columns of B).
#pragma once
#include "products.cuh"
#include "wgmma.cuh"

enum { STEP = 64, BOX = STEP * STEP * 2, BLOCK = 384, GROUP = 128, COPIERS = GROUP / 32, MULTIPLIERS = 2 * GROUP / 32, DESK = 16 * 64 };

// What a block does at a time: TM rows by TN columns of a product. Its multipliers share the rows, or the columns when there are 64 rows only.
template <int TM_, int TN_> struct shape {
	static constexpr int TM = TM_, TN = TN_, A = TM / 64, B = TN / 64, BYTES = (A + B) * BOX, STAGES = 192 * 1024 / BYTES;
	static constexpr int N = TM == 128 ? TN : TN / 2; // columns of a warpgroup
};

// A place in the ring.
template <class S> struct place {
	unsigned base, barriers; // shared addresses: stages; full barriers, then empty ones
	float* desk;             // of a warp that multiplies: 16 rows of 64 numbers
	int slot;
	unsigned phase;
	__device__ unsigned stage() const { return base + slot * S::BYTES; }
	__device__ unsigned full() const { return barriers + 8 * slot; }
	__device__ unsigned empty() const { return barriers + 8 * (S::STAGES + slot); }
	__device__ void next() {
		if (++slot == S::STAGES) {
			slot = 0;
			phase ^= 1;
		}
	}
	__device__ void wait_empty() const { wait_phase(empty(), phase ^ 1); }
	__device__ void wait_full() const { wait_phase(full(), phase); }
};

// Makes the ring; arrivals fill a stage. Stages lie at multiples of 1024 bytes, which the swizzle wants; behind them the desks of the multipliers' warps and the barriers.
template <class S> __device__ inline place<S> make_ring(int arrivals) {
	extern __shared__ __align__(1024) unsigned char memory[];
	unsigned base = (shared_address(memory) + 1023) & ~1023u;
	float* desks = (float*)(memory + (base - shared_address(memory)) + S::STAGES * S::BYTES);
	place<S> p = {base, base + S::STAGES * S::BYTES + MULTIPLIERS * DESK * 4, desks + (int)(threadIdx.x / 32 - COPIERS) * DESK, 0, 0};
	if (threadIdx.x == 0) {
		for (int s = 0; s < S::STAGES; s++) {
			barrier_init(p.barriers + 8 * s, arrivals);
			barrier_init(p.barriers + 8 * (S::STAGES + s), MULTIPLIERS);
		}
		barriers_made();
	}
	__syncthreads();
	return p;
}

// Rows of an operand, through an index when there is one.
struct gathered {
	const half* p;
	i64 ld;
	const int* index;
};

// An operand that threads copy piece by piece, because its rows are gathered or end before the step does. A thread copies pieces of 16 bytes number threadIdx.x % 8 of
// every sixteenth row.
__device__ inline int copied_row(int i) { return threadIdx.x / 8 + 16 * i; }
__device__ inline unsigned piece_of(int row) { return row * 128 + ((threadIdx.x % 8 ^ row % 8) << 4); }

// Copies the thread's piece of a row: elements x.. of p, of which those from end on are zeros.
__device__ inline void copy_row(unsigned to, const half* p, i64 x, i64 end, bool inside) {
	i64 left = inside ? (end - x) * 2 : 0;
	int bytes = left < 0 ? 0 : left > 16 ? 16 : (int)left;
	copy_piece(to, bytes ? p + x : p, bytes);
}

// Fills of stages by copies: they are over a while after they were asked for, and only then the stage is announced, LAG stages later.
template <class S> struct announcer {
	static constexpr int LAG = S::STAGES > 4 ? 3 : S::STAGES - 2;
	place<S> behind;
	int open; // stages asked for and not announced
	__device__ void announce() {
		fence_async();
		__syncwarp();
		if (lane() == 0) arrive(behind.full());
		behind.next();
		open--;
	}
	__device__ void filled() {
		close_copies();
		if (++open <= LAG) return;
		wait_copies<LAG>();
		announce();
	}
	__device__ void finish() {
		wait_copies<0>();
		while (open > 0) announce();
	}
};

// Descriptors of operands in shared memory: address, distance of boxes, distance of eight rows, swizzle of 128 bytes.
__device__ inline u64 descriptor(unsigned at) { return (u64)((at & 0x3ffff) >> 4) | (u64)(BOX >> 4) << 16 | (u64)(1024 >> 4) << 32 | (u64)1 << 62; }

// Steps of 16 along the depth in a box, in units of descriptors.
template <int OUTER> __device__ inline u64 step16(int k) { return k * (OUTER ? 16 * 128 : 32) >> 4; }

// The sums of a multiplier's thread, and where they belong.
template <class S> struct sums {
	static constexpr int CHUNKS = S::N / 64;
	float d[S::N / 2];

	// The warp's first row and column of the tile.
	__device__ static int warp_row() { return (S::TM == 128 ? (threadIdx.x / GROUP - 1) * 64 : 0) + threadIdx.x / 32 % 4 * 16; }
	__device__ static int warp_col() { return S::TM == 128 ? 0 : (threadIdx.x / GROUP - 1) * S::N; }

	// Makes the product of so many stages of the ring. One step is under way while the stage before it is given back.
	template <int TA, int TB> __device__ void multiply(place<S>& p, i64 steps) {
		int half = threadIdx.x / GROUP - 1;
		u64 a0 = descriptor(p.base + (S::TM == 128 ? half * BOX : 0)), b0 = descriptor(p.base + S::A * BOX + (S::TM == 128 ? 0 : half * S::N * 128));
		unsigned before = 0;
#pragma unroll 1
		for (i64 s = 0; s < steps; s++) {
			p.wait_full();
			u64 at = p.slot * (S::BYTES >> 4);
			pin(d);
			mma_begin();
#pragma unroll
			for (int k = 0; k < STEP / 16; k++) mma<S::N, TA, TB>::add(d, a0 + at + step16<TA>(k), b0 + at + step16<TB>(k), s > 0 || k > 0);
			mma_close();
			pin(d);
			mma_wait<1>();
			if (before && lane() == 0) arrive(before);
			before = p.empty();
			p.next();
		}
		mma_wait<0>();
		pin(d);
		if (before && lane() == 0) arrive(before);
	}

	// The desk's place of four numbers; without the exchange of pieces rows would lie in the same banks.
	__device__ static float* on(float* desk, int row, int col) { return desk + row * 64 + (col ^ row % 4 * 8); }

	// Lays 64 columns of the warp's rows on its desk: blocks of eight of them from first, or half of them from first and half from second.
	template <int FIRST, int SECOND> __device__ void lay(float* desk) const {
#pragma unroll
		for (int j = 0; j < 8; j++)
#pragma unroll
			for (int h = 0; h < 2; h++) {
				const float* v = d + 4 * (j < 4 ? FIRST + j : SECOND + j - 4) + 2 * h;
				*(float2*)on(desk, lane() / 4 + 8 * h, 8 * j + lane() % 4 * 2) = make_float2(v[0], v[1]);
			}
	}
	// Lays chunk c; registers have no numbers that a program could compute.
	template <bool PAIRS, int C = 0> __device__ void chunk(float* desk, int c) const {
		if (c == C) lay<PAIRS ? 4 * C : 8 * C, PAIRS ? S::N / 16 + 4 * C : 8 * C + 4>(desk);
		if constexpr (C + 1 < CHUNKS) chunk<PAIRS, C + 1>(desk, c);
	}

	// Calls put(row, col, v) for four neighbours in a row at a time, within the tile; the lanes of a half warp have one row.
	template <class F> __device__ void each(float* desk, F put) const {
#pragma unroll 1
		for (int c = 0; c < CHUNKS; c++) {
			__syncwarp();
			chunk<false>(desk, c);
			__syncwarp();
#pragma unroll 1
			for (int r = lane() / 16; r < 16; r += 2) {
				int col = lane() % 16 * 4;
				float4 w = *(const float4*)on(desk, r, col);
				float v[4] = {w.x, w.y, w.z, w.w};
				put(warp_row() + r, warp_col() + 64 * c + col, v);
			}
		}
	}
	// Stores the tile, or adds it, with bias for its columns: rows by cols of it belong to p, whose rows are ld elements apart. All are at multiples of four.
	__device__ void store(float* desk, float* p, i64 ld, int rows, int cols, const float* bias, bool accumulate) const {
		int own = warp_row() + lane() / 16, col = warp_col() + lane() % 16 * 4;
		p += own * ld + col;
#pragma unroll 1
		for (int c = 0; c < CHUNKS; c++, p += 64, col += 64) {
			__syncwarp();
			chunk<false>(desk, c);
			__syncwarp();
			if (col >= cols) continue;
			float4 b = bias ? make_float4(bias[col], bias[col + 1], bias[col + 2], bias[col + 3]) : make_float4(0, 0, 0, 0);
			float* to = p;
#pragma unroll
			for (int r = 0; r < 16; r += 2, to += 2 * ld) {
				float4 v = *(const float4*)on(desk, lane() / 16 + r, lane() % 16 * 4);
				if (bias) v = make_float4(v.x + b.x, v.y + b.y, v.z + b.z, v.w + b.w);
				if (own + r >= rows) continue;
				if (accumulate) {
					float4 old = *(const float4*)to;
					v = make_float4(old.x + v.x, old.y + v.y, old.z + v.z, old.w + v.w);
				}
				*(float4*)to = v;
			}
		}
	}
	// Calls put(row, col, v) for single numbers, the lanes of a half warp in one column.
	template <class F> __device__ void columns(float* desk, F put) const {
#pragma unroll 1
		for (int c = 0; c < CHUNKS; c++) {
			__syncwarp();
			chunk<false>(desk, c);
			__syncwarp();
#pragma unroll 1
			for (int col = lane() / 16; col < 64; col += 2) put(warp_row() + lane() % 16, warp_col() + 64 * c + col, *on(desk, lane() % 16, col));
		}
	}
	// Calls put(row, col, v, u) for four neighbours of the first half of the warp's columns and those of the second.
	template <class F> __device__ void both(float* desk, F put) const {
#pragma unroll 1
		for (int c = 0; c < CHUNKS; c++) {
			__syncwarp();
			chunk<true>(desk, c);
			__syncwarp();
#pragma unroll 1
			for (int r = lane() / 8; r < 16; r += 4) {
				int col = lane() % 8 * 4;
				float4 w = *(const float4*)on(desk, r, col), x = *(const float4*)on(desk, r, 32 + col);
				float v[4] = {w.x, w.y, w.z, w.w}, u[4] = {x.x, x.y, x.z, x.w};
				put(warp_row() + r, warp_col() / 2 + 32 * c + col, v, u);
			}
		}
	}
	// Calls put(row, col, v), and done(row, col, sum) for a lane of each half warp with the sum of what put returned for 64 columns from col on.
	template <class F, class G> __device__ void totals(float* desk, F put, G done) const {
		each(desk, [&](int row, int col, float (&v)[4]) {
			float sum = put(row, col, v);
#pragma unroll
			for (int m = 8; m > 0; m /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, m);
			if (lane() % 16 == 0) done(row, col, sum);
		});
	}
};
