package optim

import (
	"math"

	"github.com/pkg/errors"
)

// Rate is the learning rate over a run: a linear warm-up, then the schedule.
type Rate struct {
	Base          float64
	Warmup, Total int64 // steps
	schedule      Schedule
}

// NewRate builds the learning rate that cfg describes for a run of total steps.
func NewRate(cfg *Config, total int64) (*Rate, error) {
	if total < 1 {
		return nil, errors.Errorf("optim: a run of %d steps, want at least 1", total)
	}
	if err := positive("lr", cfg.LR); err != nil {
		return nil, errors.Wrap(err, "optim")
	}
	warmup, err := stepCount("warmup", cfg.Warmup, total)
	if err != nil {
		return nil, errors.Wrap(err, "optim")
	}
	s, err := BuildSchedule(&cfg.Schedule, warmup, total)
	if err != nil {
		return nil, err
	}
	return &Rate{Base: cfg.LR, Warmup: warmup, Total: total, schedule: s}, nil
}

// At returns the learning rate of a step, counted from 0. Warm-up step i of W has Base*(i+1)/(W+1): the first step moves already,
// and the whole rate comes with step W, the first of the schedule.
func (r *Rate) At(step int64) float64 {
	if step < r.Warmup {
		return r.Base * float64(step+1) / float64(r.Warmup+1)
	}
	return r.Base * r.schedule(step)
}

// stepCount reads a number of steps: under 1 it is a share of the run, rounded, from 1 on a whole number.
func stepCount(field string, x float64, total int64) (int64, error) {
	if err := atLeast0(field, x); err != nil {
		return 0, err
	}
	if x < 1 {
		return int64(math.Round(x * float64(total))), nil
	}
	if x != math.Trunc(x) {
		return 0, errors.Errorf("%s is %v, want a whole number of steps, or a share of the run under 1", field, x)
	}
	if x > float64(total) {
		return 0, errors.Errorf("%s is %v steps but the run has %d; a share such as 0.05 fits any length", field, x, total)
	}
	return int64(x), nil
}
