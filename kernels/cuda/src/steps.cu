// What lets a step run to its end without the host: kernels/op_steps.go.
#include "common.cuh"

enum { TABLE = 3, LINE = 16, PARTS = 16 };

// Whether a parameter of a group has a gradient of a task.
__device__ inline bool some_of(imat touched, int lo, int hi, int t) {
	for (int i = lo; i < hi; i++)
		if (touched.at(i, t)) return true;
	return false;
}

KERNEL settle_present(imat touched, const int* first, int groups, int m, const int* active, imat present, int conjoin) {
	for (i64 k = thread_id(); k < (i64)groups * m; k += threads()) {
		int g = (int)(k / m), t = (int)(k % m);
		bool some = some_of(touched, first[g], first[g + 1], t) && (!active || active[t]);
		if (!some || !conjoin) present.at(g, t) = some;
	}
}

// A part of lines, by the threads of a block.
__device__ inline void clear_lines(float* p, i64 lines, int part) {
	i64 n = lines * LINE;
	for (i64 k = (i64)part * blockDim.x + threadIdx.x; k < n; k += (i64)PARTS * blockDim.x) p[k] = 0;
}

// PARTS blocks for a parameter. groups_of [n] is not stored: first is searched, and few parameters have something to clear.
KERNEL settle_fill(mat rows, float* grad, imat touched, const int* table, const int* first, int groups, int n, int m) {
	for (i64 k = blockIdx.x; k < (i64)n * PARTS; k += gridDim.x) {
		int i = (int)(k / PARTS), part = (int)(k % PARTS);
		const int* e = table + (i64)i * TABLE;
		bool any = false;
		for (int t = 0; t < m; t++) any |= touched.at(i, t) != 0;
		if (grad && e[1] >= 0 && !any) clear_lines(grad + (i64)e[1] * LINE, e[2], part);
		if (!rows.p || e[0] < 0) continue;
		int lo = 0, hi = groups; // the group of i: first[lo] <= i < first[hi]
		while (hi - lo > 1) {
			int mid = (lo + hi) / 2;
			if (first[mid] <= i) lo = mid;
			else hi = mid;
		}
		for (int t = 0; t < m; t++)
			if (!touched.at(i, t) && some_of(touched, first[lo], first[lo + 1], t)) clear_lines(rows.row(t) + (i64)e[0] * LINE, e[2], part);
	}
}

// One block.
KERNEL check(const double* x, i64 n, double* gate) {
	int bad = 0;
	for (i64 i = threadIdx.x; i < n; i += blockDim.x) bad |= !(x[i] - x[i] == 0);
	bad = __syncthreads_or(bad);
	if (threadIdx.x == 0 && bad) gate[0] = NAN;
}

// One thread.
KERNEL clip(const double* sumsq, double* gate, double* scale, double most) {
	double sq = sumsq[0], s = 1;
	if (!(sq - sq == 0 && sq >= 0)) gate[0] = NAN;
	if (most > 0) {
		double r = most / (sqrt(sq) + 1e-6);
		s = r < 1 ? r : 1;
	}
	scale[0] = gate[0] == gate[0] ? s : NAN;
}
