package gradsurgery_test

import (
	"math"
	"slices"
	"testing"

	"artel/config"
	"artel/gradsurgery"
	"artel/rng"
)

// stream returns the task gradients and losses of some steps.
func stream(n, m, p int) (js []rows, losses [][]float64) {
	r := rng.New(12)
	for range n {
		js = append(js, normal(m, p, &r))
		l := make([]float64, m)
		for t := range l {
			l[t] = 0.2 + r.Float64()
		}
		losses = append(losses, l)
	}
	return js, losses
}

// replay runs s over the stream and returns the updates.
func replay(t *testing.T, s *gradsurgery.Surgery, js []rows, losses [][]float64) (out [][]float64) {
	t.Helper()
	for i, j := range js {
		in := j.input()
		in.Step, in.Losses = int64(i), losses[i]
		g, _ := j.update(t, s, in)
		out = append(out, g)
	}
	return out
}

func equalRows(t *testing.T, what string, got, want [][]float64) {
	t.Helper()
	for i := range want {
		close2(t, what, got[i], want[i], 1e-12)
	}
}

// TestMoCo writes the rule out as its paper and LibMTL do.
func TestMoCo(t *testing.T) {
	js, losses := stream(6, 3, 5)
	o := &gradsurgery.MoCoOptions{Beta: 0.5, BetaSigma: 0.5, Gamma: 0.1, GammaSigma: 0.25, Rho: 0.3}
	y, l := rows{make([]float64, 5), make([]float64, 5), make([]float64, 5)}, []float64{1. / 3, 1. / 3, 1. / 3}
	var want [][]float64
	for i, j := range js {
		n := float64(i + 1)
		for t, g := range j {
			for p, v := range g {
				h := losses[i][t] * v / norm(g)
				y[t][p] -= o.Beta / math.Pow(n, o.BetaSigma) * (y[t][p] - h)
			}
		}
		g, next, sum := y.gram(), make([]float64, 3), 0.0
		for t := range l {
			d := o.Rho * l[t]
			for k := range l {
				d += g[3*t+k] * l[k]
			}
			next[t] = math.Exp(l[t] - o.Gamma/math.Pow(n, o.GammaSigma)*d)
			sum += next[t]
		}
		for t := range l {
			l[t] = next[t] / sum
		}
		u, _ := y.times(l)
		want = append(want, u)
	}
	equalRows(t, "moco", replay(t, build(t, "moco", o, 3), js, losses), want)
}

// TestDBMTL writes the rule out; without memory the lengths are those of this step.
func TestDBMTL(t *testing.T) {
	js, losses := stream(6, 3, 5)
	for _, beta := range []float64{0, 0.9} {
		y := rows{make([]float64, 5), make([]float64, 5), make([]float64, 5)}
		var want [][]float64
		for i, j := range js {
			b := beta / math.Pow(float64(i+1), 0.5)
			longest := 0.0
			for t, g := range j {
				for p, v := range g {
					y[t][p] = b*y[t][p] + (1-b)*v/(losses[i][t]+1e-8)
				}
				longest = max(longest, norm(y[t]))
			}
			u, _ := y.times([]float64{longest / norm(y[0]), longest / norm(y[1]), longest / norm(y[2])})
			want = append(want, u)
		}
		s := build(t, "db_mtl", &gradsurgery.DBMTLOptions{Beta: beta, Sigma: 0.5}, 3)
		if s.Needs.Track != (beta > 0) {
			t.Errorf("beta %v: tracks %v", beta, s.Needs.Track)
		}
		equalRows(t, "db_mtl", replay(t, s, js, losses), want)
	}
}

// TestMConFIG: the update is ConFIG of the corrected momenta; with rotate only one task's momentum moves per step.
func TestMConFIG(t *testing.T) {
	js, losses := stream(6, 3, 5)
	for _, rotate := range []bool{false, true} {
		const beta = 0.8
		y, n := rows{make([]float64, 5), make([]float64, 5), make([]float64, 5)}, []float64{0, 0, 0}
		var want [][]float64
		for i, j := range js {
			corrected := rows{}
			for t, g := range j {
				if !rotate || t == i%3 || n[t] == 0 {
					n[t]++
					for p, v := range g {
						y[t][p] = beta*y[t][p] + (1-beta)*v
					}
				}
				corrected = append(corrected, rows{y[t]}.scaled(1 / (1 - math.Pow(beta, n[t])))[0])
			}
			g, _ := corrected.update(t, build(t, "config", nil, 3), corrected.input())
			want = append(want, g)
		}
		equalRows(t, "m_config", replay(t, build(t, "m_config", &gradsurgery.MConFIGOptions{Beta: beta, Rotate: rotate}, 3), js, losses), want)
	}
}

// TestTrackedGradients: what a tracker of constant gradients remembers is these gradients, so the methods end where their plain relatives are.
func TestTrackedGradients(t *testing.T) {
	r := rng.New(3)
	j := normal(3, 6, &r)
	for range 2 {
		in := j.input()
		s := build(t, "m_config", nil, 3)
		var g []float64
		for range 5 {
			g, _ = j.update(t, s, in)
		}
		want, _ := j.update(t, build(t, "config", nil, 3), in)
		close2(t, "m_config of constant gradients", g, want, 1e-12)
	}
}

