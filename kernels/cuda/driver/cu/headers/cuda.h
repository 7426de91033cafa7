/*
 * Lies before the real cuda.h on the include path (-I), so that gorgonia.org/cu v0.9.6 compiles against CUDA 13: headers of CUDA 13 map five
 * names to entry points with more arguments, and this maps them back to those that programs for CUDA 12 link. The same idea is used by
 * programs that keep one source for both: undefine the macro, declare the older form.
 */
#include_next <cuda.h>
#if CUDA_VERSION >= 13000 && !defined(ARTEL_CUDA12_NAMES)
#define ARTEL_CUDA12_NAMES
#undef cuCtxCreate
#undef cuMemAdvise
#undef cuMemPrefetchAsync
#undef cuGraphGetEdges
#undef cuGraphAddDependencies
#define cuCtxCreate cuCtxCreate_v2
CUresult CUDAAPI cuCtxCreate_v2(CUcontext *ctx, unsigned int flags, CUdevice dev);
CUresult CUDAAPI cuMemAdvise(CUdeviceptr p, size_t n, CUmem_advise advice, CUdevice dev);
CUresult CUDAAPI cuMemPrefetchAsync(CUdeviceptr p, size_t n, CUdevice dev, CUstream s);
CUresult CUDAAPI cuGraphGetEdges(CUgraph g, CUgraphNode *from, CUgraphNode *to, size_t *n);
CUresult CUDAAPI cuGraphAddDependencies(CUgraph g, const CUgraphNode *from, const CUgraphNode *to, size_t n);
#endif
