// Package lines is what the workers of Go engines share: the cases that they are told (see package bench), operands, and the files of answers.
package lines

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"slices"
	"strings"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/numbers"
)

// Case is a matrix product C [m,n] = A [m,k] B [k,n], or with T > 0 a mixture layer: T tokens of width D, E experts with F hidden units, K of them per token.
type Case struct {
	M       int    `json:"m"`
	N       int    `json:"n"`
	Depth   int    `json:"k"`
	T       int    `json:"T"`
	D       int    `json:"D"`
	F       int    `json:"F"`
	E       int    `json:"E"`
	K       int    `json:"K"`
	Way     string `json:"way"`     // in which form the engine computes a layer
	Weights string `json:"weights"` // file to take the numbers from; empty: random ones
	Answers string `json:"answers"` // file to write the results to; empty: none
}

// Layer is a case with its operands: X and DY [T,D], Router [D,E], Gate and Up [E,D,F], Down [E,F,D].
type Layer struct {
	Case
	X, DY, Router, Gate, Up, Down []float32
}

// Answers are the results of one step by name: "c" of a product; "y", "dx", "drouter", "dgate", "dup" and "ddown" of a layer.
type Answers map[string][]float32

// Step runs a case once. With want it returns the answers, which may share memory with the engine.
type Step func(want bool) (Answers, error)

// Engine makes the steps of the cases that it has.
type Engine struct {
	Product func(c *Case, a, b []float32) (Step, error)
	Layer   func(l *Layer) (Step, error) // nil: it has no layers
}

// Serve is the main function of a worker.
func Serve(e Engine) {
	raw := flag.String("worker", "", "the case as JSON; see package bench")
	flag.Parse()
	if *raw == "" {
		log.Fatal("this program is a worker of the comparison: go run ./compare in benchmarks")
	}
	var c Case
	step, info, err := Step(nil), bench.Info{}, json.Unmarshal([]byte(*raw), &c)
	if err == nil {
		step, info, err = prepare(e, &c)
	}
	if err != nil {
		bench.Fail(err)
		return
	}
	if c.Answers != "" {
		got, err := step(true)
		if err == nil {
			err = write(c.Answers, got)
		}
		if err != nil {
			bench.Fail(err)
			return
		}
		bench.Serve(info, 0, nil)
		return
	}
	bench.Serve(info, 1, func() (float64, error) {
		_, err := step(false)
		return 0, err
	})
}

func prepare(e Engine, c *Case) (step Step, info bench.Info, err error) {
	defer func() {
		if r := recover(); r != nil { // engines panic where they could return an error
			err = fmt.Errorf("%v", r)
			err = fmt.Errorf("%s", strings.SplitN(err.Error(), "\n", 2)[0])
		}
	}()
	var w map[string][]float32
	if c.Weights != "" {
		if w, err = numbers.Read(c.Weights); err != nil {
			return nil, info, err
		}
	}
	get := func(name string, n int, std float64, seed uint64) []float32 {
		if w == nil {
			return numbers.Normal(n, std, seed)
		}
		if len(w[name]) != n {
			panic(fmt.Sprintf("%s: %s has %d numbers, want %d", c.Weights, name, len(w[name]), n))
		}
		return w[name]
	}
	if c.T == 0 {
		info.Flops = 2 * float64(c.M) * float64(c.N) * float64(c.Depth)
		step, err = e.Product(c, get("a", c.M*c.Depth, 1, 1), get("b", c.Depth*c.N, 1, 2))
		return step, info, err
	}
	if e.Layer == nil {
		return nil, info, fmt.Errorf("this engine has no layer")
	}
	info.Flops, info.Tokens = 18*float64(c.T*c.K)*float64(c.D*c.F), float64(c.T)
	l := Layer{Case: *c}
	bank := c.E * c.D * c.F
	l.X, l.DY, l.Router = get("x", c.T*c.D, 1, 1), get("dy", c.T*c.D, 1, 2), get("router", c.D*c.E, 0.05, 3)
	l.Gate, l.Up, l.Down = get("gate", bank, 0.1, 4), get("up", bank, 0.1, 5), get("down", bank, 0.1, 6)
	step, err = e.Layer(&l)
	return step, info, err
}

func write(path string, a Answers) error {
	var all []numbers.Array
	for _, name := range slices.Sorted(maps.Keys(a)) {
		all = append(all, numbers.Array{Name: name, Shape: []int{len(a[name])}, Data: a[name]})
	}
	return numbers.Write(path, all...)
}

// Picks returns the K experts of each token with the largest logits, best first, [T*K]: for engines that cannot pick.
func (l *Layer) Picks() []int {
	picks := make([]int, 0, l.T*l.K)
	logits := make([]float64, l.E)
	for t := range l.T {
		clear(logits)
		for d, x := range l.X[t*l.D:][:l.D] {
			for e, w := range l.Router[d*l.E:][:l.E] {
				logits[e] += float64(x) * float64(w)
			}
		}
		for range l.K {
			best := 0
			for e, v := range logits {
				if v > logits[best] {
					best = e
				}
			}
			picks = append(picks, best)
			logits[best] = -1e300
		}
	}
	return picks
}

// MaxLoad is the number of rows of the fullest expert.
func MaxLoad(picks []int, experts int) int {
	load := make([]int, experts)
	for _, e := range picks {
		load[e]++
	}
	return slices.Max(load)
}
