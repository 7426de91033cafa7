package gradsurgery_test

import (
	"math"
	"testing"

	"artel/gradsurgery"
	"artel/rng"
)

// independent calls f with regular rows whose lengths differ by up to 1e8.
func independent(t *testing.T, f func(j rows)) {
	for seed := range uint64(60) {
		s := rng.New(seed).Sub("independent")
		m := 1 + s.Intn(8)
		if seed == 0 {
			m = 64
		}
		j := normal(m, 3*m, &s)
		for i := range j {
			j[i] = rows{j[i]}.scaled(math.Pow(10, 8*s.Float64()-4))[0]
		}
		f(j)
	}
}

// TestEqualProjections: imtl_g has equal projections and weights of sum 1, config equal cosines, whatever the lengths.
func TestEqualProjections(t *testing.T) {
	independent(t, func(j rows) {
		for _, name := range []string{"imtl_g", "config"} {
			w := weights(t, name, nil, j.input())
			g, size := j.times(w)
			var sum, share float64
			for i, row := range j {
				sum += w[i]
				c := dot(g, row) / norm(row)
				if i == 0 {
					share = c
				}
				if !(c > 0) || !near(c, share, 1e-11*size) {
					t.Fatalf("%s %dx%d: projection %d is %v, the first is %v", name, len(j), len(j[0]), i, c, share)
				}
			}
			if name == "imtl_g" && !near(sum, 1, 1e-12) {
				t.Errorf("weights sum to %v", sum)
			}
			if name == "config" {
				var along float64
				for _, row := range j {
					along += dot(row, g) / norm(g)
				}
				if !near(norm(g), along, 1e-10*size) {
					t.Errorf("length %v, want the sum of projections %v", norm(g), along)
				}
			}
		}
	})
}

// TestBargain: w_t^(1/alpha) <g_t,g> = 1 for every task; and max_norm.
func TestBargain(t *testing.T) {
	independent(t, func(j rows) {
		for _, alpha := range []float64{0.5, 1, 2, 5} {
			w := weights(t, "fairgrad", &gradsurgery.FairGradOptions{Alpha: alpha}, j.input())
			g, _ := j.times(w)
			for i, row := range j {
				if x := math.Pow(w[i], 1/alpha) * dot(row, g); !near(x, 1, 1e-8) {
					t.Fatalf("alpha %v, %d tasks: share %d is %v, want 1", alpha, len(j), i, x)
				}
			}
		}
		g, _ := j.times(weights(t, "nash_mtl", &gradsurgery.NashOptions{MaxNorm: 0.5}, j.input()))
		if !near(norm(g), 0.5, 1e-9) {
			t.Errorf("length %v, want max_norm", norm(g))
		}
	})
}

// TestPCGradIsTwiceUPGrad: for two tasks the sum of the projected gradients is the same in both.
func TestPCGradIsTwiceUPGrad(t *testing.T) {
	for seed := range uint64(50) {
		s := rng.New(seed)
		j := normal(2, 1+s.Intn(5), &s)
		a, size := j.times(weights(t, "pcgrad", nil, j.input()))
		b, _ := j.times(weights(t, "upgrad", nil, j.input()))
		for p := range a {
			if !near(a[p], 2*b[p], 1e-12*size) {
				t.Fatalf("seed %d: pcgrad %v, upgrad %v", seed, a, b)
			}
		}
	}
}

// TestProjections compares upgrad with the projection on the dual cone by Dykstra's alternating projections.
func TestProjections(t *testing.T) {
	for seed := range uint64(20) {
		s := rng.New(seed)
		m := 2 + s.Intn(4)
		j := normal(m, m+2, &s)
		got, _ := j.times(weights(t, "upgrad", nil, j.input()))
		want := make([]float64, len(j[0]))
		for i := range j {
			for p, v := range dykstra(j, rows{j[i]}.scaled(1 / float64(m))[0]) {
				want[p] += v
			}
		}
		for p := range want {
			if !near(got[p], want[p], 1e-8) {
				t.Fatalf("seed %d: %v, want %v", seed, got, want)
			}
		}
	}
}

// dykstra projects x on {d : J d >= 0}.
func dykstra(j rows, x []float64) []float64 {
	d := append([]float64(nil), x...)
	add := make([]float64, len(j)) // how much of each row was added
	for range 20000 {
		for i, row := range j {
			c := max(0, add[i]-dot(row, d)/dot(row, row))
			for p, v := range row {
				d[p] += (c - add[i]) * v
			}
			add[i] = c
		}
	}
	return d
}

