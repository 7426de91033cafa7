// The engines of bfloat16 on tensor cores of compute capability 8.0 (mma.sync), with sums in float32. Both keep steps of the depth in shared memory in the same
// form; they differ in how it gets there.
#pragma once
#include "products.cuh"

// A block of eight warps makes a tile of 128 x 128 in steps of 32 along the depth, a warp 64 x 32 of it. A step of an operand is 8 KiB of shared memory: rows of the
// outer dimension of 64 bytes where the operand lies along the depth, rows of the depth of 256 bytes where it lies across. Pieces of 16 bytes change places within
// their row by its number, so that the eight rows that ldmatrix reads at a time lie in different banks.
struct halves {
	enum { ROWS = 128, COLS = 128, DEPTH = 32, THREADS = 256, STEP_BYTES = 128 * DEPTH * 2, PITCH = 40 };

	// What a thread holds of its warp's tile: four blocks of 16 rows by four of 8 columns.
	struct fragment { float sum[4][4][4]; };

	// Where a tile's column lies in a gated pair: which half, and its number there. A warp has both halves of 16 units.
	__device__ static int side(int c) { return c % 32 / 16; }
	__device__ static int within(int c) { return c / 32 * 16 + c % 16; }

	__device__ static void zero(fragment& f) {
#pragma unroll
		for (int i = 0; i < 4; i++)
#pragma unroll
			for (int j = 0; j < 4; j++)
#pragma unroll
				for (int c = 0; c < 4; c++) f.sum[i][j][c] = 0;
	}

	// The byte of piece (outer, depth), which begins at a multiple of 8 or 4 elements, within a step.
	template <bool ALONG> __device__ static int place(int outer, int depth) {
		if (ALONG) return outer * 64 + ((depth / 8 ^ outer / 2 % 4) * 16) + depth % 8 * 2;
		return depth * 256 + ((outer / 8 ^ depth % 8) * 16) + outer % 8 * 2;
	}

	template <bool ALONG> __device__ static void load_matrices(unsigned (&r)[4], unsigned at) {
		if (ALONG) asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
		else asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
	}

