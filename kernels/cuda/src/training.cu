// Task gradients, norms and update rules on flat vectors: kernels/op_training.go, op_surgery.go. Sums are made of fixed blocks of 2,048 columns.
#include "common.cuh"

enum { BLOCK = 2048 };

// Four columns from p on of a present row, zeros for what is not there.
__device__ inline void four(float (&v)[4], const mat& j, const int* present, int m, int s, i64 p, i64 cols, bool wide) {
	bool there = s < m && present[s];
	if (there && wide && p + 4 <= cols) {
		float4 w = *(const float4*)(j.row(s) + p);
		v[0] = w.x, v[1] = w.y, v[2] = w.z, v[3] = w.w;
		return;
	}
#pragma unroll
	for (int q = 0; q < 4; q++) v[q] = there && p + q < cols ? j.at(s, p + q) : 0;
}

// The sums of 16 values over a warp, 16 shuffles in all: lane l gets that of value l/2.
__device__ inline double warp_sums(double (&v)[16]) {
#pragma unroll
	for (int r = 0; r < 4; r++) {
		const int n = 8 >> r;
		bool upper = lane() & 2 * n;
#pragma unroll
		for (int i = 0; i < 8; i++)
			if (i < n) {
				double own = upper ? v[i + n] : v[i], other = upper ? v[i] : v[i + n];
				v[i] = own + __shfl_xor_sync(0xffffffffu, other, 2 * n);
			}
	}
	return v[0] + __shfl_xor_sync(0xffffffffu, v[0], 1);
}

// part [blocks,m,m]: inner products of present rows in one block of columns, the lower triangle, or all of it for two matrices. A block of threads takes four rows
// against four at a time, so that an element is read once for four products.
KERNEL gram(mat j, mat k, const int* present, int m, i64 cols, double* part, int cross) {
	__shared__ double warp_part[8][16];
	i64 blocks = (cols + BLOCK - 1) / BLOCK;
	bool wide = ((u64)j.p & 15) == 0 && ((u64)k.p & 15) == 0 && j.ld % 4 == 0 && k.ld % 4 == 0;
	for (i64 b = blockIdx.x; b < blocks; b += gridDim.x)
		for (int s0 = 0; s0 < m; s0 += 4)
			for (int t0 = 0; t0 < (cross ? m : s0 + 1); t0 += 4) {
				double sum[16];
#pragma unroll
				for (int i = 0; i < 16; i++) sum[i] = 0;
#pragma unroll 1
				for (i64 p = b * BLOCK + 4 * threadIdx.x; p < cols && p < (b + 1) * BLOCK; p += 1024) {
					float x[4][4], y[4][4];
#pragma unroll
					for (int i = 0; i < 4; i++) {
						four(x[i], j, present, m, s0 + i, p, cols, wide);
						four(y[i], k, present, m, t0 + i, p, cols, wide);
					}
#pragma unroll
					for (int q = 0; q < 4; q++)
#pragma unroll
						for (int i = 0; i < 16; i++) sum[i] += (double)x[i / 4][q] * y[i % 4][q];
				}
				double own = warp_sums(sum);
				__syncthreads(); // the parts before are read
				if (lane() % 2 == 0) warp_part[threadIdx.x / 32][lane() / 2] = own;
				__syncthreads();
				int s = s0 + threadIdx.x / 4, t = t0 + threadIdx.x % 4;
				if (threadIdx.x < 16 && s < m && t < m && (cross || t <= s)) {
					double all = 0;
#pragma unroll
					for (int w = 0; w < 8; w++) all += warp_part[w][threadIdx.x];
					part[(b * m + s) * m + t] = all;
				}
			}
}

// Adds the blocks in order to g [m,m]. One block.
KERNEL gram_add(double* g, i64 ld, const int* present, int m, i64 blocks, const double* part, int cross) {
	for (int n = threadIdx.x; n < m * m; n += blockDim.x) {
		int s = n / m, t = n % m;
		if (!present[s] || !present[t] || (!cross && t > s)) continue;
		double sum = 0;
		for (i64 b = 0; b < blocks; b++) sum += part[(b * m + s) * m + t];
		g[s * ld + t] += sum;
		if (!cross && s != t) g[t * ld + s] += sum;
	}
}

// dst [0] += the parts in order. One thread.
KERNEL add_parts(double* dst, const double* part, i64 n) {
	for (i64 i = 0; i < n; i++) dst[0] += part[i];
}

// The squares of a block of columns of what a kernel just wrote.
__device__ inline void squares(double* part, i64 b, double mine) {
	mine = block_sum(mine);
	if (threadIdx.x == 0) part[b] = mine;
}

