// What all kernels share: tensors as pointer and row stride, row indices, reductions with a fixed order, random numbers.
//
// Every kernel computes each output from a fixed order of terms, whatever the grid: there are no floating-point atomics. Offsets are 64 bits wide.
#pragma once

typedef long long i64;
typedef unsigned long long u64;

#define KERNEL extern "C" __global__ void

// The thread's number in the grid, and the number of threads.
__device__ inline i64 thread_id() { return (i64)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ inline i64 threads() { return (i64)gridDim.x * blockDim.x; }

// A warp's number in the grid, and the number of warps.
__device__ inline i64 warp_id() { return thread_id() / 32; }
__device__ inline i64 warps() { return threads() / 32; }
__device__ inline int lane() { return threadIdx.x % 32; }

// The activation row of cotangent row c.
__device__ inline i64 row_of(const int* act, i64 c) { return act ? act[c] : c; }

// A factor times the number at by, if there is one; false where that is NaN and nothing is to be written.
__device__ inline bool factor(const double* by, double scale, float* out) {
	*out = (float)(by ? scale * *by : scale);
	return !by || *by == *by;
}

// Stores or adds.
__device__ inline void put(float* p, float v, int accumulate) { *p = accumulate ? *p + v : v; }

// To bfloat16, to the nearest, ties to even, and back.
__device__ inline unsigned short half_of(float v) {
	unsigned w;
	asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(w) : "f"(0.f), "f"(v));
	return (unsigned short)w;
}
__device__ inline unsigned halves_of(float lo, float hi) {
	unsigned w;
	asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(w) : "f"(hi), "f"(lo));
	return w;
}
__device__ inline float float_of(unsigned short v) { return __uint_as_float((unsigned)v << 16); }

// An operand of a product: rounded to the nearest bfloat16 (ties to even) when half.
__device__ inline float operand_of(float v, int half) { return half ? float_of(half_of(v)) : v; }

// Element k of a row of floats, or of bfloat16.
__device__ inline float float_at(const void* p, i64 k, int half) { return half ? float_of(((const unsigned short*)p)[k]) : ((const float*)p)[k]; }

__device__ inline unsigned shared_address(const void* p) { return (unsigned)__cvta_generic_to_shared(p); }

// Copies 16 bytes to shared memory, of which only the first few are read and the others zero.
__device__ inline void copy_piece(unsigned to, const void* from, int bytes) {
	asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}
__device__ inline void close_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int LEFT> __device__ inline void wait_copies() { asm volatile("cp.async.wait_group %0;" ::"n"(LEFT) : "memory"); }

// Sums over a warp, the same tree for every caller; all lanes get the result.
__device__ inline float warp_sum(float v) {
	for (int d = 16; d > 0; d /= 2) v += __shfl_xor_sync(0xffffffffu, v, d);
	return v;
}
__device__ inline double warp_sum(double v) {
	for (int d = 16; d > 0; d /= 2) v += __shfl_xor_sync(0xffffffffu, v, d);
	return v;
}
__device__ inline float warp_max(float v) {
	for (int d = 16; d > 0; d /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, d));
	return v;
}

// The sum over a block of 256 threads, for thread 0.
__device__ inline double block_sum(double v) {
	__shared__ double part[8];
	v = warp_sum(v);
	__syncthreads();
	if (lane() == 0) part[threadIdx.x / 32] = v;
	__syncthreads();
	double s = 0;
	if (threadIdx.x == 0)
		for (int i = 0; i < 8; i++) s += part[i];
	return s;
}

// Four words of Philox4x32-10; see package rng.
struct words { unsigned w[4]; };

__device__ inline words philox(u64 key, u64 hi, u64 lo) {
	unsigned c0 = (unsigned)lo, c1 = (unsigned)(lo >> 32), c2 = (unsigned)hi, c3 = (unsigned)(hi >> 32);
	unsigned k0 = (unsigned)key, k1 = (unsigned)(key >> 32);
	for (int r = 0; r < 10; r++) {
		unsigned h0 = __umulhi(0xD2511F53u, c0), l0 = 0xD2511F53u * c0;
		unsigned h1 = __umulhi(0xCD9E8D57u, c2), l1 = 0xCD9E8D57u * c2;
		c0 = h1 ^ c1 ^ k0;
		c1 = l1;
		c2 = h0 ^ c3 ^ k1;
		c3 = l0;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	return {{c0, c1, c2, c3}};
}

// Matrices: rows ld elements apart.
struct mat {
	float* p;
	i64 ld;
	__device__ float* row(i64 i) const { return p + i * ld; }
	__device__ float& at(i64 i, i64 j) const { return p[i * ld + j]; }
};
struct imat {
	int* p;
	i64 ld;
	__device__ int* row(i64 i) const { return p + i * ld; }
	__device__ int& at(i64 i, i64 j) const { return p[i * ld + j]; }
};

// The counter of a row: the two halves of its key.
__device__ inline u64 counter_of(imat keys, i64 row) {
	return (u64)(unsigned)keys.at(row, 0) | (u64)(unsigned)keys.at(row, 1) << 32;
}

// A row of a segment table: group, task, act0, row0, n.
struct segment { int group, task, act0, row0, n; };

__device__ inline segment segment_of(imat segs, i64 s) {
	return {segs.at(s, 0), segs.at(s, 1), segs.at(s, 2), segs.at(s, 3), segs.at(s, 4)};
}

// Gradients of parameters: dst[group][task] with its flags touched[group][task]. A task stride of 0 makes all tasks share one destination.
struct dest {
	float* p;
	i64 group_stride, task_stride;
	int* touched;
	i64 group_flag, task_flag;
	int tasks; // destinations of a group: 1 when they share
	__device__ float* of(int g, int t) const { return p + g * group_stride + t * task_stride; }
	__device__ int* flag(int g, int t) const { return touched + g * group_flag + t * task_flag; }
	// Whether a segment goes to destination t of group g.
	__device__ bool takes(const segment& s, int g, int t) const { return s.n > 0 && s.group == g && (tasks == 1 && task_stride == 0 || s.task == t); }
};
