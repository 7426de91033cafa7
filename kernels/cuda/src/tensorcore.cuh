// Products of bfloat16 on tensor cores of compute capability 8.0: operands are float32 in memory and rounded to the nearest bfloat16 (ties to even) on their
// way to shared memory, sums are float32.
#pragma once
#include "common.cuh"

// A block of eight warps makes a tile of 128 x 128 in steps of 32 along the depth, a warp 64 x 32 of it. Rows of shared memory are 80 bytes apart, so that the
// eight rows that ldmatrix reads at a time lie in different banks.
enum { SIDE = 128, STEP = 32, ROW = STEP + 8, PAIRS = SIDE * STEP / 2 / 256 };

// An operand: element (i, d) of the outer and the summed dimension, either through an index. Outer numbers begin at first; those from end on are zeros.
struct operand {
	const float* p;
	i64 outer_stride, depth_stride;
	const int *outer_index, *depth_index;
	i64 first, end, depth0;
	__device__ float at(i64 i, i64 d) const {
		return p[(outer_index ? outer_index[i] : i) * outer_stride + (depth_index ? depth_index[depth0 + d] : depth0 + d) * depth_stride];
	}
};

typedef unsigned short stage[2][SIDE][ROW];

// What a thread holds of its warp's tile: four blocks of 16 rows by four of 8 columns.
struct fragment { float sum[4][4][4]; };

__device__ inline void zero(fragment& f) {
#pragma unroll
	for (int i = 0; i < 4; i++)
#pragma unroll
		for (int j = 0; j < 4; j++)
#pragma unroll
			for (int c = 0; c < 4; c++) f.sum[i][j][c] = 0;
}

// The place of a thread's pair number n: along the depth where that is contiguous, else along the outer dimension, so that a warp reads whole sectors.
__device__ inline int pair_row(bool along, int n) { return along ? threadIdx.x / 16 + 16 * n : threadIdx.x % SIDE; }
__device__ inline int pair_step(bool along, int n) { return along ? threadIdx.x % 16 * 2 : (threadIdx.x / SIDE + 2 * n) * 2; }

// Reads a step of an operand and rounds it, two elements a word.
__device__ inline void fetch(unsigned (&w)[PAIRS], const operand& o, i64 d0, i64 depth) {
	bool along = o.depth_stride == 1;
#pragma unroll
	for (int n = 0; n < PAIRS; n++) {
		i64 i = o.first + pair_row(along, n), d = d0 + pair_step(along, n);
		float lo = i < o.end && d < depth ? o.at(i, d) : 0, hi = i < o.end && d + 1 < depth ? o.at(i, d + 1) : 0;
		asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(w[n]) : "f"(hi), "f"(lo));
	}
}

__device__ inline void keep(unsigned short (&s)[SIDE][ROW], const unsigned (&w)[PAIRS], bool along) {
#pragma unroll
	for (int n = 0; n < PAIRS; n++) *(unsigned*)&s[pair_row(along, n)][pair_step(along, n)] = w[n];
}

__device__ inline void load_matrices(unsigned (&r)[4], const unsigned short* p) {
	unsigned at = (unsigned)__cvta_generic_to_shared(p);
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
}

// One step of the depth from shared memory.
__device__ inline void multiply(fragment& f, const unsigned short (&sa)[SIDE][ROW], const unsigned short (&sb)[SIDE][ROW]) {
	int warp = threadIdx.x / 32, l = lane(), i0 = warp / 4 * 64, j0 = warp % 4 * 32;
#pragma unroll
	for (int k = 0; k < STEP; k += 16) {
		unsigned a[4][4], b[2][4];
#pragma unroll
		for (int i = 0; i < 4; i++) load_matrices(a[i], &sa[i0 + 16 * i + l % 16][k + l / 16 * 8]);
#pragma unroll
		for (int j = 0; j < 2; j++) load_matrices(b[j], &sb[j0 + 16 * j + l / 16 * 8 + l % 8][k + l / 8 % 2 * 8]);
#pragma unroll
		for (int i = 0; i < 4; i++)
#pragma unroll
			for (int j = 0; j < 4; j++) {
				float* c = f.sum[i][j];
				asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
					: "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
					: "r"(a[i][0]), "r"(a[i][1]), "r"(a[i][2]), "r"(a[i][3]), "r"(b[j / 2][j % 2 * 2]), "r"(b[j / 2][j % 2 * 2 + 1]));
			}
	}
}

// Adds the product of two operands over a depth; the next step is read from global memory while this one is multiplied.
__device__ inline void product(fragment& f, stage& sa, stage& sb, const operand& a, const operand& b, i64 depth) {
	unsigned wa[PAIRS], wb[PAIRS];
	if (depth <= 0) return;
	fetch(wa, a, 0, depth);
	fetch(wb, b, 0, depth);
	__syncthreads(); // the stages of the product before are read
	for (i64 d = 0, turn = 0; d < depth; d += STEP, turn ^= 1) {
		keep(sa[turn], wa, a.depth_stride == 1);
		keep(sb[turn], wb, b.depth_stride == 1);
		__syncthreads();
		if (d + STEP < depth) {
			fetch(wa, a, d + STEP, depth);
			fetch(wb, b, d + STEP, depth);
		}
		multiply(f, sa[turn], sb[turn]);
	}
}

// Calls put(i, j, sum) for every element of the thread, i and j within the tile.
template <class F> __device__ inline void each(const fragment& f, F put) {
	int warp = threadIdx.x / 32, l = lane();
#pragma unroll
	for (int i = 0; i < 4; i++)
#pragma unroll
		for (int j = 0; j < 4; j++)
#pragma unroll
			for (int c = 0; c < 4; c++) put(warp / 4 * 64 + 16 * i + l / 4 + c / 2 * 8, warp % 4 * 32 + 8 * j + l % 4 * 2 + c % 2, f.sum[i][j][c]);
}
