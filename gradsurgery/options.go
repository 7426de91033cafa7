package gradsurgery

import (
	"math"
	"slices"
	"strings"

	"artel/internal/registry"

	"github.com/pkg/errors"
)

// oneOf returns an error with the nearest word unless got is one of words.
func oneOf(field, got string, words ...string) error {
	if slices.Contains(words, got) {
		return nil
	}
	if near := registry.Nearest(got, words); near != "" {
		return errors.Errorf("%s is %q; did you mean %q? (%s)", field, got, near, strings.Join(words, ", "))
	}
	return errors.Errorf("%s is %q, want one of %s", field, got, strings.Join(words, ", "))
}

// within returns an error unless lo <= x <= hi; hi may be +Inf, x may not.
func within(field string, x, lo, hi float64) error {
	if x >= lo && x <= hi && finite(x) {
		return nil
	}
	if math.IsInf(hi, 1) {
		return errors.Errorf("%s is %v, want at least %v", field, x, lo)
	}
	return errors.Errorf("%s is %v, want %v..%v", field, x, lo, hi)
}

// positive returns an error unless 0 < x < Inf.
func positive(field string, x float64) error {
	if x > 0 && finite(x) {
		return nil
	}
	return errors.Errorf("%s is %v, want a positive number", field, x)
}

// perTask returns one number per task from a list in a config file: the list itself, or fill where it is empty. Every number
// must be in lo..hi.
func perTask(field string, list []float64, fill float64, tasks int, lo, hi float64) ([]float64, error) {
	out := make([]float64, tasks)
	if len(list) != 0 && len(list) != tasks {
		return nil, errors.Errorf("%s has %d numbers, want %d, one per task, or none for %v everywhere", field, len(list), tasks, fill)
	}
	for t := range out {
		out[t] = fill
		if len(list) > 0 {
			out[t] = list[t]
		}
		if err := within(field, out[t], lo, hi); err != nil {
			return nil, errors.Wrapf(err, "task %d", t)
		}
	}
	return out, nil
}

// first returns the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
