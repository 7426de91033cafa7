package gradsurgery

import "math"

// preference is a user's weight per task, or 1/m for everyone when none is given.
type preference []float64

func newPreference(list []float64, tasks int, lo float64) (preference, error) {
	if len(list) == 0 {
		return nil, nil
	}
	return perTask("pref", list, 1, tasks, lo, math.Inf(1))
}

// of writes the preferences of the present tasks to p [m].
func (f preference) of(tasks []int, p []float64) {
	for t, id := range tasks {
		if p[t] = 1 / float64(len(tasks)); f != nil {
			p[t] = f[id]
		}
	}
}
