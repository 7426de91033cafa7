package optim

import (
	"fmt"

	"artel/config"
	"artel/internal/registry"

	"github.com/pkg/errors"
)

// Schedule gives the factor of the base learning rate. It is a pure function of the step, so resuming needs no state. Steps count
// from 0; it is asked from the end of the warm-up on, also past the end of the run.
type Schedule func(step int64) float64

// ScheduleEntry describes one member of the registry of schedules.
type ScheduleEntry struct {
	Name   string   // the word users write
	Ref    string   // paper, equation
	Doc    string   // the factor as a formula of x = step-warmup and n = total-warmup
	Golden []string // names of the schedules in testdata that check it
	// Config returns a pointer to an options struct that holds the defaults.
	Config func() any
	// New builds the schedule of a run of total steps, 0 <= warmup <= total, total >= 1, from such a pointer.
	New func(cfg any, warmup, total int64) (Schedule, error)
}

// EntryName returns the name.
func (e ScheduleEntry) EntryName() string { return e.Name }

var schedules = registry.New[ScheduleEntry]("schedule")

// RegisterSchedule adds a schedule; call it from init. It panics on a duplicate name and after the first look-up.
func RegisterSchedule(e ScheduleEntry) {
	if e.Config == nil || e.New == nil {
		panic(fmt.Sprintf("optim: schedule %q lacks Config or New", e.Name))
	}
	schedules.Register(e)
}

// Schedules returns all schedules in the order of their names.
func Schedules() []ScheduleEntry { return schedules.All() }

// BuildSchedule makes the schedule that m names for a run of total steps; m then holds the effective options.
func BuildSchedule(m *config.Member, warmup, total int64) (Schedule, error) {
	e, err := schedules.Lookup(m.Name)
	if err != nil {
		return nil, errors.Wrap(err, "optim")
	}
	cfg := e.Config()
	if err := m.Decode(cfg); err != nil {
		return nil, err
	}
	s, err := e.New(cfg, warmup, total)
	return s, errors.Wrapf(err, "optim: schedule %s", e.Name)
}

// FinalConfig holds the options of schedules that fall to a final factor.
type FinalConfig struct {
	Final float64 `yaml:"final" doc:"factor of the learning rate at the end" range:"0..1"`
}

// falling builds a schedule from a curve over [0,1] that falls from 1 to 0: final + (1-final)*curve(x/n).
func falling(final float64, warmup, total int64, curve func(y float64) float64) Schedule {
	return func(step int64) float64 {
		if step >= total {
			return final
		}
		y := float64(step-warmup) / float64(total-warmup)
		return final + (1-final)*curve(y)
	}
}
