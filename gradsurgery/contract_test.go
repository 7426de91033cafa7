package gradsurgery_test

import (
	"fmt"
	"slices"
	"testing"

	"artel/config"
	"artel/gradsurgery"
	"artel/rng"
)

// TestExtremes: finite weights or a solver error, whatever the scale, for every kind of matrix.
func TestExtremes(t *testing.T) {
	for _, e := range gradsurgery.Entries() {
		t.Run(e.Name, func(t *testing.T) {
			failed, all := 0, 0
			samples(12, []float64{1e-10, 1e-3, 1, 1e10}, func(id string, j rows, s rng.Stream) {
				all++
				if _, _, _, ok := run(t, e, id, j, j.input()); !ok {
					failed++
				}
			})
			s := rng.New(4)
			big := normal(64, 100, &s)
			if _, _, _, ok := run(t, e, "64x100", big, big.input()); !ok {
				t.Error("no answer for 64 regular rows")
			}
			if failed > 0 {
				t.Logf("no answer for %d of %d matrices", failed, all)
			}
		})
	}
}

// TestPresence: one task, no task, and some tasks absent.
func TestPresence(t *testing.T) {
	for _, e := range gradsurgery.Entries() {
		t.Run(e.Name, func(t *testing.T) {
			s := build(t, e.Name, nil, 5)
			if err := s.Weights(&gradsurgery.Input{}, nil); err != nil && s.Needs.Level != gradsurgery.TaskGradients {
				t.Errorf("no task present: %v", err)
			}
			r := rng.New(8)
			j := normal(2, 6, &r)
			in := j.input()
			in.Tasks = []int{1, 4}
			if g, _ := j.update(t, s, in); norm(g) == 0 || !(norm(g) < 1e6) {
				t.Errorf("two of five tasks: update %v", g)
			}
			in = j[:1].input()
			in.Tasks = []int{3}
			g, _ := j[:1].update(t, s, in)
			if c := dot(g, j[0]) / norm(g) / norm(j[0]); s.Needs.Level != gradsurgery.TaskGradients && !near(c, 1, 1e-14) {
				t.Errorf("one task: the update has cosine %v with its gradient", c)
			}
		})
	}
}

