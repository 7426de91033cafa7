// The engine of float32 without tensor cores, for exact comparison and small shapes: every element is a sum over the depth in order, whatever the tile.
#pragma once
#include "products.cuh"

// A block makes a square tile in steps of 16 along the depth; a thread makes 4 MG rows by 8 columns of it, in runs of four.
template <int SIDE, int MG> struct single {
	enum { ROWS = SIDE, COLS = SIDE, DEPTH = 16, DOWN = SIDE / (4 * MG), WIDE = SIDE / 8, THREADS = DOWN * WIDE, PITCH = SIDE + 4, COUNT = SIDE * DEPTH / 4 / THREADS, WARPS = WIDE / 8, BLOCKS = MG == 1 ? 4 : 2, GRAD_BLOCKS = MG == 1 ? 4 : 1 };

	struct fragment { float sum[4 * MG][8]; };
	struct shared {
		float a[2][DEPTH][PITCH], b[2][DEPTH][PITCH];
		float part[WARPS][SIDE];
	};

	// Where a tile's column lies in a gated pair: which half, and its number there.
	__device__ static int side(int c) { return c / (COLS / 2); }
	__device__ static int within(int c) { return c % (COLS / 2); }

	// A warp is four threads down by eight across.
	__device__ static int ty() { return threadIdx.x / 32 / WARPS * 4 + lane() / 8; }
	__device__ static int tx() { return threadIdx.x / 32 % WARPS * 8 + lane() % 8; }
	__device__ static int row(int i) { return i / 4 * (SIDE / 2) + ty() * 4 + i % 4; }

	__device__ static void zero(fragment& f) {
#pragma unroll
		for (int i = 0; i < 4 * MG; i++)
#pragma unroll
			for (int j = 0; j < 8; j++) f.sum[i][j] = 0;
	}

	template <bool K> using pieces = reader<single, K, SIDE, DEPTH, 4, 2>;

	template <bool K> __device__ static void fetch(float (&w)[COUNT][4], pieces<K>& r, const operand& o, bool wide, int d0, int steps) {
#pragma unroll
		for (int n = 0; n < COUNT; n++) {
			int valid;
			const float* p = (const float*)r.piece(o, d0, steps, n, valid);
			if (wide && valid == 4) {
				float4 v = *(const float4*)p;
				w[n][0] = v.x, w[n][1] = v.y, w[n][2] = v.z, w[n][3] = v.w;
			} else
#pragma unroll
				for (int q = 0; q < 4; q++) w[n][q] = q < valid ? p[q] : 0;
		}
		if (!K) r.look(o, d0 + DEPTH, steps);
	}

	__device__ static void multiply(fragment& f, const float (&sa)[DEPTH][PITCH], const float (&sb)[DEPTH][PITCH]) {
#pragma unroll
		for (int p = 0; p < DEPTH; p++) {
			float a[4 * MG], b[8];
#pragma unroll
			for (int i = 0; i < MG; i++) {
				float4 v = *(const float4*)&sa[p][row(4 * i)];
				a[4 * i] = v.x, a[4 * i + 1] = v.y, a[4 * i + 2] = v.z, a[4 * i + 3] = v.w;
			}
#pragma unroll
			for (int j = 0; j < 2; j++) {
				float4 v = *(const float4*)&sb[p][j * (COLS / 2) + tx() * 4];
				b[4 * j] = v.x, b[4 * j + 1] = v.y, b[4 * j + 2] = v.z, b[4 * j + 3] = v.w;
			}
#pragma unroll
			for (int i = 0; i < 4 * MG; i++)
#pragma unroll
				for (int j = 0; j < 8; j++) f.sum[i][j] += a[i] * b[j];
		}
	}

	// Adds the product of two operands; the next step is read from global memory while this one is multiplied.
	template <bool AK, bool BK> __device__ static void run(fragment& f, shared& sh, const operand& a, const operand& b, int steps) {
		pieces<AK> ra;
		pieces<BK> rb;
		float wa[COUNT][4], wb[COUNT][4];
		bool wide_a = aligned(a.p, AK ? a.outer_stride : a.depth_stride, 0, 4) && a.second % 4 == 0, wide_b = aligned(b.p, BK ? b.outer_stride : b.depth_stride, 0, 4) && b.second % 4 == 0;
		ra.begin(a, steps);
		rb.begin(b, steps);
		fetch<AK>(wa, ra, a, wide_a, 0, steps);
		fetch<BK>(wb, rb, b, wide_b, 0, steps);
		__syncthreads(); // the stages of the product before are read
		int turn = 0;
		for (int d = 0; d < steps; d += DEPTH, turn ^= 1) {
			ra.keep(sh.a[turn], wa);
			rb.keep(sh.b[turn], wb);
			__syncthreads();
			if (d + DEPTH < steps) {
				fetch<AK>(wa, ra, a, wide_a, d + DEPTH, steps);
				fetch<BK>(wb, rb, b, wide_b, d + DEPTH, steps);
			}
			multiply(f, sh.a[turn], sh.b[turn]);
		}
	}

	template <int A, int B> __device__ static void product(fragment& f, shared& sh, const operand& a, const operand& b, int steps) { by_layout<single, A, B>(f, sh, a, b, steps); }

	// Row i of a thread, without unrolling what is done with it.
	__device__ static void pick(const fragment& f, int i, float (&v)[4], float (&u)[4]) {
#pragma unroll
		for (int n = 0; n < 4 * MG; n++)
			if (n == i)
#pragma unroll
				for (int q = 0; q < 4; q++) v[q] = f.sum[n][q], u[q] = f.sum[n][4 + q];
	}

	// Calls visit(i, j, v) for every run of four columns of the tile.
	template <class F> __device__ static void each(const fragment& f, shared&, F visit) {
#pragma unroll 1
		for (int i = 0; i < 4 * MG; i++) {
			float v[2][4];
			pick(f, i, v[0], v[1]);
#pragma unroll 1
			for (int half = 0; half < 2; half++) {
				if (half)
#pragma unroll
					for (int q = 0; q < 4; q++) v[0][q] = v[1][q];
				visit(row(i), half * (COLS / 2) + tx() * 4, v[0]);
			}
		}
	}

	// Calls visit(i, j, v, u) for every run of four units, j among the units of the tile.
	template <class F> __device__ static void both(const fragment& f, shared&, F visit) {
#pragma unroll 1
		for (int i = 0; i < 4 * MG; i++) {
			float v[4], u[4];
			pick(f, i, v, u);
			visit(row(i), tx() * 4, v, u);
		}
	}

	// Is each for a visit that returns a part of its row's sum, and calls total(i, sum) for every row.
	template <class F, class G> __device__ static void sums(const fragment& f, shared& sh, F visit, G total) {
		__syncthreads(); // the parts of the tile before are read
#pragma unroll 1
		for (int i = 0; i < 4 * MG; i++) {
			float v[2][4], sum = 0;
			pick(f, i, v[0], v[1]);
#pragma unroll 1
			for (int half = 0; half < 2; half++) {
				if (half)
#pragma unroll
					for (int q = 0; q < 4; q++) v[0][q] = v[1][q];
				sum += visit(row(i), half * (COLS / 2) + tx() * 4, v[0]);
			}
#pragma unroll
			for (int d = 1; d < 8; d *= 2) sum += __shfl_xor_sync(0xffffffffu, sum, d);
			if (lane() % 8 == 0) sh.part[threadIdx.x / 32 % WARPS][row(i)] = sum;
		}
		__syncthreads();
		if (threadIdx.x < ROWS) {
			float sum = 0;
#pragma unroll
			for (int w = 0; w < WARPS; w++) sum += sh.part[w][threadIdx.x];
			total(threadIdx.x, sum);
		}
	}
};
