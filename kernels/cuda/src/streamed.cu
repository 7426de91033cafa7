// Products of operands that are bfloat16 in memory, in aligned runs of eight: copied to shared memory without passing through registers, three steps ahead.
#include "tensorcore.cuh"

struct streaming : halves {
	enum { STAGES = 4, COUNT = 128 * DEPTH / 8 / THREADS, BLOCKS = 2, GRAD_BLOCKS = 2 };
	struct shared {
		char a[STAGES][STEP_BYTES], b[STAGES][STEP_BYTES];
		float part[4][ROWS];
		__device__ slab* slabs() { return (slab*)a; }
	};
	template <bool K> using pieces = reader<streaming, K, 128, DEPTH, 8, 4>;

	// Begins the copies of a step; what is past the end of a dimension becomes zeros.
	template <bool K> __device__ static void load(unsigned s, pieces<K>& r, const operand& o, int d0, int steps) {
#pragma unroll
		for (int n = 0; n < COUNT; n++) {
			int valid;
			const char* p = r.piece(o, d0, steps, n, valid);
			copy_piece(s + place<K>(pieces<K>::outer(n), pieces<K>::depth(n)), p, 2 * valid);
		}
		if (!K) r.look(o, d0 + DEPTH, steps);
	}

	template <bool AK, bool BK> __device__ static void run(fragment& f, shared& sh, const operand& a, const operand& b, int steps) {
		pieces<AK> ra;
		pieces<BK> rb;
		unsigned sa = shared_address(sh.a), sb = shared_address(sh.b);
		int ahead = 0;
		ra.begin(a, steps);
		rb.begin(b, steps);
		__syncthreads(); // the steps of the product before are read
#pragma unroll
		for (int s = 0; s < STAGES - 1; s++, ahead += DEPTH) {
			if (ahead < steps) {
				load<AK>(sa + s * STEP_BYTES, ra, a, ahead, steps);
				load<BK>(sb + s * STEP_BYTES, rb, b, ahead, steps);
			}
			close_copies();
		}
		int turn = 0;
#pragma unroll 1
		for (int d = 0; d < steps; d += DEPTH, ahead += DEPTH) {
			wait_copies<STAGES - 2>();
			__syncthreads(); // this step is there for all, and all have read the one before
			int into = (turn + STAGES - 1) % STAGES * STEP_BYTES;
			if (ahead < steps) {
				load<AK>(sa + into, ra, a, ahead, steps);
				load<BK>(sb + into, rb, b, ahead, steps);
			}
			close_copies();
			multiply<AK, BK>(f, sa + turn * STEP_BYTES, sb + turn * STEP_BYTES);
			turn = (turn + 1) % STAGES;
		}
	}

	template <int A, int B> __device__ static void product(fragment& f, shared& sh, const operand& a, const operand& b, int steps) { by_layout<streaming, A, B>(f, sh, a, b, steps); }
};

#define SHARED(E) \
	extern __shared__ __align__(128) char dynamic[]; \
	E::shared& sh = *(E::shared*)dynamic
#define NAME(name) name##_bf16_async

PRODUCTS(streaming, NAME)