KERNEL sum_squares(const float* x, i64 n, double* part) {
	for (i64 b = blockIdx.x; b * BLOCK < n; b += gridDim.x) {
		double s = 0;
		for (int q = threadIdx.x; q < BLOCK && b * BLOCK + q < n; q += blockDim.x) s += (double)x[b * BLOCK + q] * x[b * BLOCK + q];
		squares(part, b, s);
	}
}

KERNEL combine(float* dst, mat j, const int* present, const double* w, int m, i64 cols, double* part) {
	for (i64 b = blockIdx.x; b * BLOCK < cols; b += gridDim.x) {
		double sq = 0;
		for (int q = threadIdx.x; q < BLOCK && b * BLOCK + q < cols; q += blockDim.x) {
			i64 p = b * BLOCK + q;
			float s = 0;
			for (int t = 0; t < m; t++)
				if (present[t]) s += (float)w[t] * j.at(t, p);
			dst[p] = s;
			sq += (double)s * s;
		}
		squares(part, b, sq);
	}
}

KERNEL grad_drop(float* dst, mat j, const int* present, const double* leak, int m, i64 cols, u64 key, u64 hi, i64 offset, double* part) {
	for (i64 b = blockIdx.x; b * BLOCK < cols; b += gridDim.x) {
		double sq = 0;
		for (int q = threadIdx.x; q < BLOCK && b * BLOCK + q < cols; q += blockDim.x) {
			i64 p = b * BLOCK + q;
			words w = philox(key, hi, (u64)(offset + p) / 4);
			unsigned word = w.w[0];
#pragma unroll
			for (int i = 1; i < 4; i++)
				if ((offset + p) % 4 == i) word = w.w[i];
			double u = word / 4294967296.0, sum = 0, size = 0, out = 0;
			for (int t = 0; t < m; t++)
				if (present[t]) {
					sum += j.at(t, p);
					size += fabs((double)j.at(t, p));
				}
			double share = size != 0 ? (1 + sum / size) / 2 : 0.5;
			for (int t = 0; t < m; t++) {
				if (!present[t]) continue;
				double v = j.at(t, p);
				bool pass = (share > u && v > 0) || (share < u && v < 0) || v != v;
				out += (pass ? 1 : leak[t]) * v;
			}
			dst[p] = (float)out;
			sq += (double)dst[p] * dst[p];
		}
		squares(part, b, sq);
	}
}

KERNEL trimmed_mean(float* dst, mat j, const int* present, int m, i64 cols, int trim, double* part) {
	for (i64 b = blockIdx.x; b * BLOCK < cols; b += gridDim.x) {
		double sq = 0;
		for (int q = threadIdx.x; q < BLOCK && b * BLOCK + q < cols; q += blockDim.x) {
			i64 p = b * BLOCK + q;
			int here = 0;
			bool bad = false;
			for (int t = 0; t < m; t++)
				if (present[t]) {
					here++;
					bad |= j.at(t, p) != j.at(t, p);
				}
			int k = trim < (here - 1) / 2 ? trim : (here - 1) / 2;
			double sum = 0;
			for (int t = 0; t < m && here > 0; t++) { // a value counts when its rank is neither among the k first nor the k last
				if (!present[t]) continue;
				float v = j.at(t, p);
				int rank = 0;
				for (int s = 0; s < m; s++)
					if (present[s] && (j.at(s, p) < v || (j.at(s, p) == v && s < t))) rank++;
				if (rank >= k && rank < here - k) sum += v;
			}
			dst[p] = here == 0 ? 0 : bad ? NAN : (float)(sum / (here - 2 * k));
			sq += (double)dst[p] * dst[p];
		}
		squares(part, b, sq);
	}
}

KERNEL track(mat y, mat j, const int* present, const double* keep, const double* take, int m, i64 cols) {
	for (i64 n = thread_id(); n < m * cols; n += threads()) {
		int t = (int)(n / cols);
		i64 p = n % cols;
		if (keep[t] == 1 && (take[t] == 0 || !present[t])) continue;
		float v = (float)keep[t] * y.at(t, p);
		if (present[t]) v += (float)take[t] * j.at(t, p);
		y.at(t, p) = v;
	}
}

// part [blocks,m]
KERNEL excess(mat s, mat j, const int* present, int m, i64 cols, double eps, double* part) {
	for (i64 b = blockIdx.x; b * BLOCK < cols; b += gridDim.x)
		for (int t = 0; t < m; t++) {
			if (!present[t]) continue;
			double sum = 0;
			for (int q = threadIdx.x; q < BLOCK && b * BLOCK + q < cols; q += blockDim.x) {
				i64 p = b * BLOCK + q;
				float sq = j.at(t, p) * j.at(t, p);
				float total = s.at(t, p) += sq;
				sum += (double)sq / sqrt((double)total + eps);
			}
			sum = block_sum(sum);
			if (threadIdx.x == 0) part[b * m + t] = sum;
		}
}

