package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"artel/data"
	"artel/rng"
)

// problem is a set of tasks with a model and a budget of steps.
type problem struct {
	name, about string
	tasks       []string
	metrics     map[string][]string // by task, "" for all others; losses and errors fall, the others rise
	args        []string            // config
	// source makes the data of a seed; nil for a source that the config names. For tuning, the test split is a part of the training examples.
	source func(seed int, tuning bool) *data.Memory
}

// blocks is a dense model without expand: all of it but the heads is shared.
func blocks(width, hidden int) string {
	return fmt.Sprintf("model={width: %d, dropout: 0, patches: [], blocks: [{mlp: {hidden: %d, gate: gelu}}]}", width, hidden)
}

// problems lists what is run; yeast is left out when its file is not there.
func problems(yeastFile string) ([]*problem, error) {
	var out []*problem
	for _, c := range []struct {
		rho float64
		n   string
	}{{0, "regression-0"}, {0.9, "regression-0.9"}, {-1, "regression-opposed"}} {
		out = append(out, regression(c.n, c.rho))
	}
	out = append(out, &problem{
		name: "multifashion", about: "MultiFashion: 4 tasks on pairs of garments, endless training pairs, 4,000 test pairs; a mixture of 4 experts (top 2) on shared rows; 1,000 steps of 128 rows",
		tasks: []string{"left", "right", "same", "placement"}, metrics: map[string][]string{"": {"accuracy"}, "left": {"accuracy", "loss"}, "right": {"accuracy", "loss"}},
		args: []string{"model={width: 64, dropout: 0, patches: [{side: 6, stride: 3, channels: 16}], blocks: [{moe: {experts: 4, k: 2, hidden: 32, shared_hidden: 32}}]}",
			"tasks={left: {weight: 1}, right: {weight: 1}}", "data.domains.0.source.test_rows=4000", "data.domains.0.source.val_images=1000", "steps=1000", "batch=128"},
	})
	y, err := yeast(yeastFile)
	if os.IsNotExist(err) {
		fmt.Fprintf(os.Stderr, "yeast is left out: there is no %s (surgery/yeast.sh makes it)\n", yeastFile)
		return out, nil
	}
	return append(out, y), err
}

// regression makes four tasks on 16 inputs: y_t = scale_t (sqrt(|rho|) s_t f_0(x) + sqrt(1-|rho|) f_t(x)) + noise, with random networks f of unit variance. rho is the correlation of any two
// tasks; with rho = -1 two of the four tasks are the negative of f_0 plus a function of their own, so that their gradients oppose those of the others.
func regression(name string, rho float64) *problem {
	const tasks, width, train, test = 4, 16, 2000, 2000
	scales := [tasks]float64{1, 1, 4, 0.25}
	p := &problem{name: name, metrics: map[string][]string{"": {"rmse"}}, args: []string{blocks(8, 8), "steps=1500", "batch=64"}}
	p.about = fmt.Sprintf("synthetic regression: 4 tasks with targets of standard deviation 1, 1, 4 and 1/4, correlation %g between tasks, 2,000 training rows; a shared part of width 8; 1,500 steps of 64 rows", rho)
	if rho < 0 {
		p.about = strings.Replace(p.about, "correlation -1 between tasks", "correlation 1/2 or -1/2 between tasks", 1)
	}
	for t := range tasks {
		p.tasks = append(p.tasks, fmt.Sprint("t", t))
	}
	p.source = func(seed int, tuning bool) *data.Memory {
		r := rng.New(uint64(seed)).Sub("regression")
		nets := make([]*network, tasks+1)
		for i := range nets {
			nets[i] = newNetwork(width, &r)
		}
		m := &data.Memory{Name: name, Width: width, Test: test}
		m.Values = make([][]float32, tasks)
		for _, n := range p.tasks {
			m.Tasks = append(m.Tasks, data.TaskSpec{Name: n, Outputs: 1})
		}
		x := make([]float64, width)
		rows := train + test
		if tuning {
			rows, m.Test = train, train/4
		}
		for range rows {
			for i := range x {
				x[i] = r.Normal()
				m.Dense = append(m.Dense, float32(x[i]))
			}
			common := nets[0].of(x)
			for t := range tasks {
				a, b := math.Sqrt(math.Abs(rho)), math.Sqrt(1-math.Abs(rho))
				if rho < 0 {
					a, b = math.Sqrt(0.5)*float64(1-2*(t%2)), math.Sqrt(0.5)
				}
				y := scales[t] * (a*common + b*nets[t+1].of(x) + 0.3*r.Normal())
				m.Values[t] = append(m.Values[t], float32(y))
			}
		}
		return m
	}
	return p
}

