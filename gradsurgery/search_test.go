package gradsurgery_test

import (
	"math"
	"slices"
	"testing"

	"artel/gradsurgery"
	"artel/rng"
)

// TestSearch: a smooth score is climbed far above that of equal weights; the first trial is equal weights; the same scores give the same trials.
func TestSearch(t *testing.T) {
	want := []float64{4, 0.5, 1}
	score := func(w []float64) (s float64) {
		for i, v := range w {
			s -= math.Pow(math.Log2(v/want[i]), 2)
		}
		return s
	}
	var first []float64
	for range 2 {
		s, err := gradsurgery.NewSearch(3, 60, rng.New(1))
		if err != nil {
			t.Fatal(err)
		}
		var all []float64
		for w := s.Next(); w != nil; w = s.Next() {
			if len(all) == 0 && !slices.Equal(w, []float64{1, 1, 1}) {
				t.Errorf("first trial %v, want equal weights", w)
			}
			if s.Next() != nil {
				t.Fatal("a second trial before the score of the first")
			}
			all = append(all, w...)
			s.Tell(score(w))
		}
		if len(all) != 3*60 {
			t.Errorf("%d numbers, want 60 trials of 3", len(all))
		}
		w, best := s.Best()
		if best != score(w) || best < score([]float64{1, 1, 1})/5 {
			t.Errorf("best %v with score %v, want near %v", w, best, want)
		}
		if first != nil && !slices.Equal(first, all) {
			t.Error("a second search made other trials")
		}
		first = all
	}
	s, _ := gradsurgery.NewSearch(2, 3, rng.New(1))
	for w := s.Next(); w != nil; w = s.Next() {
		s.Tell(math.NaN())
	}
	if w, score := s.Best(); !slices.Equal(w, []float64{1, 1}) || !math.IsInf(score, -1) {
		t.Errorf("without a score: %v, %v", w, score)
	}
	if _, err := gradsurgery.NewSearch(65, 1, rng.New(1)); err == nil {
		t.Error("65 tasks were accepted")
	}
}
