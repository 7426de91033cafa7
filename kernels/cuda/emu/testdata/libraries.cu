// Programs on the libraries that come with the compiler: matrix fragments, cooperative groups, barriers and pipelines, block-wide sort and scan, 8-bit floating point.
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
#include <cub/block/block_radix_sort.cuh>
#include <cub/block/block_scan.cuh>
#include <cuda/barrier>
#include <cuda/pipeline>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <mma.h>

namespace cg = cooperative_groups;
using namespace nvcuda;

template <int M, int N, int K, class T, class F, class S, class LA, class LB>
__device__ void tile(const T *a, int lda, const T *b, int ldb, S *c, S scale) {
	wmma::fragment<wmma::matrix_a, M, N, K, F, LA> fa;
	wmma::fragment<wmma::matrix_b, M, N, K, F, LB> fb;
	wmma::fragment<wmma::accumulator, M, N, K, S> fc;
	wmma::load_matrix_sync(fc, c, N, wmma::mem_row_major);
	wmma::load_matrix_sync(fa, a, lda);
	wmma::load_matrix_sync(fb, b, ldb);
	wmma::mma_sync(fc, fa, fb, fc);
	for (int i = 0; i < fc.num_elements; i++)
		fc.x[i] = fc.x[i] * scale;
	wmma::store_matrix_sync(c, fc, N, wmma::mem_row_major);
}

extern "C" {

__global__ void tile_f16(const half *a, const half *b, float *c) { tile<16, 16, 16, half, half, float, wmma::row_major, wmma::col_major>(a, 24, b, 16, c, 2.f); }
__global__ void tile_f16_half(const half *a, const half *b, half *c) { tile<8, 32, 16, half, half, half, wmma::col_major, wmma::row_major>(a, 8, b, 32, c, __float2half(1.f)); }
__global__ void tile_bf16(const __nv_bfloat16 *a, const __nv_bfloat16 *b, float *c) { tile<32, 8, 16, __nv_bfloat16, __nv_bfloat16, float, wmma::row_major, wmma::row_major>(a, 16, b, 8, c, 1.f); }
__global__ void tile_tf32(const float *a, const float *b, float *c) { tile<16, 16, 8, float, wmma::precision::tf32, float, wmma::row_major, wmma::row_major>(a, 8, b, 16, c, 1.f); }
__global__ void tile_s8(const signed char *a, const signed char *b, int *c) { tile<16, 16, 16, signed char, signed char, int, wmma::row_major, wmma::col_major>(a, 16, b, 16, c, 1); }

__global__ void groups(int *out, const int *in) {
	auto block = cg::this_thread_block();
	auto warp = cg::tiled_partition<32>(block);
	auto eight = cg::tiled_partition<8>(warp);
	int i = block.thread_rank(), v = in[i];
	out[4 * i] = cg::reduce(warp, v, cg::plus<int>());
	out[4 * i + 1] = cg::inclusive_scan(eight, v);
	out[4 * i + 2] = cg::reduce(eight, v, cg::greater<int>());
	if (v % 3 == 0) {
		auto some = cg::coalesced_threads();
		out[4 * i + 3] = some.size() * 100 + some.thread_rank();
	} else
		out[4 * i + 3] = -1;
}

__global__ void arrivals(float *out) {
	__shared__ cuda::barrier<cuda::thread_scope_block> bar;
	__shared__ float s[128];
	if (threadIdx.x == 0)
		init(&bar, blockDim.x);
	__syncthreads();
	for (int round = 0; round < 3; round++) {
		s[threadIdx.x] = threadIdx.x + round;
		bar.arrive_and_wait();
		out[128 * round + threadIdx.x] = s[127 - threadIdx.x];
		bar.arrive_and_wait();
	}
}

__global__ void pipeline(float *out, const float *in, int n) {
	__shared__ alignas(16) float s[2][128];
	__shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, 2> state;
	auto block = cg::this_thread_block();
	auto pipe = cuda::make_pipeline(block, &state);
	float sum = 0;
	for (int i = 0; i < n; i++) {
		pipe.producer_acquire();
		cuda::memcpy_async(block, s[i & 1], in + i * 128, cuda::aligned_size_t<16>(512), pipe);
		pipe.producer_commit();
		pipe.consumer_wait();
		sum += s[i & 1][127 - threadIdx.x] * (i + 1);
		pipe.consumer_release();
	}
	out[threadIdx.x] = sum;
}

__global__ void sorted(int *out, const int *in) {
	using Sort = cub::BlockRadixSort<int, 128, 4>;
	using Scan = cub::BlockScan<int, 128>;
	__shared__ union {
		Sort::TempStorage sort;
		Scan::TempStorage scan;
	} temp;
	int k[4];
	for (int i = 0; i < 4; i++)
		k[i] = in[4 * threadIdx.x + i];
	Sort(temp.sort).Sort(k);
	__syncthreads();
	int before;
	Scan(temp.scan).ExclusiveSum(k[0] & 7, before);
	for (int i = 0; i < 4; i++)
		out[5 * threadIdx.x + i] = k[i];
	out[5 * threadIdx.x + 4] = before;
}

__global__ void eights(float *out, const float *in) {
	int i = threadIdx.x;
	out[2 * i] = float(__nv_fp8_e4m3(in[i]));
	out[2 * i + 1] = float(__nv_fp8_e5m2(in[i]));
}

} // extern "C"
