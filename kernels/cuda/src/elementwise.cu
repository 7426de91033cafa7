// Maps over elements: kernels/op_elementwise.go.
#include "functions.cuh"

KERNEL map(mat dst, mat x, i64 rows, i64 cols, int f) {
	for (i64 k = thread_id(); k < rows * cols; k += threads()) dst.at(k / cols, k % cols) = value_of(f, x.at(k / cols, k % cols));
}

KERNEL map_grad(mat dx, mat x, mat dy, const int* act, i64 rows, i64 cols, int f, int accumulate) {
	for (i64 k = thread_id(); k < rows * cols; k += threads()) {
		i64 c = k / cols, j = k % cols;
		put(&dx.at(c, j), slope_of(f, x.at(row_of(act, c), j)) * dy.at(c, j), accumulate);
	}
}

KERNEL mul(mat dst, mat x, mat y, const int* act, i64 rows, i64 cols, int accumulate) {
	for (i64 k = thread_id(); k < rows * cols; k += threads()) {
		i64 c = k / cols, j = k % cols;
		put(&dst.at(c, j), x.at(row_of(act, c), j) * y.at(c, j), accumulate);
	}
}

// A float matrix, or one of bfloat16.
struct either {
	char* p;
	i64 ld;
	int half;
	__device__ either(mat m, int type) : p((char*)m.p), ld(m.ld), half(type) {}
	__device__ float at(i64 i, i64 j) const { return float_at(p, i * ld + j, half); }
	__device__ void set(i64 i, i64 j, float v, int accumulate = 0) const {
		i64 k = i * ld + j;
		if (half) ((unsigned short*)p)[k] = half_of(v);
		else put((float*)p + k, v, accumulate);
	}
};

// Rows from *valid on are left alone. Bits of types: h, a are bfloat16.
KERNEL gated(mat am, mat hm, const float* scale, const int* valid, i64 rows, i64 cols, int gate, int types) {
	either h(hm, types & 1), a(am, types & 2);
	if (valid) rows = *valid;
	for (i64 k = thread_id(); k < rows * cols; k += threads()) {
		i64 r = k / cols, j = k % cols;
		float v = gate_of(gate, h.at(r, j));
		if (gate == SWIGLU) v *= h.at(r, cols + j);
		a.set(r, j, scale ? scale[r] * v : v);
	}
}

// A warp per cotangent row, so that the gradient of the scale is one sum. Bits of types: h, dh are bfloat16.
KERNEL gated_grad(mat dhm, float* dscale, mat hm, mat da, const int* act, const float* scale, const int* valid, i64 rows, i64 cols, int gate, int accumulate, int types) {
	either h(hm, types & 1), dh(dhm, types & 2);
	if (valid) rows = *valid;
	for (i64 c = warp_id(); c < rows; c += warps()) {
		i64 r = row_of(act, c);
		float s = scale ? scale[r] : 1, sum = 0;
		for (i64 j = lane(); j < cols; j += 32) {
			float d = da.at(c, j), slope, v = gate_and_slope(gate, h.at(r, j), slope);
			if (gate == SWIGLU) {
				float u = h.at(r, cols + j);
				sum += d * v * u;
				dh.set(c, j, s * slope * u * d, accumulate);
				dh.set(c, cols + j, s * v * d, accumulate);
			} else {
				sum += d * v;
				dh.set(c, j, s * slope * d, accumulate);
			}
		}
		sum = warp_sum(sum);
		if (dscale && lane() == 0) dscale[c] = sum;
	}
}

KERNEL row_scale(mat dst, const float* s, mat y, const int* act, i64 rows, i64 cols, int accumulate) {
	for (i64 k = thread_id(); k < rows * cols; k += threads()) {
		i64 c = k / cols, j = k % cols;
		put(&dst.at(c, j), s[row_of(act, c)] * y.at(c, j), accumulate);
	}
}

KERNEL row_dot(float* dst, mat x, mat y, const int* act, i64 rows, i64 cols, int accumulate) {
	for (i64 c = warp_id(); c < rows; c += warps()) {
		float sum = 0;
		for (i64 j = lane(); j < cols; j += 32) sum += x.at(row_of(act, c), j) * y.at(c, j);
		sum = warp_sum(sum);
		if (lane() == 0) put(&dst[c], sum, accumulate);
	}
}

// A thread makes the four elements of one block of random words.
KERNEL dropout(mat dst, mat x, imat keys, const int* act, i64 rows, i64 cols, u64 key, double p, int accumulate) {
	i64 groups = (cols + 3) / 4;
	float keep = (float)(1 / (1 - p));
	double cut = p * 4294967296.0;
	for (i64 k = thread_id(); k < rows * groups; k += threads()) {
		i64 c = k / groups, g = k % groups;
		words w = philox(key, counter_of(keys, row_of(act, c)), g);
#pragma unroll
		for (int q = 0; q < 4; q++)
			if (4 * g + q < cols) put(&dst.at(c, 4 * g + q), (double)w.w[q] >= cut ? x.at(c, 4 * g + q) * keep : 0, accumulate);
	}
}

KERNEL add_by_row(mat dst, mat x, mat table, const int* row, i64 rows, i64 cols) {
	for (i64 k = thread_id(); k < rows * cols; k += threads()) {
		i64 i = k / cols, j = k % cols;
		dst.at(i, j) = row[i] < 0 ? x.at(i, j) : x.at(i, j) + table.at(row[i], j);
	}
}

KERNEL noise(mat dst, imat keys, i64 rows, i64 cols, u64 key) {
	for (i64 k = thread_id(); k < rows * cols; k += threads()) {
		i64 i = k / cols, j = k % cols;
		words w = philox(key, counter_of(keys, i), j);
		double u = ((double)w.w[0] + 1) / 4294967296.0, v = (double)w.w[2] / 4294967296.0;
		dst.at(i, j) = (float)(sqrt(-2 * log(u)) * cospi(2 * v));
	}
}
