// The regularisers of Rep-MTL: kernels/op_surgery.go, Saliency. A block per window of rows; part [2,rows] takes the losses by row.
#include "common.cuh"

// The gradients at an activation: task t, row i, element d.
struct cube {
	float* p;
	i64 ld;
	int width;
	__device__ float& at(int t, i64 i, int d) const { return p[t * ld + i * width + d]; }
};

// The entropy of the tasks' shares in row i, and its gradient, which overwrites u. One warp.
__device__ inline double entropy(cube s, cube u, int m, i64 i, double weight, double floor) {
	double total = 0, loss = 0, mean = 0; // mean: of g over the shares
	for (int t = 0; t < m; t++) {
		double v = 0;
		for (int d = lane(); d < s.width; d += 32) v += s.at(t, i, d);
		total += fabs(warp_sum(v) / s.width);
	}
	double spread = 1 + m * floor;
	for (int pass = 0; pass < 2; pass++)
		for (int t = 0; t < m; t++) {
			double v = 0;
			for (int d = lane(); d < s.width; d += 32) v += s.at(t, i, d);
			v = warp_sum(v) / s.width;
			double share = fabs(v) / total, p = (share + floor) / spread;
			if (pass == 0) {
				if (total > 0) {
					loss -= p * log(p);
					mean += share * -(log(p) + 1) / spread;
				}
				continue;
			}
			// dE/dp = -(log p + 1); dp/dshare = 1/spread; dshare_k/d|v_t| = ((k == t) - share_k) / total.
			double g = total > 0 ? weight * (-(log(p) + 1) / spread - mean) / total * (v < 0 ? -1 : 1) / s.width : 0;
			for (int d = lane(); d < s.width; d += 32) u.at(t, i, d) = (float)g;
		}
	return loss;
}

KERNEL saliency(cube s, cube u, int m, i64 rows, int window, double weight, double align, double temperature, double floor, double* part, double* mean, double* dmean, double* coef) {
	int width = s.width, warp = threadIdx.x / 32, nwarps = blockDim.x / 32;
	for (i64 first = (i64)blockIdx.x * window; first < rows; first += (i64)gridDim.x * window) {
		int w = (int)(rows - first < window ? rows - first : window);
		for (int i = warp; i < w; i += nwarps) {
			double e = entropy(s, u, m, first + i, weight, floor);
			if (lane() == 0) part[first + i] = weight * e;
		}
		for (int n = threadIdx.x; n < w * width; n += blockDim.x) {
			double v = 0;
			for (int t = 0; t < m; t++) v += s.at(t, first + n / width, n % width);
			mean[first * width + n] = v;
			dmean[first * width + n] = 0;
		}
		__syncthreads();
		// coef [m,rows,window,3]: the cosine, its weight in the gradient, and 1/(|x| |y|), of every task and pair of rows.
		for (int n = warp; n < m * w; n += nwarps) {
			int t = n / w, i = n % w;
			double* c = coef + ((i64)t * rows + first + i) * window * 3;
			double nx = 0, sum = 0;
			for (int d = lane(); d < width; d += 32) nx += (double)s.at(t, first + i, d) * s.at(t, first + i, d);
			nx = sqrt(warp_sum(nx));
			for (int j = 0; j < w; j++) {
				double xy = 0, ny = 0;
				for (int d = lane(); d < width; d += 32) {
					double y = mean[(first + j) * width + d];
					xy += s.at(t, first + i, d) * y;
					ny += y * y;
				}
				xy = warp_sum(xy);
				ny = sqrt(warp_sum(ny));
				double cos = nx > 0 && ny > 0 ? xy / (nx * ny) : 0;
				sum += exp(cos * cos / temperature);
				if (lane() == 0) {
					c[3 * j] = cos;
					c[3 * j + 2] = nx > 0 && ny > 0 ? 1 / (nx * ny) : 0;
				}
			}
			__syncwarp();
			double own = c[3 * i];
			if (lane() == 0) {
				part[((i64)t + 1) * rows + first + i] = align * (log(sum) - own * own / temperature);
				for (int j = 0; j < w; j++) {
					double p = exp(c[3 * j] * c[3 * j] / temperature) / sum - (i == j);
					c[3 * j + 1] = align * p * 2 * c[3 * j] / temperature;
				}
			}
			__syncwarp();
			for (int d = lane(); d < width; d += 32) {
				double g = 0, x = s.at(t, first + i, d);
				for (int j = 0; j < w; j++)
					if (c[3 * j + 1] != 0) g += c[3 * j + 1] * (c[3 * j + 2] * mean[(first + j) * width + d] - c[3 * j] / (nx * nx) * x);
				u.at(t, first + i, d) += (float)g;
			}
		}
		__syncthreads();
		for (int n = threadIdx.x; n < w * width; n += blockDim.x) {
			int j = n / width, d = n % width;
			double sq = 0, g = 0, y = mean[first * width + n];
			for (int k = 0; k < width; k++) sq += mean[(first + j) * width + k] * mean[(first + j) * width + k];
			for (int t = 0; t < m; t++)
				for (int i = 0; i < w; i++) {
					double* c = coef + ((i64)t * rows + first + i) * window * 3 + 3 * j;
					if (c[1] != 0) g += c[1] * (c[2] * s.at(t, first + i, d) - c[0] / sq * y);
				}
			dmean[first * width + n] = g;
		}
		__syncthreads();
		for (int n = threadIdx.x; n < m * w * width; n += blockDim.x) {
			int t = n / (w * width), k = n % (w * width);
			u.at(t, first + k / width, k % width) += (float)dmean[first * width + k];
		}
		__syncthreads();
	}
}
