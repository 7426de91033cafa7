// The engine of few rows: the matrix is read once by as many threads as there are, so eight warps share the depth of a tile of 16 x 32, and their sums are added in
// the order of the warps. Products are exact in float32 for operands rounded to bfloat16 too, so one engine serves both.
#pragma once
#include "products.cuh"

struct thin {
	enum { ROWS = 16, COLS = 32, THREADS = 256, WARPS = 8, EACH = 16, DEPTH = WARPS * EACH, BLOCKS = 2 };

	// A thread holds a column of its warp's share of the tile.
	struct fragment { float sum[ROWS]; };
	struct steps_of {
		float a[DEPTH][ROWS + 4], b[DEPTH][COLS + 4];
	};
	union shared {
		steps_of step;
		float part[WARPS][ROWS][COLS];
	};

	__device__ static int side(int) { return 0; }
	__device__ static int within(int c) { return c; }

	__device__ static void zero(fragment& f) {
#pragma unroll
		for (int i = 0; i < ROWS; i++) f.sum[i] = 0;
	}

	template <bool K, int SIDE> using pieces = reader<thin, K, SIDE, DEPTH, 4, SIDE == ROWS ? 4 : 8>;

	template <bool K, int SIDE, int COUNT> __device__ static void fetch(float (&w)[COUNT][4], pieces<K, SIDE>& r, const operand& o, bool wide, int d0, int steps) {
#pragma unroll
		for (int n = 0; n < COUNT; n++) {
			int valid;
			const char* p = r.piece(o, d0, steps, n, valid);
			if (o.half) {
				const unsigned short* h = (const unsigned short*)p;
				if (wide && valid == 4) {
					uint2 v = *(const uint2*)p;
					w[n][0] = __uint_as_float(v.x << 16), w[n][1] = __uint_as_float(v.x & 0xffff0000u), w[n][2] = __uint_as_float(v.y << 16), w[n][3] = __uint_as_float(v.y & 0xffff0000u);
				} else
#pragma unroll
					for (int q = 0; q < 4; q++) w[n][q] = q < valid ? float_of(h[q]) : 0;
				continue;
			}
			const float* x = (const float*)p;
			if (wide && valid == 4) {
				float4 v = *(const float4*)p;
				w[n][0] = v.x, w[n][1] = v.y, w[n][2] = v.z, w[n][3] = v.w;
			} else
#pragma unroll
				for (int q = 0; q < 4; q++) w[n][q] = q < valid ? x[q] : 0;
			if (o.rounds)
#pragma unroll
				for (int q = 0; q < 4; q++) w[n][q] = float_of(half_of(w[n][q]));
		}
		if (!K) r.look(o, d0 + DEPTH, steps);
	}

	// Adds the product of two operands: a warp multiplies its 16 of every 128 of the depth, while the next ones are read from global memory.
	template <bool AK, bool BK> __device__ static void run(fragment& f, shared& sh, const operand& a, const operand& b, int steps) {
		pieces<AK, ROWS> ra;
		pieces<BK, COLS> rb;
		float wa[ROWS * DEPTH / 4 / THREADS][4], wb[COLS * DEPTH / 4 / THREADS][4];
		bool wide_a = aligned(a.p, AK ? a.outer_stride : a.depth_stride, a.half, 4), wide_b = aligned(b.p, BK ? b.outer_stride : b.depth_stride, b.half, 4);
		ra.begin(a, steps);
		rb.begin(b, steps);
		fetch<AK, ROWS>(wa, ra, a, wide_a, 0, steps);
		fetch<BK, COLS>(wb, rb, b, wide_b, 0, steps);
		int first = threadIdx.x / 32 * EACH, l = lane();
		for (int d = 0; d < steps; d += DEPTH) {
			__syncthreads(); // the step before is read
			ra.keep(sh.step.a, wa);
			rb.keep(sh.step.b, wb);
			__syncthreads();
			if (d + DEPTH < steps) {
				fetch<AK, ROWS>(wa, ra, a, wide_a, d + DEPTH, steps);
				fetch<BK, COLS>(wb, rb, b, wide_b, d + DEPTH, steps);
			}
			if (d + first >= steps) continue;
#pragma unroll 4
			for (int p = first; p < first + EACH; p++) {
				float y = sh.step.b[p][l];
#pragma unroll
				for (int i = 0; i < ROWS; i += 4) {
					float4 x = *(const float4*)&sh.step.a[p][i];
					f.sum[i] += x.x * y, f.sum[i + 1] += x.y * y, f.sum[i + 2] += x.z * y, f.sum[i + 3] += x.w * y;
				}
			}
		}
	}

	template <int A, int B> __device__ static void product(fragment& f, shared& sh, const operand& a, const operand& b, int steps) { by_layout<thin, A, B>(f, sh, a, b, steps); }

	// Calls visit(i, j, v) for every run of four columns of the tile, with the sums of the warps in their order.
	template <class F> __device__ static void each(const fragment& f, shared& sh, F visit) {
		int warp = threadIdx.x / 32, l = lane();
		__syncthreads();
#pragma unroll
		for (int i = 0; i < ROWS; i++) sh.part[warp][i][l] = f.sum[i];
		__syncthreads();
		if (threadIdx.x >= ROWS * COLS / 4) return;
		int i = threadIdx.x / (COLS / 4), j = threadIdx.x % (COLS / 4) * 4;
		float v[4] = {0, 0, 0, 0};
#pragma unroll
		for (int w = 0; w < WARPS; w++) {
			float4 x = *(const float4*)&sh.part[w][i][j];
			v[0] += x.x, v[1] += x.y, v[2] += x.z, v[3] += x.w;
		}
		visit(i, j, v);
	}
};
