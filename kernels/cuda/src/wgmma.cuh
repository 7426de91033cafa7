// The instructions of compute capability 9.0 that products use: barriers in shared memory, bulk copies of boxes of a tensor, products by a warpgroup.
#pragma once
#include "common.cuh"

typedef unsigned short half; // the bits of a bfloat16

// The descriptor of a tensor for bulk copies, made by the driver.
struct __align__(64) tensor_map { char opaque[128]; };

__device__ inline void barrier_init(unsigned b, int arrivals) { asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(b), "r"(arrivals) : "memory"); }

// Makes barriers known to the other threads and to bulk copies; a barrier of the block follows.
__device__ inline void barriers_made() { asm volatile("fence.mbarrier_init.release.cluster;\nfence.proxy.async;" ::: "memory"); }

__device__ inline void arrive(unsigned b) { asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];" ::"r"(b) : "memory"); }

// Arrives, and makes the phase wait for so many bytes of bulk copies as well.
__device__ inline void arrive_expecting(unsigned b, int bytes) { asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(b), "r"(bytes) : "memory"); }

// Waits until the phase of a parity is over.
__device__ inline void wait_phase(unsigned b, unsigned parity) {
	asm volatile("{\n.reg .pred p;\nAGAIN_%=:\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n@!p bra AGAIN_%=;\n}" ::"r"(b), "r"(parity) : "memory");
}

// Boxes of a tensor of two and three dimensions to shared memory; what lies outside of the tensor is zero. x is along the contiguous dimension.
__device__ inline void load_box(unsigned to, const tensor_map& t, unsigned barrier, int x, int y) {
	asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"(to), "l"(&t), "r"(barrier), "r"(x), "r"(y) : "memory");
}
__device__ inline void load_box(unsigned to, const tensor_map& t, unsigned barrier, int x, int y, int z) {
	asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], [%2];" ::"r"(to), "l"(&t), "r"(barrier), "r"(x), "r"(y), "r"(z)
		: "memory");
}

// Orders the thread's writes to shared memory before what tensor cores and bulk copies do there.
__device__ inline void fence_async() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

template <int N> __device__ inline void less_registers() { asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N)); }
template <int N> __device__ inline void more_registers() { asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N)); }

__device__ inline void mma_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void mma_close() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int LEFT> __device__ inline void mma_wait() { asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(LEFT) : "memory"); }

#define R1(i) "+f"(d[i])
#define R4(i) R1(i), R1(i + 1), R1(i + 2), R1(i + 3)
#define R8(i) R4(i), R4(i + 4)

// Keeps the compiler from moving sums across a wait.
template <int R> __device__ inline void pin(float (&d)[R]) {
#pragma unroll
	for (int i = 0; i < R; i += 16) asm volatile("" : R8(i), R8(i + 8)::"memory");
}

// D[64,N] (+)= A[64,16] B[16,N] of a warpgroup, asynchronous. TA and TB are 1 for operands whose rows or columns, not the depth, are contiguous.
template <int N, int TA, int TB> struct mma;

template <int TA, int TB> struct mma<64, TA, TB> {
	static __device__ void add(float (&d)[32], u64 a, u64 b, int keep) {
		asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %34, 0;\nwgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
			"%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
			"%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
			"}, %32, %33, p, 1, 1, %35, %36;\n}"
			: R8(0), R8(8), R8(16), R8(24)
			: "l"(a), "l"(b), "r"(keep), "n"(TA), "n"(TB));
	}
};

template <int TA, int TB> struct mma<128, TA, TB> {
	static __device__ void add(float (&d)[64], u64 a, u64 b, int keep) {
		asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\nwgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
			"%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
			"%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
			"%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
			"%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
			"}, %64, %65, p, 1, 1, %67, %68;\n}"
			: R8(0), R8(8), R8(16), R8(24), R8(32), R8(40), R8(48), R8(56)
			: "l"(a), "l"(b), "r"(keep), "n"(TA), "n"(TB));
	}
};

template <int TA, int TB> struct mma<256, TA, TB> {
	static __device__ void add(float (&d)[128], u64 a, u64 b, int keep) {
		asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %130, 0;\nwgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {"
			"%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
			"%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
			"%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
			"%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
			"%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
			"%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
			"%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
			"%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
			"}, %128, %129, p, 1, 1, %131, %132;\n}"
			: R8(0), R8(8), R8(16), R8(24), R8(32), R8(40), R8(48), R8(56), R8(64), R8(72), R8(80), R8(88), R8(96), R8(104), R8(112), R8(120)
			: "l"(a), "l"(b), "r"(keep), "n"(TA), "n"(TB));
	}
};