	// One step of the depth from shared memory.
	template <bool AK, bool BK> __device__ static void multiply(fragment& f, unsigned sa, unsigned sb) {
		int warp = threadIdx.x / 32, l = lane(), i0 = warp / 4 * 64, j0 = warp % 4 * 32;
#pragma unroll
		for (int k = 0; k < DEPTH; k += 16) {
			unsigned a[4][4], b[2][4];
#pragma unroll
			for (int i = 0; i < 4; i++) load_matrices<AK>(a[i], sa + (AK ? place<true>(i0 + 16 * i + l % 16, k + l / 16 * 8) : place<false>(i0 + 16 * i + l / 8 % 2 * 8, k + l / 16 * 8 + l % 8)));
#pragma unroll
			for (int j = 0; j < 2; j++) load_matrices<BK>(b[j], sb + (BK ? place<true>(j0 + 16 * j + l / 16 * 8 + l % 8, k + l / 8 % 2 * 8) : place<false>(j0 + 16 * j + l / 16 * 8, k + l / 8 % 2 * 8 + l % 8)));
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

	// A warp's 16 rows by 32 columns go through shared memory, so that whole sectors are read and written.
	typedef float slab[16][PITCH];

	__device__ static void drop(slab& s, const fragment& f, int i) {
		int l = lane();
		__syncwarp();
#pragma unroll
		for (int n = 0; n < 4; n++)
			if (n == i)
#pragma unroll
				for (int j = 0; j < 4; j++) {
					*(float2*)&s[l / 4][8 * j + l % 4 * 2] = make_float2(f.sum[n][j][0], f.sum[n][j][1]);
					*(float2*)&s[l / 4 + 8][8 * j + l % 4 * 2] = make_float2(f.sum[n][j][2], f.sum[n][j][3]);
				}
		__syncwarp();
	}

	__device__ static void four(const slab& s, int row, int col, float (&v)[4]) {
		float4 w = *(const float4*)&s[row][col];
		v[0] = w.x, v[1] = w.y, v[2] = w.z, v[3] = w.w;
	}

	// Calls visit(i, j, v) for every run of four columns of the tile.
	template <class S, class F> __device__ static void each(const fragment& f, S& sh, F visit) {
		int warp = threadIdx.x / 32, l = lane();
		slab& s = sh.slabs()[warp];
		__syncthreads(); // the steps are read
#pragma unroll 1
		for (int i = 0; i < 4; i++) {
			drop(s, f, i);
#pragma unroll 1
			for (int r = l / 8; r < 16; r += 4) {
				float v[4];
				four(s, r, l % 8 * 4, v);
				visit(warp / 4 * 64 + 16 * i + r, warp % 4 * 32 + l % 8 * 4, v);
			}
		}
	}

	// Calls visit(i, j, v, u) for every run of four units, j among the units of the tile.
	template <class S, class F> __device__ static void both(const fragment& f, S& sh, F visit) {
		int warp = threadIdx.x / 32, l = lane();
		slab& s = sh.slabs()[warp];
		__syncthreads();
#pragma unroll 1
		for (int i = 0; i < 4; i++) {
			drop(s, f, i);
#pragma unroll 1
			for (int r = l / 4; r < 16; r += 8) {
				float v[4], u[4];
				four(s, r, l % 4 * 4, v);
				four(s, r, 16 + l % 4 * 4, u);
				visit(warp / 4 * 64 + 16 * i + r, warp % 4 * 16 + l % 4 * 4, v, u);
			}
		}
	}

	// Is each for a visit that returns a part of its row's sum, and calls total(i, sum) for every row.
	template <class S, class F, class G> __device__ static void sums(const fragment& f, S& sh, F visit, G total) {
		int warp = threadIdx.x / 32, l = lane();
		slab& s = sh.slabs()[warp];
		__syncthreads();
#pragma unroll 1
		for (int i = 0; i < 4; i++) {
			drop(s, f, i);
#pragma unroll 1
			for (int r = l / 8; r < 16; r += 4) {
				float v[4];
				four(s, r, l % 8 * 4, v);
				int row = warp / 4 * 64 + 16 * i + r;
				float sum = visit(row, warp % 4 * 32 + l % 8 * 4, v);
#pragma unroll
				for (int d = 1; d < 8; d *= 2) sum += __shfl_xor_sync(0xffffffffu, sum, d);
				if (l % 8 == 0) sh.part[warp % 4][row] = sum;
			}
		}
		__syncthreads();
		if (threadIdx.x < ROWS) total(threadIdx.x, sh.part[0][threadIdx.x] + sh.part[1][threadIdx.x] + sh.part[2][threadIdx.x] + sh.part[3][threadIdx.x]);
	}
};

// Operands of any type, size and alignment: read through registers and rounded to the nearest bfloat16 (ties to even) on their way, one step ahead.
struct rounding : halves {
	struct shared {
		__align__(16) char a[2][STEP_BYTES], b[2][STEP_BYTES];
		float part[4][ROWS];
		__device__ slab* slabs() { return (slab*)a; }
	};
	enum { COUNT = 128 * DEPTH / 4 / THREADS, BLOCKS = 1, GRAD_BLOCKS = 1 };
	template <bool K> using pieces = reader<rounding, K, 128, DEPTH, 4, 8>;

	template <bool K> __device__ static void fetch(uint2 (&w)[COUNT], pieces<K>& r, const operand& o, bool wide, int d0, int steps) {
#pragma unroll
		for (int n = 0; n < COUNT; n++) {
			int valid;
			const char* p = r.piece(o, d0, steps, n, valid);
			if (o.half) {
				const unsigned short* h = (const unsigned short*)p;
				if (wide && valid == 4) w[n] = *(const uint2*)p;
				else w[n] = make_uint2((valid > 0 ? h[0] : 0) | (unsigned)(valid > 1 ? h[1] : 0) << 16, (valid > 2 ? h[2] : 0) | (unsigned)(valid > 3 ? h[3] : 0) << 16);
			} else {
				const float* x = (const float*)p;
				float4 v;
				if (wide && valid == 4) v = *(const float4*)p;
				else v = make_float4(valid > 0 ? x[0] : 0, valid > 1 ? x[1] : 0, valid > 2 ? x[2] : 0, valid > 3 ? x[3] : 0);
				w[n] = make_uint2(halves_of(v.x, v.y), halves_of(v.z, v.w));
			}
		}
		if (!K) r.look(o, d0 + DEPTH, steps);
	}

	template <bool K> __device__ static void keep(char* s, const uint2 (&w)[COUNT]) {
#pragma unroll
		for (int n = 0; n < COUNT; n++) *(uint2*)(s + place<K>(pieces<K>::outer(n), pieces<K>::depth(n))) = w[n];
	}

	template <bool AK, bool BK> __device__ static void run(fragment& f, shared& sh, const operand& a, const operand& b, int steps) {
		pieces<AK> ra;
		pieces<BK> rb;
		uint2 wa[COUNT], wb[COUNT];
		bool wide_a = aligned(a.p, AK ? a.outer_stride : a.depth_stride, a.half, 4) && a.second % 4 == 0, wide_b = aligned(b.p, BK ? b.outer_stride : b.depth_stride, b.half, 4) && b.second % 4 == 0;
		ra.begin(a, steps);
		rb.begin(b, steps);
		fetch<AK>(wa, ra, a, wide_a, 0, steps);
		fetch<BK>(wb, rb, b, wide_b, 0, steps);
		__syncthreads(); // the steps of the product before are read
		int turn = 0;
		for (int d = 0; d < steps; d += DEPTH, turn ^= 1) {
			keep<AK>(sh.a[turn], wa);
			keep<BK>(sh.b[turn], wb);
			__syncthreads();
			if (d + DEPTH < steps) {
				fetch<AK>(wa, ra, a, wide_a, d + DEPTH, steps);
				fetch<BK>(wb, rb, b, wide_b, d + DEPTH, steps);
			}
			multiply<AK, BK>(f, shared_address(sh.a[turn]), shared_address(sh.b[turn]));
		}
	}

	template <int A, int B> __device__ static void product(fragment& f, shared& sh, const operand& a, const operand& b, int steps) { by_layout<rounding, A, B>(f, sh, a, b, steps); }
};
