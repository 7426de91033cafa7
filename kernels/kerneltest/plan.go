package kerneltest

import (
	"math"

	"artel/kernels"
	"artel/tensor"
	"pgregory.net/rapid"
)

// picks returns n rows of k picks of [0,e); one in skip is -1.
func (c *testCase) picks(n, k, e, skip int) tensor.Tensor {
	return c.ints(func(int) int {
		if c.rnd.Intn(skip) == 0 {
			return -1
		}
		return c.rnd.Intn(e)
	}, n, k)
}

// planCase is a routing problem.
type planCase struct {
	T, K, E, M int
	capacity   int
	how        sharing
	stacked    bool // cotangent rows are told apart from activation rows
	skewed     bool // most picks go to expert 0 and many experts stay empty
	shuffled   bool // segments come in any order
}

// planCases surround empty inputs, empty experts, one expert, dropped picks and every kind of segments.
func planCases() []planCase {
	var out []planCase
	for i, dims := range [][4]int{{0, 2, 4, 2}, {1, 1, 1, 1}, {1, 4, 3, 2}, {7, 2, 8, 1}, {16, 1, 5, 3}, {33, 2, 4, 4}, {40, 8, 64, 3},
		{129, 2, 16, 5}, {700, 2, 8, 2}, {300, 1, 1, 2}} {
		for how := owned; how <= mixed; how++ {
			for _, capacity := range []int{0, 1, 5, 1 << 20} {
				out = append(out, planCase{dims[0], dims[1], dims[2], dims[3], capacity, how, how != owned || i%2 > 0, len(out)%3 == 0, len(out)%2 == 0})
			}
		}
	}
	return out
}

func testRoutePlan(s *suite) {
	for i, p := range planCases() {
		c := s.newCase(i%2*3, "%+v", p)
		args := c.routePlan(p)
		if out := c.run(args); out != nil {
			if err := checkPlan(c.after(args, out)); err != "" {
				s.errorf(c, "%s", err)
			}
		}
	}
	rapid.Check(s.t, func(t *rapid.T) {
		number := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
		p := planCase{T: number("T", 0, 40), K: number("K", 1, 4), E: number("E", 1, 9), M: number("M", 1, 4),
			capacity: number("capacity", 0, 6), how: sharing(number("sharing", 0, 2)), shuffled: rapid.Bool().Draw(t, "shuffled"),
			skewed: rapid.Bool().Draw(t, "skewed"), stacked: rapid.Bool().Draw(t, "stacked")}
		p.stacked = p.stacked || p.how != owned
		c := s.newCase(number("gap", 0, 2), "%+v", p)
		c.rnd = c.rnd.At(rapid.Uint64().Draw(t, "seed"))
		args := c.routePlan(p)
		if s.leftOut(0) {
			return
		}
		if err := checkPlan(c.after(args, c.onBackend(args))); err != "" {
			t.Fatal(err)
		}
	})
}

// routePlan allocates the problem and its plan.
func (c *testCase) routePlan(p planCase) kernels.RoutePlan {
	segs, cots := tokenSegs(&c.rnd, p.how, p.T, p.M)
	if p.shuffled {
		order, old := make([]int, len(segs)), append([]segment(nil), segs...)
		c.rnd.Perm(order)
		for i, j := range order {
			segs[i] = old[j]
		}
	}
	plan := &kernels.Plan{T: p.T, K: p.K, E: p.E, C: cots,
		Off: c.outInt(p.E + 1), Token: c.outInt(p.T * p.K), Slot: c.outInt(p.T * p.K), Inv: c.outInt(p.T, p.K), Count: c.outInt(p.E + 1),
		Segs: c.outInt(p.E*len(segs), kernels.SegCols)}
	index := c.picks(p.T, p.K, p.E, 7)
	if p.skewed {
		c.fill(index, func(int) float64 { return math.Floor(float64(p.E) * math.Pow(c.rnd.Float64(), 6)) })
	}
	plan.COff, plan.CToken, plan.CInv = plan.Off, plan.Token, plan.Inv
	if p.stacked {
		plan.COff, plan.CToken, plan.CInv = c.outInt(p.E+1), c.outInt(cots*p.K), c.outInt(cots, p.K)
		plan.CAct = c.outInt(cots * p.K)
	}
	args := kernels.RoutePlan{Plan: plan, Index: index, TokenSegs: c.segTable(segs), Capacity: p.capacity}
	routed, routedC := keptPicks(args)
	c.mark(plan.Token.Narrow(0, routed, p.T*p.K-routed), undefined)
	c.mark(plan.Slot.Narrow(0, routed, p.T*p.K-routed), undefined)
	if p.stacked {
		c.mark(plan.CToken.Narrow(0, routedC, cots*p.K-routedC), undefined)
		c.mark(plan.CAct.Narrow(0, routedC, cots*p.K-routedC), undefined)
	}
	return args
}

// keptPicks counts the routed rows and the routed cotangent rows that a plan must have.
func keptPicks(a kernels.RoutePlan) (rows, cotangents int) {
	asked := make([]int, a.Plan.E)
	for t, picks := range intRows(a.Index) {
		for _, e := range picks {
			if e < 0 {
				continue
			}
			if asked[e]++; a.Capacity > 0 && asked[e] > a.Capacity {
				continue
			}
			rows++
			for _, s := range intRows(a.TokenSegs) {
				if s[2] <= t && t < s[2]+s[4] {
					cotangents++
				}
			}
		}
	}
	return rows, cotangents
}

// after returns the arguments with the tensors of the storages after the op.
func (c *testCase) after(args kernels.RoutePlan, st []*tensor.Storage) kernels.RoutePlan {
	images := map[*tensor.Storage]*tensor.Storage{}
	for i, b := range c.bufs {
		images[b.st] = st[i]
	}
	return twin(args, func(st *tensor.Storage) *tensor.Storage { return images[st] }).(kernels.RoutePlan)
}

// intRows copies an I32 matrix.
func intRows(x tensor.Tensor) [][]int {
	out := make([][]int, x.Dim(0))
	for i := range out {
		for j, get := 0, getter(x.At(i)); j < x.Dim(1); j++ {
			out[i] = append(out[i], int(get(j*x.Stride(1))))
		}
	}
	return out
}

// ints copies an I32 vector.
func ints(x tensor.Tensor) []int {
	out := make([]int, x.Dim(0))
	for i, get := 0, getter(x); i < len(out); i++ {
		out[i] = int(get(i))
	}
	return out
}