// network is a random function: sum_h v_h tanh(<w_h, x>), brought to unit variance.
type network struct {
	w [][]float64
	v []float64
}

func newNetwork(width int, r *rng.Stream) *network {
	const hidden = 6
	n := &network{}
	for range hidden {
		w := make([]float64, width)
		for i := range w {
			w[i] = 1.5 * r.Normal() / math.Sqrt(float64(width))
		}
		n.w, n.v = append(n.w, w), append(n.v, r.Normal())
	}
	var sum float64
	const probes = 500
	x := make([]float64, width)
	for range probes {
		for i := range x {
			x[i] = r.Normal()
		}
		y := n.of(x)
		sum += y * y / probes
	}
	for h := range n.v {
		n.v[h] /= math.Sqrt(sum)
	}
	return n
}

func (n *network) of(x []float64) (y float64) {
	for h, w := range n.w {
		var s float64
		for i, v := range w {
			s += v * x[i]
		}
		y += n.v[h] * math.Tanh(s)
	}
	return y
}

// yeast reads the multi-label set of Elisseeff & Weston (2001): 2,417 genes, 103 measurements, 14 functions that a gene has or has not. The split is drawn by the seed.
func yeast(path string) (*problem, error) {
	const width, tasks, test = 103, 14, 717
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var dense [][]float32
	var labels [][]int32
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		fields := strings.Split(sc.Text(), ",")
		if len(fields) != width+tasks {
			return nil, fmt.Errorf("%s: %d fields, want %d", path, len(fields), width+tasks)
		}
		if strings.HasPrefix(fields[0], "Att") {
			continue
		}
		x, y := make([]float32, width), make([]int32, tasks)
		for i, s := range fields {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			if i < width {
				x[i] = float32(10 * v) // measurements are about 0.1
			} else {
				y[i-width] = int32(v)
			}
		}
		dense, labels = append(dense, x), append(labels, y)
	}
	p := &problem{name: "yeast", metrics: map[string][]string{"": {"loss", "accuracy"}}, args: []string{blocks(32, 64), "steps=60", "batch=128"}}
	p.about = "yeast (Elisseeff & Weston 2001, from the package river): 14 functions of 2,417 genes by 103 measurements, 1,700 training rows; a shared part of width 32; 60 steps of 128 rows, near the best number for single-task and for joint models on held-out rows"
	for t := range tasks {
		p.tasks = append(p.tasks, fmt.Sprint("f", t+1))
	}
	p.source = func(seed int, tuning bool) *data.Memory {
		m := &data.Memory{Name: p.name, Width: width, Test: test, Labels: make([][]int32, tasks)}
		for _, n := range p.tasks {
			m.Tasks = append(m.Tasks, data.TaskSpec{Name: n, Classes: []string{"no", "yes"}})
		}
		order := make([]int, len(dense))
		s := rng.New(uint64(seed)).Sub("yeast")
		s.Perm(order)
		if tuning {
			order, m.Test = order[:len(order)-test], 400
		}
		for _, i := range order {
			m.Dense = append(m.Dense, dense[i]...)
			for t, l := range labels[i] {
				m.Labels[t] = append(m.Labels[t], l)
			}
		}
		return m
	}
	return p, sc.Err()
}
