/* A CUDA driver for the test: memory is the host's, streams run at once, and the only kernel writes down how it was launched. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int R;
typedef uintptr_t H;
static int capturing, launches, calls;
static struct { void (*f)(void *); void *user; } recorded[8];

static void *call(void *i) { recorded[(H)i].f(recorded[(H)i].user); return 0; }
/* A host function runs on a thread that is not the caller's. */
static R host(int i) { pthread_t t; return pthread_create(&t, 0, call, (void *)(H)i) || pthread_join(t, 0); }

R cuInit(unsigned f) { return f == 0 ? 0 : 1; }
R cuDriverGetVersion(int *v) { *v = 12040; return 0; }
R cuDeviceGet(int *d, int i) { if (i) return 101; *d = 7; return 0; }
R cuDeviceGetCount(int *n) { *n = 1; return 0; }
R cuDeviceGetName(char *s, int n, int d) { if (d != 7) return 101; strncpy(s, "Stub 9000", n); return 0; }
R cuDeviceGetUuid_v2(char *u, int d) { memset(u, d, 16); return 0; }
R cuDeviceGetAttribute(int *v, int a, int d) { if (d != 7) return 101; *v = a == 75 ? 9 : a == 76 ? 0 : a; return 0; }
R cuDeviceTotalMem_v2(size_t *n, int d) { *n = (size_t)80 << 30; return 0; }
R cuDevicePrimaryCtxRetain(H *c, int d) { if (d != 7) return 101; *c = 11; return 0; }
R cuDevicePrimaryCtxRelease_v2(int d) { return d == 7 ? 0 : 101; }
R cuCtxSetCurrent(H c) { return c == 11 ? 0 : 201; }
R cuCtxSynchronize(void) { return 0; }
R cuMemGetInfo_v2(size_t *f, size_t *t) { *f = 5; *t = (size_t)80 << 30; return 0; }

R cuModuleLoadDataEx(H *m, const char *image, unsigned n, int *opt, void **val) {
	for (unsigned i = 0; i < n; i++) {
		if (opt[i] == 3) strcpy(val[i], "info : 0 bytes spilled");
		if (opt[i] == 5 && strcmp(image, "ptx")) strcpy(val[i], "ptxas fatal : line 1: what");
	}
	if (strcmp(image, "ptx")) return 218;
	*m = 21;
	return 0;
}
R cuModuleUnload(H m) { return m == 21 ? 0 : 400; }
R cuModuleGetFunction(H *f, H m, const char *name) { if (m != 21) return 400; if (strcmp(name, "note")) return 500; *f = 31; return 0; }
R cuModuleGetGlobal_v2(uint64_t *p, size_t *n, H m, const char *name) { if (strcmp(name, "table")) return 500; *p = 1000; *n = 64; return 0; }
R cuFuncGetAttribute(int *v, int a, H f) { *v = 100 + a; return 0; }
R cuFuncSetAttribute(H f, int a, int v) { return f == 31 && a == 8 && v <= 232448 ? 0 : 1; }

R cuLaunchKernel(H f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, H s, void **params, void **extra) {
	if (f != 31 || params || extra[0] != (void *)1 || extra[2] != (void *)2 || extra[4]) return 1;
	launches++;
	if (capturing) return 0;
	size_t n = *(size_t *)extra[3];
	unsigned *out = *(unsigned **)extra[1];
	unsigned v[] = {gx, gy, gz, bx, by, bz, shared, (unsigned)s, (unsigned)n, ((unsigned *)extra[1])[2]};
	memcpy(out, v, sizeof v);
	return 0;
}