KERNEL excess_add(double* dst, const int* present, int m, i64 blocks, const double* part) {
	for (int t = threadIdx.x; t < m; t += blockDim.x)
		for (i64 b = 0; b < blocks && present[t]; b++) dst[t] += part[b * m + t];
}

KERNEL mask_rows(mat j, const int* mask, const int* present, int m, i64 cols) {
	for (i64 n = thread_id(); n < m * cols; n += threads())
		if (present[n / cols] && !mask[n % cols]) j.at(n / cols, n % cols) = 0;
}

KERNEL select_elements(float* dst, const float* src, const int* mask, i64 n) {
	for (i64 i = thread_id(); i < n; i += threads())
		if (!mask[i]) dst[i] = src[i];
}

KERNEL sgd(float* p, const float* g, float* m, i64 n, float lr, float momentum, float keep, float decay, double factors, const double* by, int nesterov, int first) {
	float scale;
	if (!factor(by, factors, &scale)) return;
	for (i64 i = thread_id(); i < n; i += threads()) {
		float x = scale * g[i] + decay * p[i], d = x;
		if (m) {
			m[i] = first ? x : momentum * m[i] + keep * x;
			d = nesterov ? x + momentum * m[i] : m[i];
		}
		p[i] -= lr * d;
	}
}

KERNEL adam(float* p, const float* g, float* m, float* v, i64 n, double factors, const double* by, float l2, float b1, float nb1, float b2, float nb2, float keep, float rate, float root, float eps) {
	float scale;
	if (!factor(by, factors, &scale)) return;
	for (i64 i = thread_id(); i < n; i += threads()) {
		float x = scale * g[i] + l2 * p[i];
		m[i] = b1 * m[i] + nb1 * x;
		v[i] = b2 * v[i] + nb2 * (x * x);
		p[i] = keep * p[i] - rate * m[i] / (sqrtf(v[i]) * root + eps);
	}
}

KERNEL lion(float* p, const float* g, float* m, i64 n, float lr, float b1, float nb1, float b2, float nb2, float decay, double factors, const double* by) {
	float scale;
	if (!factor(by, factors, &scale)) return;
	for (i64 i = thread_id(); i < n; i += threads()) {
		float x = scale * g[i], u = b1 * m[i] + nb1 * x;
		float sign = u > 0 ? 1 : u < 0 ? -1 : u;
		p[i] -= lr * (sign + decay * p[i]);
		m[i] = b2 * m[i] + nb2 * x;
	}
}

// A row of an operand of a product, float or bfloat16, whose elements are rounded to bfloat16 with half.
struct operand_row {
	const void* p;
	bool stored, half;
	__device__ operand_row(mat m, const int* index, i64 r, int type, int rounds) : stored(type), half(rounds) {
		i64 at = row_of(index, r) * m.ld;
		p = stored ? (const void*)((const unsigned short*)(const void*)m.p + at) : m.p + at;
	}
	__device__ double at(i64 j) const { return stored ? float_of(((const unsigned short*)p)[j]) : operand_of(((const float*)p)[j], half); }
};

// Inner products of task gradients of a bank without the gradients: <X_i^T dY_i, X_j^T dY_j> is the sum over pairs of rows of <x, x'> <dy, dy'>. A block per group; a warp
// per pair of rows. Bits of half: operands are rounded; x, dy are bfloat16.
KERNEL cell_gram(double* g, i64 group_stride, i64 row_stride, imat segs, int segments, int groups, mat x, const int* xi, mat dy, const int* yi, i64 k, i64 n, int half) {
	for (int group = blockIdx.x; group < groups; group += gridDim.x)
		for (int a = 0; a < segments; a++) {
			segment s = segment_of(segs, a);
			if (s.group != group || s.n == 0) continue;
			for (int b = 0; b < segments; b++) {
				segment t = segment_of(segs, b);
				if (t.group != group || t.n == 0) continue;
				double mine = 0;
				for (i64 q = threadIdx.x / 32; q < (i64)s.n * t.n; q += blockDim.x / 32) {
					i64 i = q / t.n, j = q % t.n;
					operand_row xa(x, xi, s.act0 + i, half & 2, half & 1), xb(x, xi, t.act0 + j, half & 2, half & 1);
					operand_row ya(dy, yi, s.row0 + i, half & 4, half & 1), yb(dy, yi, t.row0 + j, half & 4, half & 1);
					double u = 0, v = 0;
					for (i64 p = lane(); p < k; p += 32) u += xa.at(p) * xb.at(p);
					for (i64 p = lane(); p < n; p += 32) v += ya.at(p) * yb.at(p);
					u = warp_sum(u) * warp_sum(v);
					if (lane() == 0) mine += u;
				}
				mine = block_sum(mine);
				if (threadIdx.x == 0) g[group * group_stride + s.task * row_stride + t.task] += mine;
				__syncthreads();
			}
		}
}
