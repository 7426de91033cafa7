// Between tokens and experts: kernels/op_routing.go.
#include "common.cuh"

// x before y in falling order, ties to the lower column, NaN last.
__device__ inline bool before(float x, i64 i, float y, i64 j) {
	if (x > y || (y != y && x == x)) return true;
	return (x == y || (x != x && y != y)) && i < j;
}

// So many lanes (8, 16 or 32) look at a row together, so that a warp reads whole sectors; a lane keeps every so manieth pick, so that it writes them too.
KERNEL top_k(mat x, mat src, imat index, mat value, i64 rows, i64 cols, int k, int lanes) {
	int l = threadIdx.x % lanes, per = 32 / lanes;
	for (i64 r0 = warp_id() * per; r0 < rows; r0 += warps() * per) {
		i64 i = r0 + lane() / lanes;
		bool real = i < rows;
		int last = -1, mine = 0;
		float bar = 0;
		for (int q = 0; q < k; q++) {
			int best = -1;
			float top = 0;
			for (int j = l; j < cols && real; j += lanes) {
				float v = x.at(i, j);
				if (last >= 0 && !before(bar, last, v, j)) continue; // picked already
				if (best < 0 || before(v, j, top, best)) best = j, top = v;
			}
			for (int d = lanes / 2; d > 0; d /= 2) {
				float v = __shfl_xor_sync(0xffffffffu, top, d);
				int j = __shfl_xor_sync(0xffffffffu, best, d);
				if (j >= 0 && (best < 0 || before(v, j, top, best))) best = j, top = v;
			}
			last = best, bar = top;
			if (q % lanes == l) mine = best;
			if (real && (q % lanes == lanes - 1 || q == k - 1)) {
				int at = q / lanes * lanes + l;
				if (at < k) {
					index.at(i, at) = mine;
					value.at(i, at) = src.at(i, mine);
				}
			}
		}
	}
}

KERNEL top_k_grad(mat dx, imat index, mat dv, const int* act, i64 rows, i64 cols, int k, int accumulate) {
	for (i64 c = thread_id(); c < rows; c += threads()) {
		i64 a = row_of(act, c);
		for (i64 j = 0; j < cols && !accumulate; j++) dx.at(c, j) = 0;
		for (int q = 0; q < k; q++)
			if (index.at(a, q) >= 0) dx.at(c, index.at(a, q)) += dv.at(c, q);
	}
}

KERNEL row_normalize(mat y, mat x, i64 rows, i64 cols) {
	for (i64 i = thread_id(); i < rows; i += threads()) {
		float s = 0;
		for (i64 j = 0; j < cols; j++) s += x.at(i, j);
		for (i64 j = 0; j < cols; j++) y.at(i, j) = x.at(i, j) / s;
	}
}

KERNEL row_normalize_grad(mat dx, mat x, mat y, mat dy, const int* act, i64 rows, i64 cols, int accumulate) {
	for (i64 c = thread_id(); c < rows; c += threads()) {
		i64 a = row_of(act, c);
		float s = 0, in = 0;
		for (i64 j = 0; j < cols; j++) {
			s += x.at(a, j);
			in += dy.at(c, j) * y.at(a, j);
		}
		for (i64 j = 0; j < cols; j++) put(&dx.at(c, j), (dy.at(c, j) - in) / s, accumulate);
	}
}

KERNEL gather_sum(mat dst, mat src, imat inv, mat w, i64 rows, i64 cols, int k, int accumulate) {
	for (i64 n = thread_id(); n < rows * cols; n += threads()) {
		i64 t = n / cols, j = n % cols;
		float s = 0;
		for (int q = 0; q < k; q++) {
			int r = inv.at(t, q);
			if (r >= 0) s += w.p ? w.at(t, q) * src.at(r, j) : src.at(r, j);
		}
		put(&dst.at(t, j), s, accumulate);
	}
}

// A thread counts one (set, expert), or the rows of a set in the last column.
KERNEL count_picks(imat index, const int* set, imat count, int* in_set, i64 rows, int k, i64 sets, i64 experts) {
	for (i64 n = thread_id(); n < sets * (experts + 1); n += threads()) {
		i64 s = n / (experts + 1), e = n % (experts + 1);
		int c = 0;
		for (i64 i = 0; i < rows; i++) {
			if (set[i] != s) continue;
			if (e == experts) c++;
			else
				for (int q = 0; q < k; q++) c += index.at(i, q) == e;
		}
		if (e == experts) in_set[s] = c;
		else count.at(s, e) = c;
	}
}
