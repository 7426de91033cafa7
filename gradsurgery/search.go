package gradsurgery

import (
	"math"

	"artel/rng"

	"github.com/pkg/errors"
)

// Search looks for fixed weights ("fixed") by trial: the baseline that every method has to beat. The first trial is equal weights; then, up to the middle, weights between 1/16 and 16, even on
// a logarithmic scale; then the best so far with every weight changed by a factor 2^x, x normal. The same stream gives the same trials for the same scores.
type Search struct {
	trials, made int
	stream       rng.Stream
	w, best      []float64 // [tasks]
	score        float64
	open         bool // Next was called, Tell not yet
}

// NewSearch prepares a search of a number of trials (>= 1) for 1..MaxTasks tasks.
func NewSearch(tasks, trials int, stream rng.Stream) (*Search, error) {
	if tasks < 1 || tasks > MaxTasks || trials < 1 {
		return nil, errors.Errorf("gradsurgery: search: %d tasks and %d trials, want 1..%d and at least 1", tasks, trials, MaxTasks)
	}
	return &Search{trials: trials, stream: stream, w: make([]float64, tasks), best: make([]float64, tasks), score: math.Inf(-1)}, nil
}

// Next returns the weights of the next trial, or nil when all are made or the last one was not told. The slice belongs to the search.
func (s *Search) Next() []float64 {
	if s.made == s.trials || s.open {
		return nil
	}
	for t := range s.w {
		switch {
		case s.made == 0:
			s.w[t] = 1
		case s.made < s.trials/2:
			s.w[t] = math.Pow(16, 2*s.stream.Float64()-1)
		default:
			s.w[t] = s.best[t] * math.Exp2(s.stream.Normal())
		}
	}
	s.made++
	s.open = true
	return s.w
}

// Tell says how good the last trial was: higher is better; NaN counts as worst.
func (s *Search) Tell(score float64) {
	if !s.open {
		return
	}
	s.open = false
	if s.made == 1 {
		copy(s.best, s.w)
	}
	if score > s.score {
		s.score = score
		copy(s.best, s.w)
	}
}

// Best returns the best weights so far and their score; equal weights win ties.
func (s *Search) Best() (w []float64, score float64) {
	return append([]float64(nil), s.best...), s.score
}
