package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

func exp(x float64) float64 { return math.Exp(x) }

// line is the summary of a variant on a problem.
type line struct {
	name         string
	seeds        int
	scores       []string
	deltaP       []float64 // by seed: mean over tasks of the relative change of the score against single-task models, in per cent; larger is better
	deltaM       []float64 // by seed: mean over scores and losses of the relative change for the worse, in per cent; smaller is better
	conflicts    float64
	ms           float64
	sortBy, mean float64
}

// printTables prints a table per problem, the best mean relative improvement first.
func printTables(all []result) {
	for _, p := range problems("") {
		printTable(p, all)
	}
	if slices.ContainsFunc(all, func(r result) bool { return r.Problem == "digits" }) {
		printTable(problem{name: "digits", about: "1,797 handwritten digits as tables of 64 numbers: digit (10 classes), parity, at least five; a mixture of four experts", tasks: []string{"digit", "parity", "large"}}, all)
	}
}

func printTable(p problem, all []result) {
	by := map[string][]result{}
	for _, r := range all {
		if r.Problem == p.name {
			by[r.Variant] = append(by[r.Variant], r)
		}
	}
	single := by["single-task"]
	if len(single) == 0 {
		return
	}
	base := mean(single)
	var lines []line
	for name, rs := range by {
		lines = append(lines, summarise(p, name, rs, base))
	}
	slices.SortFunc(lines, func(a, b line) int {
		if a.mean != b.mean {
			return int(math.Copysign(1, b.mean-a.mean))
		}
		return strings.Compare(a.name, b.name)
	})
	fmt.Printf("### %s\n\n%s.\n\n| method | seeds", p.name, p.about)
	for _, t := range p.tasks {
		fmt.Printf(" | %s", t)
	}
	fmt.Print(" | delta_p % | delta_m % | conflicts % | ms per step |\n|---|---")
	fmt.Println(strings.Repeat("|---", len(p.tasks)+4) + "|")
	for _, l := range lines {
		fmt.Printf("| %s | %d | %s | %s | %s", l.name, l.seeds, strings.Join(l.scores, " | "), spread(l.deltaP), spread(l.deltaM))
		if l.conflicts < 0 {
			fmt.Print(" | ")
		} else {
			fmt.Printf(" | %.0f", 100*l.conflicts)
		}
		fmt.Printf(" | %.2f |\n", l.ms)
	}
	fmt.Println()
}

// mean averages scores and losses over seeds.
func mean(rs []result) result {
	out := result{Score: map[string]float64{}, Loss: map[string]float64{}}
	for _, r := range rs {
		for t := range r.Score {
			out.Score[t] += r.Score[t] / float64(len(rs))
			out.Loss[t] += r.Loss[t] / float64(len(rs))
		}
	}
	return out
}

func summarise(p problem, name string, rs []result, base result) line {
	l := line{name: name, seeds: len(rs), ms: math.Inf(1)}
	for _, t := range p.tasks {
		var x []float64
		for _, r := range rs {
			x = append(x, r.Score[t])
		}
		l.scores = append(l.scores, spread(x))
	}
	for _, r := range rs {
		var dp, dm float64
		for _, t := range p.tasks {
			up := 100 * (r.Score[t] - base.Score[t]) / math.Abs(base.Score[t])
			worse := 100 * (r.Loss[t] - base.Loss[t]) / base.Loss[t]
			dp += up / float64(len(p.tasks))
			dm += (worse - up) / float64(2*len(p.tasks))
		}
		l.deltaP, l.deltaM = append(l.deltaP, dp), append(l.deltaM, dm)
		l.mean += dp / float64(len(rs))
		l.conflicts += r.Conflicts / float64(len(rs))
		l.ms = min(l.ms, r.MS)
	}
	return l
}

func spread(x []float64) string {
	var m, s float64
	for _, v := range x {
		m += v / float64(len(x))
	}
	for _, v := range x {
		s += (v - m) * (v - m)
	}
	return fmt.Sprintf("%.2f ± %.2f", m, math.Sqrt(s/math.Max(1, float64(len(x)-1))))
}
