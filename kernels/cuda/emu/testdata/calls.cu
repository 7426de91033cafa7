// Device functions that stay calls: direct, recursive, through pointers and tables, with structures, with printf and assert.
#include <assert.h>
#include <stdio.h>

struct Pair {
	float x;
	double y;
	int n;
};

extern "C" {

__device__ __noinline__ int add3(int a, int b, int c) { return a + b * c; }

__device__ __noinline__ long long mix(long long a, short b, unsigned char c) { return a * 3 + b - c; }

// Structures are given and returned in memory.
__device__ __noinline__ Pair swap(Pair p, float d) {
	Pair q;
	q.x = (float)p.y + d;
	q.y = p.x;
	q.n = add3(p.n, 2, 3);
	return q;
}

__global__ void structures(const int *in, double *out) {
	int i = threadIdx.x;
	Pair p = {(float)in[i], in[i] * 0.5, i};
	if (in[i] % 3 == 0) // some lanes only
		p = swap(p, 0.25f);
	out[3 * i] = p.x;
	out[3 * i + 1] = p.y;
	out[3 * i + 2] = p.n + mix(in[i], (short)-i, (unsigned char)i);
}

// Recursion of a depth that differs by lane, with work after the inner calls.
__device__ __noinline__ int fibonacci(int n) {
	int buffer[4];
	for (int i = 0; i < 4; i++)
		buffer[i] = n + i;
	if (n < 2)
		return n;
	int a = fibonacci(n - 1), b = fibonacci(n - 2);
	return a + b + buffer[n & 3] - n - (n & 3);
}

__device__ __noinline__ int isOdd(unsigned n);
__device__ __noinline__ int isEven(unsigned n) { return n == 0 ? 1 : isOdd(n - 1); }
__device__ __noinline__ int isOdd(unsigned n) { return n == 0 ? 0 : isEven(n - 1); }

__global__ void recursive(const int *in, int *out) {
	int i = threadIdx.x;
	out[2 * i] = fibonacci(in[i]);
	out[2 * i + 1] = isEven(in[i]) * 10 + isOdd(in[i]);
}

__device__ float twice(float x) { return x + x; }
__device__ float square(float x) { return x * x; }
__device__ float negative(float x) { return -x; }

typedef float (*function)(float);
__device__ function table[3] = {twice, square, negative};

// Every lane may call another function.
__global__ void pointers(const float *in, const int *which, float *out) {
	int i = threadIdx.x;
	function f = table[which[i]];
	out[i] = f(in[i]) + 1;
}

// A barrier in a function, and lanes that end the thread there.
__device__ __noinline__ void stage(float *shared, float v, bool leave) {
	if (leave)
		asm volatile("exit;");
	shared[threadIdx.x] = v;
	__syncthreads();
}

__global__ void barriers(const float *in, float *out, int alive) {
	__shared__ float s[64];
	int i = threadIdx.x;
	s[i] = 0;
	__syncthreads();
	stage(s, in[i], i >= alive);
	out[i] = s[(i + 1) % alive];
}

__device__ __noinline__ void divergent(float *shared, float v) {
	shared[threadIdx.x] = v;
	__syncthreads();
}

__global__ void divergent_barrier(float *out) {
	__shared__ float s[64];
	if (threadIdx.x & 1)
		divergent(s, 1);
	out[threadIdx.x] = s[threadIdx.x];
}

__global__ void talk(const int *in, int n) {
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i < n)
		printf("thread %d: %5.2f %s %c %lld %#x %%\n", i, in[i] * 0.25, i ? "later" : "first", 'a' + i, (long long)in[i] << 33, in[i]);
}

__global__ void check(const int *in, int limit) {
	assert(in[threadIdx.x] < limit);
}

__global__ void memory(int **out, int n) {
	int *p = (int *)malloc(n * sizeof(int));
	for (int i = 0; i < n; i++)
		p[i] = threadIdx.x * 100 + i;
	out[threadIdx.x] = p;
}

} // extern "C"

struct Shape {
	__device__ virtual float area() const = 0;
	__device__ virtual float scaled(float s) const { return s * area(); }
};

struct Square : Shape {
	float a;
	__device__ Square(float a) : a(a) {}
	__device__ float area() const override { return a * a; }
};

struct Circle : Shape {
	float r;
	__device__ Circle(float r) : r(r) {}
	__device__ float area() const override { return 3 * r * r; }
	__device__ float scaled(float s) const override { return s + area(); }
};

extern "C" __global__ void methods(const float *in, float *out) {
	Square s(in[threadIdx.x]);
	Circle c(in[threadIdx.x]);
	const Shape *p = threadIdx.x % 3 == 0 ? (const Shape *)&s : &c;
	out[threadIdx.x] = p->scaled(2);
}
