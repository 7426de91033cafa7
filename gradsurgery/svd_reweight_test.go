package gradsurgery_test

import (
	"math"
	"testing"

	"artel/gradsurgery"
	"artel/rng"
)

// TestSVDReweight: full rank gives lengths, rank 1 the lengths along the leading direction (found here by power iteration); the weights stay.
func TestSVDReweight(t *testing.T) {
	r := rng.New(17)
	j := normal(4, 7, &r)
	sum := 0.0
	lengths := make([]float64, 4)
	for i, row := range j {
		lengths[i] = norm(row)
		sum += lengths[i]
	}
	for i := range lengths {
		lengths[i] *= 4 / sum
	}
	close2(t, "full rank", weights(t, "svd_reweight", &gradsurgery.SVDReweightOptions{Rank: 4}, j.input()), lengths, 1e-12)

	u := make([]float64, 7) // the leading left singular vector of [g_1 .. g_m]
	u[0] = 1
	for range 2000 {
		next := make([]float64, 7)
		for _, row := range j {
			c := dot(row, u)
			for p, v := range row {
				next[p] += c * v
			}
		}
		n := norm(next)
		for p := range u {
			u[p] = next[p] / n
		}
	}
	want, total := make([]float64, 4), 0.0
	for i, row := range j {
		want[i] = math.Abs(dot(row, u))
		total += want[i]
	}
	for i := range want {
		want[i] *= 4 / total
	}
	s := build(t, "svd_reweight", nil, 4)
	part := j[:2].input()
	close2(t, "before all are present", mustWeights(t, s, part), []float64{1, 1}, 0)
	close2(t, "rank 1", mustWeights(t, s, j.input()), want, 1e-9)
	other := normal(4, 7, &r)
	close2(t, "later", mustWeights(t, s, other.input()), want, 1e-9)
}

func mustWeights(t *testing.T, s *gradsurgery.Surgery, in *gradsurgery.Input) []float64 {
	t.Helper()
	w := make([]float64, len(in.Tasks))
	if err := s.Weights(in, w); err != nil {
		t.Fatal(err)
	}
	return w
}
