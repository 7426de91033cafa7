// The routing plan: a stable counting sort of picks by expert, then the segments of (expert, task). kernels/op_routing.go, RoutePlan.
#include "common.cuh"

// Picks are numbered t*k + q. A chunk is 256 of them.
enum { CHUNK = 256 };

// chunks [C,E]: picks of every expert in every chunk; a block per chunk.
KERNEL plan_histogram(imat index, i64 picks, int k, int experts, int* chunks) {
	__shared__ int pick[CHUNK];
	for (i64 b = blockIdx.x; b * CHUNK < picks; b += gridDim.x) {
		i64 n = b * CHUNK + threadIdx.x;
		__syncthreads();
		pick[threadIdx.x] = n < picks ? index.at(n / k, n % k) : -1;
		__syncthreads();
		for (int e = threadIdx.x; e < experts; e += CHUNK) {
			int c = 0;
			for (int i = 0; i < CHUNK; i++) c += pick[i] == e;
			chunks[b * experts + e] = c;
		}
	}
}

// Turns counts by chunk into picks before the chunk, and fills Count and Off. One block.
KERNEL plan_scan(int* chunks, i64 nchunks, int experts, int capacity, int* count, int* off) {
	for (int e = threadIdx.x; e < experts; e += blockDim.x) {
		int sum = 0;
		for (i64 b = 0; b < nchunks; b++) {
			int c = chunks[b * experts + e];
			chunks[b * experts + e] = sum;
			sum += c;
		}
		count[e] = sum;
	}
	__syncthreads();
	if (threadIdx.x == 0) {
		int at = 0, dropped = 0;
		off[0] = 0;
		for (int e = 0; e < experts; e++) {
			int kept = capacity > 0 && count[e] > capacity ? capacity : count[e];
			dropped += count[e] - kept;
			off[e + 1] = at += kept;
		}
		count[experts] = dropped;
	}
}

// Gives every pick its routed row; a block per chunk.
KERNEL plan_place(imat index, i64 picks, int k, int experts, const int* chunks, const int* off, int* token, int* slot, imat inv) {
	__shared__ int pick[CHUNK];
	for (i64 b = blockIdx.x; b * CHUNK < picks; b += gridDim.x) {
		i64 n = b * CHUNK + threadIdx.x;
		__syncthreads();
		int e = pick[threadIdx.x] = n < picks ? index.at(n / k, n % k) : -1;
		__syncthreads();
		if (n >= picks) continue;
		int r = -1;
		if (e >= 0) {
			int rank = chunks[b * experts + e];
			for (int i = 0; i < (int)threadIdx.x; i++) rank += pick[i] == e;
			if (off[e] + rank < off[e + 1]) {
				r = off[e] + rank;
				token[r] = (int)(n / k);
				slot[r] = (int)n;
			}
		}
		inv.at(n / k, n % k) = r;
	}
}

// The first routed row of expert e whose token is at least t.
__device__ inline int first_row(const int* token, int lo, int hi, int t) {
	while (lo < hi) {
		int mid = (lo + hi) / 2;
		if (token[mid] < t) lo = mid + 1;
		else hi = mid;
	}
	return lo;
}

// Row e*S+s of segs: {e, task, first routed row, first routed cotangent row, n}; the latter is the former unless stacked, and is filled in by plan_cot_offsets.
KERNEL plan_segments(const int* token, const int* off, imat token_segs, int segments, int experts, imat segs) {
	for (i64 n = thread_id(); n < (i64)experts * segments; n += threads()) {
		int e = (int)(n / segments), s = (int)(n % segments);
		segment g = segment_of(token_segs, s);
		int lo = first_row(token, off[e], off[e + 1], g.act0), hi = first_row(token, off[e], off[e + 1], g.act0 + g.n);
		int* out = segs.row(n);
		out[0] = e;
		out[1] = g.task;
		out[2] = out[3] = lo;
		out[4] = hi - lo;
	}
}

// First routed cotangent rows, one after the other. One thread.
KERNEL plan_cot_offsets(imat segs, int segments, int experts, int* coff) {
	int at = 0;
	coff[0] = 0;
	for (int e = 0; e < experts; e++) {
		for (int s = 0; s < segments; s++) {
			int* g = segs.row((i64)e * segments + s);
			g[3] = at;
			at += g[4];
		}
		coff[e + 1] = at;
	}
}

// The cotangent side of every segment; a block per segment.
KERNEL plan_cotangents(imat segs, imat token_segs, int segments, int experts, int k, const int* token, const int* slot, int* ctoken, int* cact, imat cinv) {
	for (i64 b = blockIdx.x; b < (i64)experts * segments; b += gridDim.x) {
		segment g = segment_of(segs, b), t = segment_of(token_segs, b % segments);
		for (int i = threadIdx.x; i < g.n; i += blockDim.x) {
			int r = g.act0 + i, pos = g.row0 + i, c = t.row0 + token[r] - t.act0;
			ctoken[pos] = c;
			cact[pos] = r;
			cinv.at(c, slot[r] % k) = pos;
		}
	}
}
