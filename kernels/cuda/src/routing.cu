// Between tokens and experts: kernels/op_routing.go.
#include "common.cuh"

// x before y in falling order, ties to the lower column, NaN last.
__device__ inline bool before(float x, i64 i, float y, i64 j) {
	if (x > y || (y != y && x == x)) return true;
	return (x == y || (x != x && y != y)) && i < j;
}

KERNEL top_k(mat x, mat src, imat index, mat value, i64 rows, i64 cols, int k) {
	for (i64 i = thread_id(); i < rows; i += threads()) {
		i64 last = -1;
		for (int q = 0; q < k; q++) {
			i64 best = -1;
			for (i64 j = 0; j < cols; j++) {
				if (last >= 0 && !before(x.at(i, last), last, x.at(i, j), j)) continue; // picked already
				if (best < 0 || before(x.at(i, j), j, x.at(i, best), best)) best = j;
			}
			index.at(i, q) = (int)best;
			value.at(i, q) = src.at(i, best);
			last = best;
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
