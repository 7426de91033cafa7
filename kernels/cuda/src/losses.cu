// Losses and their gradients: kernels/op_losses.go. A warp per row leaves the row's loss in part [rows]; add_rows adds them up.
#include "common.cuh"

// dst[0] += scale * sum of part, by one block, in a fixed order.
KERNEL add_rows(double* dst, const double* part, i64 n, double scale) {
	double s = 0;
	for (i64 i = threadIdx.x; i < n; i += blockDim.x) s += part[i];
	s = block_sum(s);
	if (threadIdx.x == 0) dst[0] += scale * s;
}

// The largest element of a row, NaN when there is one, and the logarithm of the sum of exponentials.
__device__ inline float log_sum_exp(const float* x, i64 cols) {
	float top = -INFINITY, sum = 0;
	for (i64 j = lane(); j < cols; j += 32) top = x[j] != x[j] || top != top ? NAN : fmaxf(top, x[j]);
	unsigned bad = __ballot_sync(0xffffffffu, top != top);
	top = bad ? NAN : warp_max(top);
	for (i64 j = lane(); j < cols; j += 32) sum += expf(x[j] - top);
	return top + logf(warp_sum(sum));
}

KERNEL cross_entropy(mat x, mat dx, const int* label, double* part, i64 rows, i64 cols, float scale, float smoothing) {
	for (i64 i = warp_id(); i < rows; i += warps()) {
		int l = label[i];
		double loss = 0;
		if (l < 0) {
			if (dx.p)
				for (i64 j = lane(); j < cols; j += 32) dx.at(i, j) = 0;
		} else {
			float z = log_sum_exp(x.row(i), cols);
			for (i64 j = lane(); j < cols; j += 32) {
				float q = smoothing / cols + (j == l ? 1 - smoothing : 0), lp = x.at(i, j) - z;
				if (q != 0) loss -= (double)q * lp;
				if (dx.p) dx.at(i, j) = scale * (expf(lp) - q);
			}
		}
		loss = warp_sum(loss);
		if (lane() == 0) part[i] = loss;
	}
}

KERNEL bce(mat x, mat dx, mat target, double* part, i64 rows, i64 cols, float scale) {
	for (i64 i = warp_id(); i < rows; i += warps()) {
		double loss = 0;
		for (i64 j = lane(); j < cols; j += 32) {
			float v = x.at(i, j), y = target.at(i, j), d = 0;
			if (y == y) {
				loss += (double)(v != v ? v : fmaxf(-v, 0)) + log1pf(expf(-fabsf(v))) + (double)(1 - y) * v;
				d = scale * (1 / (1 + expf(-v)) - y);
			}
			if (dx.p) dx.at(i, j) = d;
		}
		loss = warp_sum(loss);
		if (lane() == 0) part[i] = loss;
	}
}

KERNEL regression(mat x, mat dx, mat target, double* part, i64 rows, i64 cols, float scale, float delta) {
	for (i64 i = warp_id(); i < rows; i += warps()) {
		double loss = 0;
		for (i64 j = lane(); j < cols; j += 32) {
			float y = target.at(i, j), r = x.at(i, j) - y, l, d;
			if (y != y) l = d = 0;
			else if (delta == 0) l = r * r, d = 2 * r;
			else if (fabsf(r) > delta) l = delta * (fabsf(r) - delta / 2), d = copysignf(delta, r);
			else l = r * r / 2, d = r;
			loss += l;
			if (dx.p) dx.at(i, j) = scale * d;
		}
		loss = warp_sum(loss);
		if (lane() == 0) part[i] = loss;
	}
}

KERNEL balance(mat p, mat dp, imat count, const int* set, const float* weight, const int* in_set, double* part, i64 rows, i64 cols, double scale) {
	for (i64 i = warp_id(); i < rows; i += warps()) {
		int s = set[i], picks = 0;
		if (s >= 0)
			for (i64 e = lane(); e < cols; e += 32) picks += count.at(s, e);
		for (int d = 16; d > 0; d /= 2) picks += __shfl_xor_sync(0xffffffffu, picks, d);
		double loss = 0;
		for (i64 e = lane(); e < cols; e += 32) {
			double d = picks == 0 ? 0 : scale * weight[s] * cols * count.at(s, e) / picks / in_set[s];
			if (picks != 0) loss += d * p.at(i, e);
			dp.at(i, e) = (float)d;
		}
		loss = warp_sum(loss);
		if (lane() == 0) part[i] = loss;
	}
}

KERNEL z_loss(mat x, mat dx, double* part, i64 rows, i64 cols, float scale) {
	for (i64 i = warp_id(); i < rows; i += warps()) {
		float z = log_sum_exp(x.row(i), cols);
		for (i64 j = lane(); j < cols; j += 32) dx.at(i, j) = scale * 2 * z * expf(x.at(i, j) - z);
		if (lane() == 0) part[i] = (double)z * z;
	}
}

// Integer counts may be added in any order.
KERNEL metrics(mat x, const int* label, int* correct, int* pred, i64 rows, i64 cols) {
	for (i64 i = thread_id(); i < rows; i += threads()) {
		i64 best = 0;
		for (i64 j = 1; j < cols; j++) {
			float a = x.at(i, j), b = x.at(i, best);
			if (a > b || (b != b && a == a)) best = j;
		}
		if (pred) pred[i] = (int)best;
		if (label[i] == best) atomicAdd(&correct[0], 1);
		if (label[i] >= 0) atomicAdd(&correct[1], 1);
	}
}
