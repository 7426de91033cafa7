// The pipeline of the products of compute capability 9.0. A block is three warpgroups: the first brings operands to shared memory, the other two multiply.
// Between them lies a ring of stages, each a step of 64 along the depth: boxes of 64 x 64 elements with rows of 128 bytes, swizzled, first those of A, then those of B.
// A box is "deep" when its rows lie along the depth, else along the outer dimension (rows of A, columns of B).
#pragma once
#include "wgmma.cuh"

enum { STEP = 64, BOX = STEP * STEP * 2, BLOCK = 384, GROUP = 128, COPIERS = GROUP / 32, MULTIPLIERS = 2 * GROUP / 32 };

// What a block does at a time: TM rows by TN columns of a product. Its multipliers share the rows, or the columns when there are 64 rows only.
template <int TM_, int TN_> struct shape {
	static constexpr int TM = TM_, TN = TN_, A = TM / 64, B = TN / 64, BYTES = (A + B) * BOX, STAGES = 200 * 1024 / BYTES;
	static constexpr int N = TM == 128 ? TN : TN / 2; // columns of a warpgroup
};

// A place in the ring.
template <class S> struct place {
	unsigned base, barriers; // shared addresses: stages; full barriers, then empty ones
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

// Makes the ring; arrivals fill a stage. Stages lie at multiples of 1024 bytes, which the swizzle wants; the barriers lie behind them.
template <class S> __device__ inline place<S> make_ring(int arrivals) {
	extern __shared__ __align__(1024) unsigned char memory[];
	unsigned base = (shared_address(memory) + 1023) & ~1023u;
	place<S> p = {base, base + S::STAGES * S::BYTES, 0, 0};
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
	float d[S::N / 2];
	__device__ int row0() const { return (S::TM == 128 ? (threadIdx.x / GROUP - 1) * 64 : 0) + threadIdx.x / 32 % 4 * 16 + lane() / 4; }
	__device__ int col0() const { return (S::TM == 128 ? 0 : (threadIdx.x / GROUP - 1) * S::N) + lane() % 4 * 2; }

	// Adds the product of steps stages of the ring. One product is under way while the stage before it is given back.
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
	// Stores the tile, or adds it, with bias for its columns: rows by cols of what p points to, floats or halves, are the tile's. Rows of p are rs elements apart, columns cs.
	__device__ void store(void* to, bool halves, i64 rs, i64 cs, int rows, int cols, const float* bias, bool accumulate) const {
		bool pairs = cs == 1 && rs % 2 == 0 && (u64)to % 8 == 0 && cols % 2 == 0;
		cols -= col0();
		rows -= row0();
		if (bias) bias += col0();
		if (halves)
			put_halves((half*)to + row0() * rs + col0(), rs, rows, cols, pairs);
		else if (pairs)
			put_pairs((float*)to + row0() * rs + col0(), rs, rows, cols, bias, accumulate);
		else
			put_floats((float*)to + row0() * rs + col0() * cs, rs, cs, rows, cols, bias, accumulate);
	}

private:
	__device__ void put_pairs(float* p, i64 rs, int rows, int cols, const float* bias, bool accumulate) const {
#pragma unroll
		for (int j = 0; j < S::N / 8; j++) {
			bool in = 8 * j < cols;
			float2 b = read2(bias + 8 * j, in && bias);
#pragma unroll
			for (int h = 0; h < 2; h++) {
				float* q = p + 8 * h * rs + 8 * j;
				bool ok = in && 8 * h < rows;
				float2 v = make_float2(d[4 * j + 2 * h] + b.x, d[4 * j + 2 * h + 1] + b.y), old = read2(q, ok && accumulate);
				write2(q, accumulate ? make_float2(old.x + v.x, old.y + v.y) : v, ok);
			}
		}
	}
	__device__ void put_floats(float* p, i64 rs, i64 cs, int rows, int cols, const float* bias, bool accumulate) const {
#pragma unroll
		for (int j = 0; j < S::N / 8; j++, p += 8 * cs)
#pragma unroll
			for (int e = 0; e < 4; e++) {
				int col = 8 * j + e % 2;
				float* q = p + e / 2 * 8 * rs + e % 2 * cs;
				bool in = col < cols, ok = in && e / 2 * 8 < rows;
				float v = d[4 * j + e] + read1(bias + col, in && bias), old = read1(q, ok && accumulate);
				write1(q, accumulate ? old + v : v, ok);
			}
	}
	__device__ void put_halves(half* p, i64 rs, int rows, int cols, bool pairs) const {
#pragma unroll
		for (int j = 0; j < S::N / 8; j++)
#pragma unroll
			for (int h = 0; h < 2; h++) {
				half* q = p + 8 * h * rs + 8 * j;
				bool first = 8 * j < cols && 8 * h < rows, second = 8 * j + 1 < cols && 8 * h < rows;
				write_halves(q, round2(d[4 * j + 2 * h], d[4 * j + 2 * h + 1]), first, second, pairs);
			}
	}
};
