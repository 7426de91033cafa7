package optim

import (
	"math"

	"artel/config"
	"artel/internal/registry"

	"github.com/pkg/errors"
)

// Schedule gives the factor of the base learning rate for step 0..total-1. It is a pure function, so resuming needs no state.
type Schedule interface {
	// Factor returns the factor after warm-up for a position x = (step-warmup) of length n = total-warmup steps.
	Factor(x, n float64, warmup float64) float64
}

// ScheduleEntry describes one member of the registry of schedules.
type ScheduleEntry struct {
	Name   string
	Ref    string
	Doc    string
	Config func() any
	New    func(cfg any) Schedule
}

// EntryName returns the name.
func (e ScheduleEntry) EntryName() string { return e.Name }

var schedules = registry.New[ScheduleEntry]("schedule")

// RegisterSchedule adds a schedule; call it from init.
func RegisterSchedule(e ScheduleEntry) { schedules.Register(e) }

// Schedules returns all schedules in the order of their names.
func Schedules() []ScheduleEntry { return schedules.All() }

// buildSchedule makes the schedule that m names.
func buildSchedule(m *config.Member) (Schedule, error) {
	e, err := schedules.Lookup(m.Name)
	if err != nil {
		return nil, errors.Wrap(err, "optim")
	}
	cfg := e.Config()
	if err := m.Decode(cfg); err != nil {
		return nil, err
	}
	return e.New(cfg), nil
}

// Rate is the learning rate of step (from 0) of total: linear warm-up over the first warmup steps, then the schedule.
func Rate(s Schedule, base float64, step, total int64, warmup float64) float64 {
	if x := float64(step); x < warmup {
		return base * x / math.Max(1, warmup)
	}
	return base * s.Factor(float64(step)-warmup, math.Max(1, float64(total)-warmup), warmup)
}

// Warmup resolves a configured warm-up: under 1 it is a share of the steps, from 1 on a number of steps.
func Warmup(w float64, total int64) float64 {
	if w < 1 {
		return math.Floor(w * float64(total))
	}
	return w
}
