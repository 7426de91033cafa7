package data

import (
	"fmt"
	"math"
	"reflect"
	"runtime"
	"testing"
	"time"

	"artel/config"
	"artel/rng"

	"pgregory.net/rapid"
)

// twoDomains is images with shared rows beside glosses with owned rows.
func twoDomains(t testing.TB, sampler, rows string) *Mixture {
	t.Helper()
	cfg := Config{
		Domains: []Domain{
			{Source: config.Member{Name: "multifashion"}, Rows: rows, Weight: 1},
			{Source: config.Member{Name: "wordnet"}, Rows: "owned", Weight: 1},
		},
		Sampler: config.Member{Name: sampler},
	}
	m, err := NewMixture(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// image is a deep copy of what a batch says.
type image struct {
	Rows     int
	Domains  []Rows
	Segments []Segment
	Keys     []int32
}

func copyOf(b *Batch) image {
	im := image{Rows: b.Rows, Keys: append([]int32(nil), b.Keys...)}
	for _, d := range b.Domains {
		d.Dense, d.IDs, d.Off = append([]float32(nil), d.Dense...), append([]int32(nil), d.IDs...), append([]int32(nil), d.Off...)
		im.Domains = append(im.Domains, d)
	}
	for _, s := range b.Segments {
		s.Labels, s.Values = append([]int32(nil), s.Labels...), append([]float32(nil), s.Values...)
		im.Segments = append(im.Segments, s)
	}
	return im
}

func loader(t testing.TB, m *Mixture, hold, ahead int) *Loader {
	t.Helper()
	l, err := NewLoader(m, 30, hold, ahead, rng.New(3))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// TestBatches checks the shape of batches: rows add up, segments name rows of the right domain, owned rows have one task and shared rows all.
func TestBatches(t *testing.T) {
	for _, s := range Samplers() {
		for _, rows := range []string{"shared", "owned"} {
			l := loader(t, twoDomains(t, s.Name, rows), 1, 0)
			keys := map[[2]int32]bool{}
			for n := 0; n < 20; n++ {
				b := l.Next()
				tasks := make([]int, b.Rows)
				for _, seg := range b.Segments {
					if len(seg.Labels) != seg.N {
						t.Fatalf("%s: segment of %d rows with %d labels", s.Name, seg.N, len(seg.Labels))
					}
					for i := seg.Row0; i < seg.Row0+seg.N; i++ {
						tasks[i]++
					}
				}
				total := 0
				for _, d := range b.Domains {
					total += d.N
					want := 1
					if d.Domain == 0 && rows == "shared" {
						want = 4
					}
					for i := d.Row0; i < d.Row0+d.N; i++ {
						if tasks[i] != want {
							t.Fatalf("%s %s: row %d counts for %d tasks, want %d", s.Name, rows, i, tasks[i], want)
						}
						key := [2]int32{b.Keys[2*i], b.Keys[2*i+1]}
						if keys[key] {
							t.Fatalf("row key %v occurs twice", key)
						}
						keys[key] = true
					}
					if d.Domain == 0 && len(d.Dense) != 324*d.N || d.Domain == 1 && len(d.Off) != d.N+1 {
						t.Fatalf("domain %d: %d rows, %d pixels, %d bags", d.Domain, d.N, len(d.Dense), len(d.Off)-1)
					}
				}
				if b.Rows != 30 || total != 30 {
					t.Fatalf("%s: %d rows, %d in domains, want 30", s.Name, b.Rows, total)
				}
			}
		}
	}
}

// TestLoader checks that batches do not depend on buffers or prefetching, and that a loader continues anywhere.
func TestLoader(t *testing.T) {
	for _, s := range Samplers() {
		var want []image
		first := loader(t, twoDomains(t, s.Name, "owned"), 1, 0)
		var middle Cursor
		for i := 0; i < 12; i++ {
			if i == 5 {
				middle = first.Cursor()
			}
			want = append(want, copyOf(first.Next()))
		}
		for _, shape := range [][2]int{{1, 3}, {3, 0}, {2, 1}} {
			l := loader(t, twoDomains(t, s.Name, "owned"), shape[0], shape[1])
			for i := range want {
				if got := copyOf(l.Next()); !reflect.DeepEqual(got, want[i]) {
					t.Fatalf("%s: hold %d ahead %d: batch %d differs", s.Name, shape[0], shape[1], i)
				}
			}
			if err := l.Seek(middle); err != nil {
				t.Fatal(err)
			}
			for i := 5; i < len(want); i++ {
				if got := copyOf(l.Next()); !reflect.DeepEqual(got, want[i]) {
					t.Fatalf("%s: after Seek: batch %d differs", s.Name, i)
				}
			}
		}
	}
	if err := loader(t, twoDomains(t, "uniform", "owned"), 1, 0).Seek(Cursor{}); err == nil {
		t.Error("a cursor of another mixture is accepted")
	}
}

// TestHold: batches that are held stay as they were.
func TestHold(t *testing.T) {
	l := loader(t, twoDomains(t, "uniform", "owned"), 3, 2)
	var kept []*Batch
	var saved []image
	for i := 0; i < 20; i++ {
		b := l.Next()
		kept, saved = append(kept, b), append(saved, copyOf(b))
		for j := max(0, i-2); j <= i; j++ {
			if !reflect.DeepEqual(copyOf(kept[j]), saved[j]) {
				t.Fatalf("batch %d changed while %d was the newest", j, i)
			}
		}
	}
}

// TestLoaderAllocations: a warm loader that prefetches allocates nothing.
func TestLoaderAllocations(t *testing.T) {
	l := loader(t, twoDomains(t, "proportional", "owned"), 1, 2)
	for i := 0; i < 300; i++ {
		l.Next()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := 0; i < 100; i++ {
		l.Next()
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n >= 50 {
		t.Errorf("%d allocations in 100 batches", n)
	}
}

// TestCloseEndsTheWorker counts goroutines.
func TestCloseEndsTheWorker(t *testing.T) {
	before := runtime.NumGoroutine()
	for i := 0; i < 20; i++ {
		l := loader(t, twoDomains(t, "uniform", "owned"), 1, 2)
		l.Next()
		l.Close()
		l.Close()
	}
	for i := 0; i < 100 && runtime.NumGoroutine() > before; i++ {
		time.Sleep(time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
}

// TestPermute: every epoch's order is a bijection, and epochs differ.
func TestPermute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(1, 3000).Draw(t, "n")
		s := rng.New(rapid.Uint64().Draw(t, "seed"))
		seen := make([]bool, n)
		for i := uint64(0); i < n; i++ {
			v := permute(s, i, n)
			if v >= n || seen[v] {
				t.Fatalf("permute(%d) of %d = %d: out of range or twice", i, n, v)
			}
			seen[v] = true
		}
	})
	fixed := 0
	for i := uint64(0); i < 1000; i++ {
		if permute(rng.New(1), i, 1000) == permute(rng.New(2), i, 1000) {
			fixed++
		}
	}
	if fixed > 15 {
		t.Errorf("two permutations of 1000 agree in %d places, want about 1", fixed)
	}
}

// TestCounts: counts add up, are the expectation rounded up or down, and are right on average.
func TestCounts(t *testing.T) {
	shares, sum := []float64{0.1, 0.25, 0.65}, make([]float64, 3)
	out := make([]int, 3)
	const rounds = 4000
	for i := uint64(0); i < rounds; i++ {
		counts(shares, 7, rng.New(1).At(i), out)
		if out[0]+out[1]+out[2] != 7 {
			t.Fatalf("counts %v do not add up to 7", out)
		}
		for j, p := range shares {
			if d := float64(out[j]) - 7*p; math.Abs(d) >= 1 {
				t.Fatalf("count %d is %d, expectation %v", j, out[j], 7*p)
			}
			sum[j] += float64(out[j])
		}
	}
	for j, p := range shares {
		if mean := sum[j] / rounds; math.Abs(mean-7*p) > 0.05 {
			t.Errorf("mean count %d is %v, want %v", j, mean, 7*p)
		}
	}
}

// TestShares: what each sampler promises.
func TestShares(t *testing.T) {
	sizes := []float64{100, 400, 0, 1600}
	for name, want := range map[string][]float64{
		"proportional": {100. / 2100, 400. / 2100, 0, 1600. / 2100},
		"temperature":  {10. / 70, 20. / 70, 0, 40. / 70},
	} {
		s, err := buildSampler(&config.Member{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float64, 4)
		s.Shares(0, sizes, out)
		for i := range want {
			if math.Abs(out[i]-want[i]) > 1e-12 {
				t.Errorf("%s: shares %v, want %v", name, out, want)
				break
			}
		}
	}
	out := make([]float64, 4)
	for step, want := range []int{0, 1, 3, 0} {
		roundRobin{}.Shares(int64(step), sizes, out)
		if out[want] != 1 {
			t.Errorf("round robin, batch %d: %v, want all to %d", step, out, want)
		}
	}
}

// TestEval: every example of a split once, in order, with all its tasks.
func TestEval(t *testing.T) {
	m := twoDomains(t, "uniform", "shared")
	e := NewEval(m, Test, 700)
	rows := map[int]int{}
	labels := map[int]int{}
	for b := e.Next(); b != nil; b = e.Next() {
		for _, d := range b.Domains {
			rows[d.Domain] += d.N
		}
		for _, s := range b.Segments {
			labels[s.Task] += len(s.Labels)
		}
	}
	if got := fmt.Sprint(rows, labels); got != "map[0:8000 1:4000] map[0:8000 1:8000 2:8000 3:8000 4:2000 5:2000]" {
		t.Errorf("rows by domain, labels by task: %s", got)
	}
}

// TestMemory: arrays come back with their missing labels, and arrays that do not fit are refused.
func TestMemory(t *testing.T) {
	nan := float32(math.NaN())
	good := Memory{Name: "m", Width: 2, Dense: []float32{1, 2, 3, 4, 5, 6, 7, 8}, Test: 1,
		Tasks:  []TaskSpec{{Name: "c", Classes: []string{"a", "b"}}, {Name: "v", Outputs: 1}},
		Labels: [][]int32{{0, -1, 1, 1}, nil}, Values: [][]float32{nil, {0.5, nan, 1.5, 2}}}
	m, err := NewMemoryMixture(&good, false)
	if err != nil {
		t.Fatal(err)
	}
	l := loader(t, m, 1, 0)
	b := l.Next()
	missing := 0
	for i := 0; i < b.Rows; i++ {
		x := b.Domains[0].Dense[2*i]
		at := int(x-1) / 2
		label, value := b.Segments[0].Labels[i], b.Segments[1].Values[i]
		if at > 2 || label != good.Labels[0][at] || value != good.Values[1][at] && value == value {
			t.Fatalf("row %d (%v): label %d, value %v", i, x, label, value)
		}
		if label < 0 {
			missing++
		}
	}
	if missing != 10 {
		t.Errorf("%d of 30 labels are missing, want a third", missing)
	}
	for name, spoil := range map[string]func(*Memory){
		"width":  func(m *Memory) { m.Width = 3 },
		"labels": func(m *Memory) { m.Labels = [][]int32{{0, 1}, nil} },
		"values": func(m *Memory) { m.Values = nil },
		"class":  func(m *Memory) { m.Labels = [][]int32{{0, 1, 2, 0}, nil} },
	} {
		bad := good
		spoil(&bad)
		if _, err := NewMemoryMixture(&bad, false); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