// TestCRMOGM: the average of the base's weights; alpha 0 is the base.
func TestCRMOGM(t *testing.T) {
	js, losses := stream(5, 3, 4)
	base := config.With("mgda", &gradsurgery.MGDAOptions{Normalize: "none"})
	none := build(t, "cr_mogm", &gradsurgery.CRMOGMOptions{Base: base}, 3)
	equalRows(t, "alpha 0", replay(t, none, js, losses), replay(t, build(t, "mgda", nil, 3), js, losses))
	s := build(t, "cr_mogm", &gradsurgery.CRMOGMOptions{Alpha: 0.5, Base: base}, 3)
	var l []float64
	for i, j := range js {
		w := weights(t, "mgda", nil, j.input())
		if i == 0 {
			l = slices.Clone(w)
		}
		for t := range l {
			l[t] = 0.5*l[t] + 0.5*w[t]
		}
		close2(t, "weights", gramWeights(t, s, j), l, 1e-14)
	}
	for _, bad := range []string{"graddrop", "moco"} {
		_, err := gradsurgery.New("cr_mogm", &gradsurgery.CRMOGMOptions{Alpha: 0.5, Base: config.Member{Name: bad}}, 3, 1)
		wantError(t, err, bad, "inner products")
	}
}

// TestCAGradFast: with a sample of all tasks it is CAGrad; with fewer, the worst of the drawn tasks and of the mean of the others is as good as
// CAGrad on these rows makes it, and the step stays in the ball around the mean of all.
func TestCAGradFast(t *testing.T) {
	r := rng.New(9)
	j := normal(6, 9, &r)
	in := j.input()
	full := weights(t, "cagrad_fast", &gradsurgery.CAGradFastOptions{C: 0.5, Sample: 6}, in)
	close2(t, "all drawn", full, weights(t, "cagrad", &gradsurgery.CAGradOptions{C: 0.5}, in), 1e-9)
	for step := range uint64(5) {
		in.RNG = rng.New(step)
		w := weights(t, "cagrad_fast", &gradsurgery.CAGradFastOptions{C: 0.5, Sample: 2}, in)
		g, _ := j.times(w)
		mean, _ := j.times([]float64{1. / 6, 1. / 6, 1. / 6, 1. / 6, 1. / 6, 1. / 6})
		d := make([]float64, 9)
		for p := range d {
			d[p] = g[p] - mean[p]
		}
		if norm(d) > 0.5*norm(mean)*(1+1e-9) {
			t.Errorf("step %d: %v from the mean, want at most %v", step, norm(d), 0.5*norm(mean))
		}
		values := map[float64]int{} // tasks that were not drawn have equal weights
		for _, x := range w {
			values[math.Round(1e9*x)]++
		}
		most := 0
		for _, n := range values {
			most = max(most, n)
		}
		if most < 4 {
			t.Errorf("step %d: weights %v, want four equal ones", step, w)
		}
	}
}

// TestGO4Align: equal losses give weight 1 each; groups get their mean; as many groups as tasks are the tasks themselves.
func TestGO4Align(t *testing.T) {
	close2(t, "equal losses", lossWeights(t, build(t, "go4align", nil, 3), []float64{2, 2, 2}), []float64{1, 1, 1}, 1e-14)
	losses := []float64{1, 1.1, 4, 4.2}
	single := lossWeights(t, build(t, "go4align", &gradsurgery.GO4AlignOptions{Eta: 0.1, Groups: 4}, 4), losses)
	var p, sum, total float64
	for _, l := range losses {
		total += l
		sum += math.Exp(-0.1 * l)
	}
	for k, l := range losses {
		p = math.Exp(-0.1*l) / sum
		if want := p * total / l; !near(single[k], want, 1e-12) {
			t.Errorf("task %d: weight %v, want %v", k, single[k], want)
		}
	}
	two := lossWeights(t, build(t, "go4align", &gradsurgery.GO4AlignOptions{Eta: 0.1, Groups: 2}, 4), losses)
	a, b := (single[0]+single[1])/2, (single[2]+single[3])/2
	close2(t, "two groups", two, []float64{a, a, b, b}, 1e-12)
}

// TestRotoGrad: all gradients end with one length, a mean of theirs weighted by how fast they shrink; at the start that is the plain mean.
func TestRotoGrad(t *testing.T) {
	r := rng.New(2)
	j := normal(3, 5, &r)
	s := build(t, "rotograd", &gradsurgery.RotoGradOptions{BurnIn: 1}, 3)
	check := func(j rows, want float64) {
		t.Helper()
		w := mustWeights(t, s, j.input())
		for i, row := range j {
			if l := w[i] * norm(row); !near(l, want, 1e-12) {
				t.Errorf("task %d: length %v, want %v", i, l, want)
			}
		}
	}
	a, b, c := norm(j[0]), norm(j[1]), norm(j[2])
	check(j, (a+b+c)/3)
	half := rows{rows{j[0]}.scaled(0.5)[0], j[1], j[2]} // a task that learned fast counts half
	check(half, (0.5*0.5*a+b+c)/2.5)
}