// TestRowStreams: a task's random order does not depend on who else is present, and differs between tasks.
func TestRowStreams(t *testing.T) {
	const tasks = 6
	s := rng.New(3)
	j := normal(tasks, 3, &s)
	all := j.input()
	some := *all
	var sub rows
	some.Tasks = []int{0, 2, 3, 5}
	for _, id := range some.Tasks {
		sub = append(sub, j[id])
	}
	some.Gram, some.Losses = sub.gram(), all.Losses[:4]
	m, err := gradsurgery.New("pcgrad", nil, tasks, 1)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float64, 4)
	if err := m.Weights(&some, got); err != nil {
		t.Fatal(err)
	}
	// The same draw by hand: the order over all tasks from the row's own stream.
	want := make([]float64, 4)
	for i, id := range some.Tasks {
		r := all.RNG.Sub("row", uint64(id))
		order := make([]int, tasks)
		r.Perm(order)
		g := append([]float64(nil), sub[i]...)
		want[i]++
		for _, o := range order {
			for k, other := range some.Tasks {
				if other != o || k == i {
					continue
				}
				if d := dot(g, sub[k]); d < 0 {
					c := -d / dot(sub[k], sub[k])
					want[k] += c
					for p := range g {
						g[p] += c * sub[k][p]
					}
				}
			}
		}
	}
	for i := range want {
		if !near(got[i], want[i], 1e-12) {
			t.Errorf("weight %d = %v, want %v", i, got[i], want[i])
		}
	}
}

// TestKrumDropsOutlier is the worked example of TorchJD's documentation of Krum.
func TestKrumDropsOutlier(t *testing.T) {
	j := rows{{1, 1, 1}, {1, 0, 1}, {75, -666, 23}, {1, 2, 3}, {2, 0, 1}}
	w := weights(t, "krum", &gradsurgery.KrumOptions{Outliers: 1, Selected: 4}, j.input())
	for i, want := range []float64{0.25, 0.25, 0, 0.25, 0.25} {
		if w[i] != want {
			t.Errorf("weight %d = %v, want %v", i, w[i], want)
		}
	}
}

// TestThreeTasks has hand-derived values for three rows with mixed signs and a rank-deficient set.
func TestThreeTasks(t *testing.T) {
	j := rows{{4, 0, 0}, {-3, 2, 1}, {-2, -4, 2}}
	index := &gradsurgery.PCGradOptions{Order: "index", Reduction: "sum"}
	for _, c := range []struct {
		name string
		cfg  any
		j    rows
		want []float64
	}{
		{"pcgrad", index, j, []float64{2.25, 16.0 / 7, 19.0 / 12}},
		{"pcgrad", &gradsurgery.PCGradOptions{Order: "index", Reduction: "mean"}, j, []float64{0.75, 16.0 / 21, 19.0 / 36}},
		{"mgda", nil, j, []float64{23.0 / 54, 11.0 / 27, 1.0 / 6}},
		{"cagrad", &gradsurgery.CAGradOptions{C: 1}, j, []float64{0.851852, 0.814815, 1.0 / 3}},
		{"cagrad", &gradsurgery.CAGradOptions{C: 0.4}, j, []float64{0.535765, 0.474413, 1.0 / 3}},
		{"upgrad", nil, j, []float64{1.1, 1.019048, 0.544444}},
		{"dualproj", nil, j, []float64{0.466667, 0.4, 1.0 / 3}},
		{"aligned_mtl", nil, j, []float64{0.369200, 0.351285, 0.184170}},
		{"imtl_g", nil, j, []float64{0.424992, 0.403437, 0.171571}},
		{"config", nil, j, []float64{1.326457, 1.259180, 0.535497}},
		{"nash_mtl", nil, j, []float64{0.934856, 0.882266, 0.412604}},
		{"fairgrad", nil, j, []float64{0.851910, 0.809594, 0.354001}},
		{"mgda", nil, rows{{1, 0}, {2, 2}, {3, -1}}, []float64{1, 0, 0}},
		{"pcgrad", index, rows{{1, 0}, {-2, 1}, {-2, -1}}, []float64{5, 1.6, 1.36}}, // visiting oneself would give 5.12
	} {
		w := weights(t, c.name, c.cfg, c.j.input())
		for i := range w {
			if !near(w[i], c.want[i], 1e-6) {
				t.Errorf("%s %+v: weight %d = %.9g, want %.9g", c.name, c.cfg, i, w[i], c.want[i])
			}
		}
	}
}
