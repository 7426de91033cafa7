package data

import (
	"testing"

	"artel/config"
	"artel/data/fashion"
	"artel/rng"
)

func source(t *testing.T, name string, args ...string) Source {
	t.Helper()
	var c struct {
		Source config.Member `yaml:"source"`
	}
	if _, err := config.Decode(&c, config.Args(append([]string{"source=" + name}, args...))); err != nil {
		t.Fatal(err)
	}
	s, err := BuildSource(&c.Source)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newRow(s Source) *Row {
	spec := s.Spec()
	r := &Row{Dense: make([]float32, spec.Dense), Labels: make([]int32, len(spec.Tasks))}
	for _, t := range spec.Tasks {
		r.Values = append(r.Values, make([]float32, t.Outputs))
	}
	return r
}

// overlay is the definition of a pair's picture, written apart from the source: the left garment at (0,0), the right one at one of four places, the larger
// of two pixels, 0..15 as 0..1.
func overlay(left, right []uint8, place int) []float32 {
	at := [][2]int{{4, 4}, {4, 0}, {0, 4}, {2, 4}}[place]
	out := make([]float32, 18*18)
	for y := 0; y < 18; y++ {
		for x := 0; x < 18; x++ {
			var v uint8
			if y < 14 && x < 14 {
				v = left[y*14+x]
			}
			if ry, rx := y-at[0], x-at[1]; ry >= 0 && ry < 14 && rx >= 0 && rx < 14 {
				v = max(v, right[ry*14+rx])
			}
			out[y*18+x] = float32(v) / 15
		}
	}
	return out
}

// TestPairs finds, for every row, the two images whose overlay it is, and checks the labels against theirs.
func TestPairs(t *testing.T) {
	train, test, err := fashion.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := source(t, "multifashion")
	r := newRow(s)
	kinds := []int32{0, 1, 0, 2, 0, 3, 0, 3, 4, 3} // tops, trousers, dresses, shoes, bags
	for _, split := range []Split{Train, Test} {
		set := map[Split]*fashion.Images{Train: train, Test: test}[split]
		for i := uint64(0); i < 300; i++ {
			stream := rng.New(5).At(i)
			s.Fill(split, i, stream, r)
			if split == Test { // its own stream, whatever the caller's is
				stream = rng.New(999).Sub("multifashion", uint64(Test)).At(i)
			}
			a, b, p := stream.Intn(len(set.Labels)), stream.Intn(len(set.Labels)), stream.Intn(4)
			for j, want := range overlay(set.Image(a), set.Image(b), p) {
				if r.Dense[j] != want {
					t.Fatalf("%v %d: pixel %d is %v, want %v", split, i, j, r.Dense[j], want)
				}
			}
			same := int32(0)
			if kinds[set.Labels[a]] == kinds[set.Labels[b]] {
				same = 1
			}
			if want := []int32{int32(set.Labels[a]), int32(set.Labels[b]), same, int32(p)}; r.Labels[0] != want[0] || r.Labels[1] != want[1] || r.Labels[2] != want[2] || r.Labels[3] != want[3] {
				t.Fatalf("%v %d: labels %v, want %v", split, i, r.Labels, want)
			}
		}
	}
}

// TestEvaluationIsFixed: test pairs do not depend on the stream; training pairs do.
func TestEvaluationIsFixed(t *testing.T) {
	s := source(t, "multifashion", "source.val_images=500")
	a, b := newRow(s), newRow(s)
	differ := 0
	for i := uint64(0); i < 50; i++ {
		for _, split := range []Split{Train, Val, Test} {
			s.Fill(split, i, rng.New(1).At(i), a)
			s.Fill(split, i, rng.New(2).At(i), b)
			same := true
			for j := range a.Dense {
				same = same && a.Dense[j] == b.Dense[j]
			}
			switch {
			case split == Train && !same:
				differ++
			case split != Train && !same:
				t.Fatalf("%v pair %d depends on the seed", split, i)
			}
		}
	}
	if differ < 45 {
		t.Errorf("%d of 50 training pairs differ between seeds", differ)
	}
}

// TestAugment: changes stay inside the garment's own square, happen as often as asked for, and never in the test split.
func TestAugment(t *testing.T) {
	plain := source(t, "multifashion")
	wild := source(t, "multifashion", "source.augment.moved=0.5", "source.augment.flip=0.5", "source.augment.erase=0.5")
	a, b := newRow(plain), newRow(wild)
	changed := 0
	for i := uint64(0); i < 200; i++ {
		for _, split := range []Split{Train, Test} {
			plain.Fill(split, i, rng.New(1).At(i), a)
			wild.Fill(split, i, rng.New(1).At(i), b)
			same := true
			for j := range a.Dense {
				same = same && a.Dense[j] == b.Dense[j]
			}
			if split == Test && !same {
				t.Fatal("a test picture is augmented")
			}
			if split == Train && !same {
				changed++
			}
		}
	}
	if changed < 150 {
		t.Errorf("%d of 200 training pictures changed, want about 197", changed)
	}
}
