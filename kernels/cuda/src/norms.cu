// Row normalisations, a warp per row: kernels/op_norms.go.
#include "common.cuh"

KERNEL rms_norm(mat y, mat x, const float* w, float* rstd, i64 rows, i64 cols, double eps) {
	for (i64 i = warp_id(); i < rows; i += warps()) {
		float sq = 0;
		for (i64 j = lane(); j < cols; j += 32) sq += x.at(i, j) * x.at(i, j);
		float r = (float)(1 / sqrt((double)warp_sum(sq) / cols + eps));
		if (lane() == 0) rstd[i] = r;
		for (i64 j = lane(); j < cols; j += 32) y.at(i, j) = x.at(i, j) * r * (w ? w[j] : 1);
	}
}

// Both gradients are in double: their terms, and the sum before, may cancel, and memory is what they wait for.
KERNEL rms_norm_grad(mat dx, mat x, const float* w, const float* rstd, mat dy, const int* act, i64 rows, i64 cols, int accumulate) {
	for (i64 c = warp_id(); c < rows; c += warps()) {
		i64 a = row_of(act, c);
		double r = rstd[a], hx = 0;
		for (i64 j = lane(); j < cols; j += 32) hx += (double)dy.at(c, j) * (w ? w[j] : 1) * (x.at(a, j) * r);
		hx = warp_sum(hx) / cols;
		for (i64 j = lane(); j < cols; j += 32) {
			double v = r * ((double)dy.at(c, j) * (w ? w[j] : 1) - x.at(a, j) * r * hx);
			dx.at(c, j) = (float)(accumulate ? dx.at(c, j) + v : v);
		}
	}
}

KERNEL layer_norm(mat y, mat x, const float* w, const float* b, mat stat, i64 rows, i64 cols, double eps) {
	for (i64 i = warp_id(); i < rows; i += warps()) {
		float s = 0, sq = 0;
		for (i64 j = lane(); j < cols; j += 32) s += x.at(i, j);
		float mean = warp_sum(s) / cols;
		for (i64 j = lane(); j < cols; j += 32) sq += (x.at(i, j) - mean) * (x.at(i, j) - mean);
		float r = (float)(1 / sqrt((double)warp_sum(sq) / cols + eps));
		if (lane() == 0) {
			stat.at(i, 0) = mean;
			stat.at(i, 1) = r;
		}
		for (i64 j = lane(); j < cols; j += 32) y.at(i, j) = (x.at(i, j) - mean) * r * (w ? w[j] : 1) + (b ? b[j] : 0);
	}
}

KERNEL layer_norm_grad(mat dx, mat x, const float* w, mat stat, mat dy, const int* act, i64 rows, i64 cols, int accumulate) {
	for (i64 c = warp_id(); c < rows; c += warps()) {
		i64 a = row_of(act, c);
		double mean = stat.at(a, 0), r = stat.at(a, 1), hm = 0, hx = 0;
		for (i64 j = lane(); j < cols; j += 32) {
			double h = (double)dy.at(c, j) * (w ? w[j] : 1);
			hm += h;
			hx += h * ((x.at(a, j) - mean) * r);
		}
		hm = warp_sum(hm) / cols;
		hx = warp_sum(hx) / cols;
		for (i64 j = lane(); j < cols; j += 32) {
			double v = r * ((double)dy.at(c, j) * (w ? w[j] : 1) - hm - (x.at(a, j) - mean) * r * hx);
			dx.at(c, j) = (float)(accumulate ? dx.at(c, j) + v : v);
		}
	}
}

// The gradient of a norm's scale, by segments: a thread owns a column of a task's destination and adds rows in order. Without a mean (kind 0) stat holds
// rstd alone, else mean and rstd.
KERNEL norm_grad_w(dest dst, imat segs, int segments, mat x, mat stat, int kind, mat dy, i64 cols) {
	for (i64 k = thread_id(); k < dst.tasks * cols; k += threads()) {
		int t = (int)(k / cols);
		i64 j = k % cols;
		bool any = false;
		float sum = 0;
		for (int s = 0; s < segments; s++) {
			segment g = segment_of(segs, s);
			if (!dst.takes(g, 0, t)) continue;
			any = true;
			for (int i = 0; i < g.n; i++) {
				i64 a = g.act0 + i;
				float xh = kind ? (x.at(a, j) - stat.at(a, 0)) * stat.at(a, 1) : x.at(a, j) * stat.at(a, 0);
				sum += dy.at(g.row0 + i, j) * xh;
			}
		}
		if (any) put(&dst.of(0, t)[j], sum, *dst.flag(0, t));
	}
}

KERNEL softmax(mat y, mat x, i64 rows, i64 cols) {
	for (i64 i = warp_id(); i < rows; i += warps()) {
		float top = -INFINITY, sum = 0;
		for (i64 j = lane(); j < cols; j += 32) top = x.at(i, j) != x.at(i, j) || top != top ? NAN : fmaxf(top, x.at(i, j));
		unsigned bad = __ballot_sync(0xffffffffu, top != top);
		top = bad ? NAN : warp_max(top);
		for (i64 j = lane(); j < cols; j += 32) sum += expf(x.at(i, j) - top);
		sum = warp_sum(sum);
		for (i64 j = lane(); j < cols; j += 32) y.at(i, j) = expf(x.at(i, j) - top) / sum;
	}
}

KERNEL softmax_grad(mat dx, mat y, mat dy, const int* act, i64 rows, i64 cols, int accumulate) {
	for (i64 c = warp_id(); c < rows; c += warps()) {
		i64 a = row_of(act, c);
		float in = 0;
		for (i64 j = lane(); j < cols; j += 32) in += y.at(a, j) * dy.at(c, j);
		in = warp_sum(in);
		for (i64 j = lane(); j < cols; j += 32) put(&dx.at(c, j), y.at(a, j) * (dy.at(c, j) - in), accumulate);
	}
}
