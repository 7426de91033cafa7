// Products with operands rounded to bfloat16, on tensor cores; operands of any type, size and alignment.
#include "tensorcore.cuh"

#define SHARED(E) __shared__ __align__(16) E::shared sh
#define NAME(name) name##_bf16

PRODUCTS(rounding, NAME)