// TestRestore: ten steps equal five, a saved and restored state, and five more, bit for bit; with absent tasks and two units.
func TestRestore(t *testing.T) {
	type member struct {
		gradsurgery.Entry
		cfg any
	}
	var all []member
	for _, e := range gradsurgery.Entries() {
		m := member{Entry: e}
		switch e.Name { // defaults under which the test would end before the state matters
		case "dwa":
			m.cfg = &gradsurgery.DWAOptions{Temperature: 2, Window: 2}
		case "rotograd":
			m.cfg = &gradsurgery.RotoGradOptions{BurnIn: 2}
		}
		all = append(all, m)
	}
	for name, cfg := range map[string]any{ // options that have memory of another kind
		"nash_mtl":    &gradsurgery.NashOptions{Every: 3},
		"gradnorm":    &gradsurgery.GradNormOptions{Alpha: 1.5, LR: 0.1, Layers: "all", Form: "softmax"},
		"m_config":    &gradsurgery.MConFIGOptions{Beta: 0.9, Rotate: true},
		"uncertainty": &gradsurgery.UncertaintyOptions{Optimizer: "sgd", LR: 0.1},
		"cr_mogm":     &gradsurgery.CRMOGMOptions{Alpha: 0.5, Base: config.With("gradvac", &gradsurgery.GradVacOptions{Beta: 0.5, Order: "random", Reduction: "sum", Track: "all"})},
	} {
		e, err := gradsurgery.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, member{e, cfg})
	}
	for _, e := range all {
		t.Run(e.Name, func(t *testing.T) {
			const tasks = 4
			units := 2
			if levelOf(t, e.Entry) == gradsurgery.Losses {
				units = 1
			}
			fresh := func() *gradsurgery.Surgery {
				s, err := gradsurgery.New(e.Name, e.cfg, tasks, units)
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			steps := func(s *gradsurgery.Surgery, from, to int) (out []float64) {
				for step := from; step < to; step++ {
					for unit := range units {
						r := rng.New(77).Sub("step", uint64(step), uint64(unit))
						j := normal(tasks-step%2, 7, &r)
						in := j.input()
						in.Step, in.Unit, in.RNG = int64(step), unit, r
						for i := range j {
							in.Tasks[i] = i + step%2
							in.Losses[i] = 0.5 + r.Float64()
						}
						g, _ := j.update(t, s, in)
						out = append(out, g...)
						if s.Needs.AfterStep {
							for i := range in.Losses {
								in.Losses[i] *= 0.5 + r.Float64()
							}
							if err := s.AfterStep(in.Tasks, in.Losses); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
				return out
			}
			a := fresh()
			steps(a, 0, 5)
			var saved []gradsurgery.Array
			for _, x := range a.State() {
				saved = append(saved, gradsurgery.Array{Name: x.Name, Data: slices.Clone(x.Data)})
			}
			b := fresh()
			copyMemory(b, a)
			want := steps(a, 5, 10)
			if err := b.Restore(saved); err != nil {
				t.Fatal(err)
			}
			if got := steps(b, 5, 10); !slices.Equal(got, want) {
				t.Error("a restored method continues differently")
			}
			if len(saved) == 0 {
				return
			}
			if c := fresh(); slices.Equal(steps(c, 5, 10), want) {
				t.Error("the state changes nothing: the test cannot tell restored from fresh")
			}
			if err := b.Restore(saved[1:]); err == nil {
				t.Error("a missing array was accepted")
			}
			saved[0].Data = saved[0].Data[1:]
			if err := b.Restore(saved); err == nil {
				t.Error("a short array was accepted")
			}
		})
	}
}

// TestNoAllocations: no method allocates per step.
func TestNoAllocations(t *testing.T) {
	r := rng.New(5)
	j := normal(8, 10, &r)
	in := j.input()
	w := make([]float64, 8)
	c := gradsurgery.Column{Leak: make([]float64, 8)}
	in.Excess = in.Losses
	keep, take := make([]float64, 8), make([]float64, 8)
	for _, e := range gradsurgery.Entries() {
		s := build(t, e.Name, nil, 8)
		if n := testing.AllocsPerRun(10, func() {
			var err error
			if s.Needs.Track {
				err = s.Track(in, keep, take)
			}
			switch {
			case err != nil:
			case s.Needs.Level == gradsurgery.TaskGradients:
				err = s.Columns(in, &c)
			default:
				err = s.Weights(in, w)
			}
			if s.Needs.AfterStep && err == nil {
				err = s.AfterStep(in.Tasks, in.Losses)
			}
			if err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations per step", e.Name, n)
		}
	}
}

// TestEntries: every member is documented and its options are documented and refuse what makes no sense.
func TestEntries(t *testing.T) {
	for _, e := range gradsurgery.Entries() {
		if e.Ref == "" || e.Doc == "" {
			t.Errorf("%s: no reference or formula", e.Name)
		}
		s := build(t, e.Name, nil, 3)
		if n := s.Needs; n.Own > 0 && len(s.State()) == 0 {
			t.Errorf("%s: learns %d numbers but saves nothing", e.Name, n.Own)
		}
		if e.Traits.NonNegative && s.Needs.Level == gradsurgery.TaskGradients {
			t.Errorf("%s: claims weights but has none", e.Name)
		}
	}
}

func BenchmarkWeights(b *testing.B) {
	for _, e := range gradsurgery.Entries() {
		for _, m := range []int{2, 4, 8, 64} {
			r := rng.New(5)
			j := normal(m, 2*m, &r)
			in := j.input()
			w := make([]float64, m)
			s := build(b, e.Name, nil, m)
			if s.Needs.Level == gradsurgery.TaskGradients {
				continue
			}
			in.Excess = in.Losses
			if s.Needs.Track {
				if err := s.Track(in, make([]float64, m), make([]float64, m)); err != nil {
					b.Fatal(err)
				}
			}
			b.Run(fmt.Sprintf("%s/%d", e.Name, m), func(b *testing.B) {
				for b.Loop() {
					if err := s.Weights(in, w); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
