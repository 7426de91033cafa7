// Functions of one variable and their derivatives, numbered as kernels.Unary.
#pragma once
#include "common.cuh"

enum { IDENTITY, RELU, GELU, SILU, SIGMOID, TANH, EXP, LOG, SQUARE, SOFTPLUS };

__device__ inline float sigmoid(float x) { return 1 / (1 + expf(-x)); }
__device__ inline float normal_cdf(float x) { return erfcf(-x * 0.70710678118654752f) / 2; }

__device__ inline float value_of(int f, float x) {
	switch (f) {
	case RELU: return x != x ? x : fmaxf(x, 0);
	case GELU: return x * normal_cdf(x);
	case SILU: return x * sigmoid(x);
	case SIGMOID: return sigmoid(x);
	case TANH: return tanhf(x);
	case EXP: return expf(x);
	case LOG: return logf(x);
	case SQUARE: return x * x;
	case SOFTPLUS: return x != x ? x : fmaxf(x, 0) + log1pf(expf(-fabsf(x)));
	}
	return x;
}

__device__ inline float slope_of(int f, float x) {
	switch (f) {
	case RELU: return x > 0 ? 1 : x <= 0 ? 0 : x;
	case GELU: return normal_cdf(x) + x * expf(-x * x / 2) * 0.39894228040143268f;
	case SILU: {
		float s = sigmoid(x);
		return s * (1 + x * (1 - s));
	}
	case SIGMOID: return sigmoid(x) * sigmoid(-x);
	case TANH: {
		float y = tanhf(x);
		return (1 - y) * (1 + y);
	}
	case EXP: return expf(x);
	case LOG: return 1 / x;
	case SQUARE: return 2 * x;
	case SOFTPLUS: return sigmoid(x);
	}
	return 1;
}

// Gates, numbered as kernels.Gate.
enum { SWIGLU, GELU_GATE, RELU_GATE, LINEAR_GATE };

// What a gate makes of its (first) half.
__device__ inline float gate_of(int gate, float x) {
	switch (gate) {
	case SWIGLU: return x * sigmoid(x);
	case GELU_GATE: return x * normal_cdf(x);
	case RELU_GATE: return x != x ? x : fmaxf(x, 0);
	}
	return x;
}

// The same with its derivative.
__device__ inline float gate_and_slope(int gate, float x, float& slope) {
	switch (gate) {
	case SWIGLU: {
		float s = sigmoid(x);
		slope = s * (1 + x * (1 - s));
		return x * s;
	}
	case GELU_GATE: {
		float p = normal_cdf(x);
		slope = p + x * expf(-x * x / 2) * 0.39894228040143268f;
		return x * p;
	}
	case RELU_GATE:
		slope = x > 0 ? 1 : x <= 0 ? 0 : x;
		return x != x ? x : fmaxf(x, 0);
	}
	slope = 1;
	return x;
}
