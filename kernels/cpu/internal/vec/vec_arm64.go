//go:build !purego

package vec

// archSets lists the assembly set: every arm64 processor has these instructions.
func archSets() []*Set {
	s := &Set{Name: "neon", Dropout: dropout, Round: roundHalf, Widen: widen, Top: top}
	fillNeon(s)
	return []*Set{s}
}
