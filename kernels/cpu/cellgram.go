package cpu

import (
	"artel/kernels"
	"artel/kernels/cpu/internal/gemm"
)

// cells is CellGram and its memory: the rows of all groups side by side where they are not that already, and the inner products of a group's rows.
type cells struct {
	b        *backend
	args     kernels.CellGram
	groups   []cellGroup
	x, y     []int32   // row of X and of DY by gathered row
	task     []int32   // by gathered row
	gx, gy   []float32 // [R,k] and [R,n]
	inX, inY bool      // the rows of every group follow one another in X, in DY
	ax, ay   []float32 // by group [N,N], its lower triangle in blocks
	gather   *loop[kernels.CellGram]
	reduce   *loop[kernels.CellGram]
	products func()
}

// cellGroup is the gathered rows [row0, row0+n) of a group, the first of them in X and in DY, and where its inner products start.
type cellGroup struct{ group, row0, n, x0, y0, at int }

// cellBlock is the number of rows whose inner products with all earlier ones, and each other, are one product.
const cellBlock = 48

func (b *backend) newCellGram() *cells {
	c := &cells{b: b, products: b.newProducts()}
	c.gather, c.reduce = newLoop(c.gatherRows), newLoop(c.reduceGroups)
	return c
}

func (c *cells) run(a kernels.CellGram) {
	c.args = a
	c.list(intMatrix(a.Segs))
	k, n, rows := a.X.Dim(1), a.DY.Dim(1), len(c.task)
	x, y := matrix(a.X), matrix(a.DY)
	if !c.inX {
		c.gx = grown(c.gx, rows*k)
		x = kernelRows(c.gx, k)
	}
	if !c.inY {
		c.gy = grown(c.gy, rows*n)
		y = kernelRows(c.gy, n)
	}
	if !c.inX || !c.inY {
		c.gather.call(c.b.pool, a, rows, k+n)
	}
	size := 0
	for i := range c.groups {
		c.groups[i].at = size
		size += c.groups[i].n * c.groups[i].n
	}
	c.ax, c.ay = grown(c.ax, size), grown(c.ay, size)
	c.b.products = c.b.products[:0]
	for _, g := range c.groups {
		x0, y0 := g.row0, g.row0
		if c.inX {
			x0 = g.x0
		}
		if c.inY {
			y0 = g.y0
		}
		for lo := 0; lo < g.n; lo += cellBlock {
			hi := min(lo+cellBlock, g.n)
			c.b.products = append(c.b.products, rowProducts(x, x0, c.ax, g, lo, hi), rowProducts(y, y0, c.ay, g, lo, hi))
		}
	}
	if len(c.b.products) == 0 {
		return
	}
	c.products()
	m := a.G.Dim(1)
	c.b.sums = grown(c.b.sums, len(c.groups)*m*m)
	c.reduce.call(c.b.pool, a, len(c.groups), work)
	for i, g := range c.groups {
		dst := a.G.At(g.group)
		for s := range m {
			for t := range m {
				dst.F64()[s*dst.Stride(0)+t*dst.Stride(1)] += c.b.sums[(i*m+s)*m+t]
			}
		}
	}
}

// kernelRows views contiguous rows of n elements.
func kernelRows(p []float32, n int) rows { return rows{p: p, cols: n, ld: n} }

// rowProducts is the inner products of rows [lo,hi) of a group with rows [0,hi); the group begins at row first of x.
func rowProducts(x rows, first int, out []float32, g cellGroup, lo, hi int) gemm.Product {
	all := gemm.Mat{P: x.p, H: x.h, RS: x.ld, CS: 1}
	return gemm.Product{
		M: hi - lo, N: hi, K: x.cols, A: all.From((first + lo) * x.ld), B: all.From(first * x.ld).T(), C: out[g.at+lo*g.n:], LDC: g.n,
	}
}

// list numbers the rows of all segments, group by group.
func (c *cells) list(segs table) {
	xi, yi := ints(c.args.XIndex), ints(c.args.YIndex)
	c.groups, c.x, c.y, c.task = c.groups[:0], c.x[:0], c.y[:0], c.task[:0]
	c.inX, c.inY = xi == nil, yi == nil
	for i := range segs.n {
		s := segs.segment(i)
		if s.n == 0 {
			continue
		}
		if last := len(c.groups) - 1; last < 0 || c.groups[last].group != s.group {
			c.groups = append(c.groups, cellGroup{group: s.group, row0: len(c.task), x0: s.act0, y0: s.row0})
		}
		g := &c.groups[len(c.groups)-1]
		c.inX, c.inY = c.inX && s.act0 == g.x0+g.n, c.inY && s.row0 == g.y0+g.n
		g.n += s.n
		for r := range s.n {
			x, y := int32(s.act0+r), int32(s.row0+r)
			if xi != nil {
				x = xi[x]
			}
			if yi != nil {
				y = yi[y]
			}
			c.x, c.y, c.task = append(c.x, x), append(c.y, y), append(c.task, int32(s.task))
		}
	}
}

func (c *cells) gatherRows(a *kernels.CellGram, lo, hi int) {
	x, y := matrix(a.X), matrix(a.DY)
	for r := lo; r < hi; r++ {
		if !c.inX {
			c.b.copyRow(c.gx[r*x.cols:(r+1)*x.cols], &x, int(c.x[r]))
		}
		if !c.inY {
			c.b.copyRow(c.gy[r*y.cols:(r+1)*y.cols], &y, int(c.y[r]))
		}
	}
}

// reduceGroups adds up products of inner products by pairs of tasks. Only pairs of rows in the lower triangle of blocks are there; the others equal them.
func (c *cells) reduceGroups(a *kernels.CellGram, lo, hi int) {
	m := a.G.Dim(1)
	for gi := lo; gi < hi; gi++ {
		g := c.groups[gi]
		out := c.b.sums[gi*m*m : (gi+1)*m*m]
		clear(out)
		task := c.task[g.row0 : g.row0+g.n]
		for i := range g.n {
			x, y := c.ax[g.at+i*g.n:][:i+1], c.ay[g.at+i*g.n:][:i+1]
			mine := out[int(task[i])*m:][:m]
			for j, v := range x[:i] {
				mine[task[j]] += float64(v) * float64(y[j])
			}
			mine[task[i]] += float64(x[i]) * float64(y[i]) / 2 // the half is doubled below
		}
		for s := range m { // add the transpose
			out[s*m+s] *= 2
			for t := range s {
				v := out[s*m+t] + out[t*m+s]
				out[s*m+t], out[t*m+s] = v, v
			}
		}
	}
}
