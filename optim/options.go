package optim

import (
	"math"
	"slices"
	"strings"

	"artel/internal/registry"

	"github.com/pkg/errors"
)

// within returns an error unless lo <= x <= hi.
func within(field string, x, lo, hi float64) error {
	if x >= lo && x <= hi {
		return nil
	}
	return errors.Errorf("%s is %v, want %v..%v", field, x, lo, hi)
}

// below returns an error unless 0 <= x < 1: what a decay of an average must be.
func below(field string, x float64) error {
	if x >= 0 && x < 1 {
		return nil
	}
	return errors.Errorf("%s is %v, want at least 0 and less than 1", field, x)
}

// atLeast0 returns an error unless 0 <= x < Inf.
func atLeast0(field string, x float64) error {
	if x >= 0 && !math.IsInf(x, 1) {
		return nil
	}
	return errors.Errorf("%s is %v, want a number of at least 0", field, x)
}

// positive returns an error unless 0 < x < Inf.
func positive(field string, x float64) error {
	if x > 0 && !math.IsInf(x, 1) {
		return nil
	}
	return errors.Errorf("%s is %v, want a positive number", field, x)
}

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

// first returns the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