R cuMemAlloc_v2(uint64_t *p, size_t n) { if (n >> 40) return 2; *p = (uint64_t)aligned_alloc(256, (n + 255) & ~(size_t)255); return 0; }
R cuMemFree_v2(uint64_t p) { free((void *)p); return 0; }
R cuMemAllocAsync(uint64_t *p, size_t n, H s) { return cuMemAlloc_v2(p, n); }
R cuMemFreeAsync(uint64_t p, H s) { return cuMemFree_v2(p); }
R cuMemHostAlloc(void **p, size_t n, unsigned flags) { if (flags != 3) return 1; return cuMemAlloc_v2((uint64_t *)p, n); }
R cuMemHostGetDevicePointer_v2(uint64_t *d, void *p, unsigned flags) { *d = (uint64_t)p; return 0; }
R cuMemFreeHost(void *p) { free(p); return 0; }
R cuMemcpyHtoD_v2(uint64_t d, void *s, size_t n) { memcpy((void *)d, s, n); return 0; }
R cuMemcpyDtoH_v2(void *d, uint64_t s, size_t n) { memcpy(d, (void *)s, n); return 0; }
R cuMemcpyHtoDAsync_v2(uint64_t d, void *s, size_t n, H h) { memcpy((void *)d, s, n); return 0; }
R cuMemcpyDtoHAsync_v2(void *d, uint64_t s, size_t n, H h) { memcpy(d, (void *)s, n); return 0; }
R cuMemcpyDtoDAsync_v2(uint64_t d, uint64_t s, size_t n, H h) { memcpy((void *)d, (void *)s, n); return 0; }
R cuMemsetD8Async(uint64_t d, unsigned char v, size_t n, H s) { memset((void *)d, v, n); return 0; }
R cuMemsetD32Async(uint64_t d, unsigned v, size_t n, H s) { while (n--) ((unsigned *)d)[n] = v; return 0; }

R cuStreamCreate(H *s, unsigned flags) { if (flags != 1) return 1; *s = 41; return 0; }
R cuStreamDestroy_v2(H s) { return s == 41 ? 0 : 400; }
R cuStreamSynchronize(H s) { return capturing ? 900 : s == 41 ? 0 : 400; }
R cuStreamWaitEvent(H s, H e, unsigned flags) { return e == 51 && !flags ? 0 : 400; }
R cuEventCreate(H *e, unsigned flags) { *e = flags == 0 ? 51 : 52; return 0; }
R cuEventDestroy_v2(H e) { return 0; }
R cuEventRecord(H e, H s) { return s == 41 ? 0 : 400; }
R cuEventSynchronize(H e) { return 0; }
R cuEventElapsedTime(float *ms, H a, H b) { *ms = 1.5f; return a == 51 && b == 51 ? 0 : 400; }
R cuEventElapsedTime_v2(float *ms, H a, H b) { return cuEventElapsedTime(ms, a, b); } /* the name in headers of CUDA 13 */

R cuLaunchHostFunc(H s, void (*f)(void *), void *user) {
	if (s != 41) return 400;
	int i = capturing ? calls++ : 7;
	recorded[i].f = f;
	recorded[i].user = user;
	return capturing ? 0 : host(i);
}
R cuStreamBeginCapture_v2(H s, int mode) { if (mode != 2) return 1; capturing = 1; launches = calls = 0; return 0; }
R cuStreamEndCapture(H s, H *g) { capturing = 0; *g = 60 + launches; return 0; }
R cuGraphInstantiateWithFlags(H *x, H g, uint64_t flags) { *x = g + 10; return flags ? 1 : 0; }
R cuGraphExecUpdate_v2(H x, H g, void *info) { memset(info, 1, 24); return x == g + 10 ? 0 : 910; }
R cuGraphLaunch(H x, H s) { if (s != 41) return 400; for (int i = 0; i < calls; i++) if (host(i)) return 999; return 0; }
R cuGraphDestroy(H g) { return 0; }
R cuGraphExecDestroy(H x) { return 0; }

R cuTensorMapEncodeTiled(unsigned char *m, int type, unsigned rank, void *base, uint64_t *dims, uint64_t *strides, unsigned *box, unsigned *steps, int interleave, int swizzle, int l2, int fill) {
	if ((uintptr_t)m & 63 || interleave) return 1;
	unsigned v[] = {(unsigned)type, rank, (unsigned)(uintptr_t)base, (unsigned)dims[1], (unsigned)strides[0], box[1], steps[0], (unsigned)swizzle, (unsigned)l2, (unsigned)fill};
	memcpy(m, v, sizeof v);
	return 0;
}
