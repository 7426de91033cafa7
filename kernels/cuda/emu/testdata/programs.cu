// Small programs with results that are easy to know, for the emulator's tests.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>

// Sum of n floats by a block: strided loads, warp shuffles, shared memory.
extern "C" __global__ void block_sum(const float *x, float *out, int n) {
  __shared__ float part[32];
  float s = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) s += x[i];
  for (int o = 16; o; o >>= 1) s += __shfl_xor_sync(0xffffffffu, s, o);
  if ((threadIdx.x & 31) == 0) part[threadIdx.x >> 5] = s;
  __syncthreads();
  if (threadIdx.x < 32) {
    s = threadIdx.x < blockDim.x / 32 ? part[threadIdx.x] : 0.f;
    for (int o = 16; o; o >>= 1) s += __shfl_down_sync(0xffffffffu, s, o);
    if (threadIdx.x == 0) out[blockIdx.x] = s;
  }
}

// Inclusive scan of one block, Hillis and Steele in shared memory.
extern "C" __global__ void scan(const int *x, int *out, int n) {
  extern __shared__ int buf[];
  int t = threadIdx.x, in = 0;
  buf[t] = t < n ? x[t] : 0;
  __syncthreads();
  for (int o = 1; o < blockDim.x; o <<= 1) {
    int v = buf[in * blockDim.x + t];
    if (t >= o) v += buf[in * blockDim.x + t - o];
    in ^= 1;
    buf[in * blockDim.x + t] = v;
    __syncthreads();
  }
  if (t < n) out[t] = buf[in * blockDim.x + t];
}

// C = A B in tiles of 16, any size.
extern "C" __global__ void matmul(const float *a, const float *b, float *c, int m, int n, int k) {
  __shared__ float sa[16][16], sb[16][17];
  int r = blockIdx.y * 16 + threadIdx.y, col = blockIdx.x * 16 + threadIdx.x;
  float acc = 0;
  for (int p = 0; p < k; p += 16) {
    sa[threadIdx.y][threadIdx.x] = r < m && p + threadIdx.x < k ? a[(size_t)r * k + p + threadIdx.x] : 0.f;
    sb[threadIdx.y][threadIdx.x] = p + threadIdx.y < k && col < n ? b[(size_t)(p + threadIdx.y) * n + col] : 0.f;
    __syncthreads();
    for (int i = 0; i < 16; i++) acc += sa[threadIdx.y][i] * sb[i][threadIdx.x];
    __syncthreads();
  }
  if (r < m && col < n) c[(size_t)r * n + col] = acc;
}

// Steps of Collatz: divergent loops.
extern "C" __global__ void collatz(const uint32_t *x, int *steps, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  uint64_t v = x[i];
  int s = 0;
  while (v != 1) {
    if (v & 1) v = 3 * v + 1;
    else v /= 2;
    if (++s > 1000) break;
  }
  steps[i] = s;
}

// Nested branches with early returns and a switch.
extern "C" __global__ void branches(const int *x, int *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  int v = x[i], r = 0;
  for (int k = 0; k < 8; k++) {
    switch ((v >> k) & 7) {
    case 0: r += 1; break;
    case 1: r ^= v; continue;
    case 2: r = r * 3 + k; // falls through
    case 3: r -= 7; break;
    case 4: if (r > 100) { out[i] = -r; return; } r += 50; break;
    case 5: r = __popc(r); break;
    case 6: for (int j = 0; j < (v & 3); j++) r += j * k; break;
    default: r = ~r;
    }
    if (k & 1) r += 2;
  }
  out[i] = r;
}

// Counts by value: atomics in shared and global memory.
extern "C" __global__ void histogram(const uint8_t *x, unsigned *out, int n) {
  __shared__ unsigned h[256];
  for (int i = threadIdx.x; i < 256; i += blockDim.x) h[i] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&h[x[i]], 1u);
  __syncthreads();
  for (int i = threadIdx.x; i < 256; i += blockDim.x) if (h[i]) atomicAdd(&out[i], h[i]);
}

