package main

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"log"
	"math"
	"os"
	"strconv"

	"artel/config"
	"artel/data"
	"artel/engine"
	"artel/rng"
)

// problem is a set of tasks with a model for it.
type problem struct {
	name, about string
	tasks       []string
	base        string // config
	// source returns the examples; with tuning, the test split is a part of the training examples instead. nil: the config's own source.
	source func(tuning bool) *data.Memory
}

// problems lists what can be run here.
func problems(digits string) []problem {
	out := []problem{
		{
			name: "fashion", about: "MultiFashion, the demo's model, 800 steps of 128 rows", tasks: []string{"left", "right", "same", "placement"},
			base: "{steps: 800, batch: 128, eval: {every: 0}, optimizer: {lr: 3.0e-3}}",
		},
		regressions("aligned", "four regressions whose targets are nearly one direction of eight features (correlation 0.9)", func(int) float64 { return 0.9 }),
		regressions("unrelated", "four regressions on independent directions of eight features", func(int) float64 { return 0 }),
		regressions("opposed", "four regressions, two of them the negative of the others (correlation 0.9 and -0.9)", func(t int) float64 { return 0.9 - 1.8*float64(t%2) }),
	}
	if digits == "" {
		log.Print("digits: left out; -digits names the file")
		return out
	}
	x, y, err := readDigits(digits)
	if err != nil {
		log.Fatal(err)
	}
	return append(out, problem{
		name: "digits", about: "1,797 handwritten digits as tables of 64 numbers: digit (10 classes), parity, at least five; a mixture of four experts", tasks: []string{"digit", "parity", "large"},
		base: `{steps: 600, batch: 64, eval: {every: 0}, optimizer: {lr: 3.0e-3}, model: {width: 32, dropout: 0, patches: [], blocks: [{moe: {experts: 4, k: 2, hidden: 32}}]}}`,
		source: func(tuning bool) *data.Memory {
			m := &data.Memory{Name: "digits", Width: 64, Dense: x, Test: 500, Tasks: []data.TaskSpec{
				{Name: "digit", Classes: make([]string, 10)}, {Name: "parity", Classes: make([]string, 2)}, {Name: "large", Classes: make([]string, 2)},
			}, Labels: make([][]int32, 3)}
			for _, d := range y {
				large := int32(0)
				if d >= 5 {
					large = 1
				}
				for t, l := range []int32{d, d % 2, large} {
					m.Labels[t] = append(m.Labels[t], l)
				}
			}
			return cut(m, tuning)
		},
	})
}

// cut drops the test examples and makes the last ones before them the test split, for tuning.
func cut(m *data.Memory, tuning bool) *data.Memory {
	if !tuning {
		return m
	}
	n := len(m.Dense)/m.Width - m.Test
	m.Dense = m.Dense[:n*m.Width]
	for t := range m.Tasks {
		if m.Tasks[t].Classes != nil {
			m.Labels[t] = m.Labels[t][:n]
		} else {
			m.Values[t] = m.Values[t][:n*m.Tasks[t].Outputs]
		}
	}
	return m
}

// regressions makes four regression tasks on tanh features: y_t = h(x) w_t + noise, w_t = c_t w + sqrt(1-c_t^2) u_t with unit vectors w, u_t. The trunk is narrow, so that tasks
// compete for it.
func regressions(name, about string, c func(t int) float64) problem {
	const width, features, tasks, rows = 16, 8, 4, 3000
	p := problem{
		name: name, about: about + "; a trunk of width 8, 600 steps of 64 rows",
		base: `{steps: 600, batch: 64, eval: {every: 0}, optimizer: {lr: 5.0e-3}, model: {width: 8, dropout: 0, patches: [], blocks: [{mlp: {hidden: 16}}]}}`,
	}
	for t := range tasks {
		p.tasks = append(p.tasks, fmt.Sprint("y", t))
	}
	p.source = func(tuning bool) *data.Memory {
		s := rng.New(7).Sub(name)
		a := normals(&s, width*features)
		w := make([][]float64, tasks)
		common := unit(&s, features)
		for t := range w {
			u := unit(&s, features)
			for k := range u {
				u[k] = c(t)*common[k] + math.Sqrt(1-c(t)*c(t))*u[k]
			}
			w[t] = u
		}
		m := &data.Memory{Name: name, Width: width, Test: 1000, Values: make([][]float32, tasks)}
		for t := range tasks {
			m.Tasks = append(m.Tasks, data.TaskSpec{Name: p.tasks[t], Outputs: 1})
		}
		for range rows {
			x, h := normals(&s, width), make([]float64, features)
			for k := range h {
				for i, v := range x {
					h[k] += v * a[i*features+k] / math.Sqrt(width)
				}
				h[k] = math.Tanh(2 * h[k])
			}
			for _, v := range x {
				m.Dense = append(m.Dense, float32(v))
			}
			for t := range tasks {
				y := 0.1 * s.Normal()
				for k, v := range h {
					y += 2 * v * w[t][k]
				}
				m.Values[t] = append(m.Values[t], float32(y))
			}
		}
		return cut(m, tuning)
	}
	return p
}

func normals(s *rng.Stream, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = s.Normal()
	}
	return out
}

func unit(s *rng.Stream, n int) []float64 {
	out, sum := normals(s, n), 0.0
	for _, v := range out {
		sum += v * v
	}
	for i := range out {
		out[i] /= math.Sqrt(sum)
	}
	return out
}

// readDigits reads rows of 64 numbers of 0..16 and a digit.
func readDigits(path string) (x []float32, y []int32, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	for i, row := range rows {
		if len(row) != 65 {
			return nil, nil, fmt.Errorf("%s:%d: %d columns, want 65", path, i+1, len(row))
		}
		for k, text := range row {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
			}
			if k == 64 {
				y = append(y, int32(v))
			} else {
				x = append(x, float32(v/16))
			}
		}
	}
	return x, y, nil
}

// build makes an engine for a problem. With tuning, its test examples are training examples held out.
func (p *problem) build(args []string, tuning bool) (*engine.Engine, error) {
	cfg := engine.Default()
	if _, err := config.Decode(&cfg, config.File(p.name, []byte(p.base)), config.Args(args)); err != nil {
		return nil, err
	}
	be, _, err := engine.OpenDevice(cfg.Device, "")
	if err != nil {
		return nil, err
	}
	if p.source == nil {
		if tuning {
			if _, err := config.Decode(&cfg, config.Args([]string{"data.domains.0.source.val_images=2000"})); err != nil {
				return nil, err
			}
		}
		return engine.New(&cfg, be)
	}
	mix, err := data.NewMemoryMixture(p.source(tuning), false)
	if err != nil {
		return nil, err
	}
	return engine.NewOn(&cfg, be, mix)
}
