package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/tensor"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/numbers"
	"artel/benchmarks/internal/peak"
)

// productCase is what a worker is told: C [M,N] = A [M,K] B [K,N]. With dtype bf16 both operands lie in memory as bfloat16.
type productCase struct {
	M       int    `json:"m"`
	N       int    `json:"n"`
	K       int    `json:"k"`
	Dtype   string `json:"dtype"`
	Threads int    `json:"threads,omitempty"` // 0: all
	Weights string `json:"weights,omitempty"` // file to take the numbers from; empty: random ones
	Answers string `json:"answers,omitempty"` // file to write the result to; empty: none
}

// serve holds one product ready. Like its rivals it may choose the order of B in memory: the faster one by a short trial.
func serve(raw string) error {
	var c productCase
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		return err
	}
	be, err := open("", c.Dtype)
	if err != nil {
		return err
	}
	if c.Threads == 0 {
		c.Threads = runtime.GOMAXPROCS(0)
	}
	cpu.SetWorkers(c.Threads)
	a, b, err := c.operands()
	if err != nil {
		return err
	}
	out := tensor.New(dtype.F32, c.M, c.N)
	bt := transposed(b)
	if c.Dtype == "bf16" {
		a, b, bt = halves(a), halves(b), halves(bt)
	}
	ways := map[string]kernels.GEMM{"NN": {A: a, B: b, C: out}, "NT": {A: a, B: bt.T(), C: out}}
	flops := 2 * float64(c.M) * float64(c.N) * float64(c.K)
	inner := max(1, int(0.01/(flops/3e11)))
	run := func(way string) float64 {
		g, start := ways[way], time.Now()
		for range inner {
			be.GEMM(g)
		}
		return time.Since(start).Seconds() * 1e3 / float64(inner)
	}
	info := bench.Info{Flops: flops}
	least := 0.0
	for _, way := range []string{"NN", "NT"} {
		be.GEMM(ways[way])
		took := run(way)
		for range 4 {
			took = min(took, run(way))
		}
		if info.Way == "" || took < least {
			info.Way, least = way, took
		}
	}
	if c.Answers != "" {
		if err := numbers.Write(c.Answers, numbers.Array{Name: "c", Shape: []int{c.M, c.N}, Data: out.F32()}); err != nil {
			return err
		}
	}
	if k, ok := peak.Find((&job{bf16: c.Dtype == "bf16"}).peak("")); ok {
		info.Peak = k.Measure(c.Threads)
	}
	bench.Serve(info, 1, func() (float64, error) { return run(info.Way), nil })
	return nil
}

func (c *productCase) operands() (a, b tensor.Tensor, err error) {
	if c.M < 1 || c.N < 1 || c.K < 1 {
		return a, b, fmt.Errorf("kernels: product %d x %d x %d", c.M, c.N, c.K)
	}
	if c.Weights == "" {
		return random(c.M, c.K), random(c.K, c.N), nil
	}
	w, err := numbers.Read(c.Weights)
	if err == nil && (len(w["a"]) != c.M*c.K || len(w["b"]) != c.K*c.N) {
		err = fmt.Errorf("%s: operands of %d and %d numbers, want %d and %d", c.Weights, len(w["a"]), len(w["b"]), c.M*c.K, c.K*c.N)
	}
	if err != nil {
		return a, b, err
	}
	return tensor.FromF32(w["a"], c.M, c.K), tensor.FromF32(w["b"], c.K, c.N), nil
}

// transposed is a copy of b [k,n] in the other order, [n,k].
func transposed(b tensor.Tensor) tensor.Tensor {
	k, n := b.Dim(0), b.Dim(1)
	t := tensor.New(dtype.F32, n, k)
	for i := range k {
		for j := range n {
			t.F32()[j*k+i] = b.F32()[i*n+j]
		}
	}
	return t
}