// Softmax of rows, a block each.
extern "C" __global__ void softmax(const float *x, float *y, int cols) {
  __shared__ float part[32];
  const float *row = x + (size_t)blockIdx.x * cols;
  float *to = y + (size_t)blockIdx.x * cols;
  float m = -INFINITY;
  for (int i = threadIdx.x; i < cols; i += blockDim.x) m = fmaxf(m, row[i]);
  for (int o = 16; o; o >>= 1) m = fmaxf(m, __shfl_xor_sync(0xffffffffu, m, o));
  if ((threadIdx.x & 31) == 0) part[threadIdx.x >> 5] = m;
  __syncthreads();
  m = part[threadIdx.x & (blockDim.x / 32 - 1)];
  for (int o = 16; o; o >>= 1) m = fmaxf(m, __shfl_xor_sync(0xffffffffu, m, o));
  __syncthreads();
  float s = 0;
  for (int i = threadIdx.x; i < cols; i += blockDim.x) s += __expf(row[i] - m);
  for (int o = 16; o; o >>= 1) s += __shfl_xor_sync(0xffffffffu, s, o);
  if ((threadIdx.x & 31) == 0) part[threadIdx.x >> 5] = s;
  __syncthreads();
  s = 0;
  for (int i = 0; i < blockDim.x / 32; i++) s += part[i];
  for (int i = threadIdx.x; i < cols; i += blockDim.x) to[i] = __expf(row[i] - m) / s;
}

// Library functions in single and double precision, and local memory by an index only known at run time.
extern "C" __global__ void functions(const float *x, float *f, double *g, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float v = x[i], a[8];
  a[0] = expf(v); a[1] = logf(fabsf(v) + 1); a[2] = sinf(v); a[3] = cosf(v); a[4] = tanhf(v); a[5] = sqrtf(fabsf(v)); a[6] = powf(fabsf(v), 1.5f); a[7] = erff(v);
  for (int k = 0; k < 8; k++) f[i * 8 + k] = a[(k + i) & 7];
  double d = v;
  g[i * 4] = exp(d); g[i * 4 + 1] = sqrt(fabs(d)); g[i * 4 + 2] = d / 3; g[i * 4 + 3] = log(fabs(d) + 1);
}

// bf16 and f16: conversion and arithmetic of pairs.
extern "C" __global__ void halves(const float *x, __nv_bfloat162 *b, __half2 *h, float *back, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float2 v = reinterpret_cast<const float2 *>(x)[i];
  __nv_bfloat162 p = __floats2bfloat162_rn(v.x, v.y);
  b[i] = __hfma2(p, p, p);
  __half2 q = __floats2half2_rn(v.x, v.y);
  h[i] = __hmul2(__hadd2(q, q), q);
  back[i * 2] = __bfloat162float(p.x) + __half2float(q.x);
  back[i * 2 + 1] = __low2float(q) - __high2float(q);
}

// Integer division, remainder, 64-bit products, bit fields.
extern "C" __global__ void integers(const int *x, const int *y, long long *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  int a = x[i], b = y[i];
  long long *o = out + (size_t)i * 8;
  o[0] = a / b; o[1] = a % b; o[2] = (unsigned)a / (unsigned)b; o[3] = (long long)a * b;
  o[4] = __mul64hi((long long)a << 33, (long long)b << 31); o[5] = __clz(a) * 100 + __ffs(b);
  o[6] = __brev(a) ^ __byte_perm(a, b, 0x2541); o[7] = ((long long)a << 20) / (b | 1) + __funnelshift_l(a, b, i);
}

// Last block adds up: fences and counters in global memory.
__device__ unsigned finished;
extern "C" __global__ void last_block(const float *x, float *part, float *out, int n) {
  __shared__ bool last;
  float s = 0;
  for (int i = blockIdx.x * 32 + threadIdx.x; i < n; i += gridDim.x * 32) s += x[i];
  for (int o = 16; o; o >>= 1) s += __shfl_xor_sync(0xffffffffu, s, o);
  if (threadIdx.x == 0) {
    part[blockIdx.x] = s;
    __threadfence();
    last = atomicInc(&finished, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    float t = 0;
    for (int i = 0; i < gridDim.x; i++) t += ((volatile float *)part)[i];
    out[0] = t;
  }
}
