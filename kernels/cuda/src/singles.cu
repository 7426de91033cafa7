// Products in float32 without tensor cores, for exact comparison and everything that is not rounded: in tiles of 64 x 64, and large ones of 128 x 128;
// and of few rows, rounded or not.
#include "single.cuh"
#include "thin.cuh"

typedef single<64, 1> small_tile;
typedef single<128, 2> large_tile;

#define SHARED(E) __shared__ __align__(16) E::shared sh
#define SMALL(name) name
#define LARGE(name) name##_large

#define THIN(name) name##_thin

PRODUCTS(small_tile, SMALL)
PRODUCTS(large_tile, LARGE)
GEMM(thin, THIN)
