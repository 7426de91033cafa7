package ref_test

import (
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// The ops that select rows are linear maps. The tests below write them as dense matrices of ones and zeros and multiply.

// selector returns the matrix S [len(index),n] with S*x = x[index]; a negative index gives a zero row.
func selector(index []int32, n int) tensor.Tensor {
	s := zeros(len(index), n)
	for i, r := range index {
		if r >= 0 {
			s.F64()[i*n+int(r)] = 1
		}
	}
	return s
}

// links returns L [acts,cots]: how often the segments of (group, task) pair an activation row with a cotangent row.
func links(segs tensor.Tensor, group, task, acts, cots int) tensor.Tensor {
	l := zeros(acts, cots)
	for i := 0; i < segs.Dim(0); i++ {
		s := segs.At(i).I32()
		for j := int32(0); j < s[4]; j++ {
			if int(s[0]) == group && int(s[1]) == task {
				l.F64()[int(s[2]+j)*cots+int(s[3]+j)]++
			}
		}
	}
	return l
}

// bankSegs pairs 9 activation rows with 14 cotangent rows for 2 groups and 2 tasks; (1,0) has no rows.
func bankSegs() tensor.Tensor {
	return tensor.FromI32([]int32{
		0, 0, 0, 0, 3,
		1, 1, 2, 3, 4,
		1, 0, 4, 7, 0,
		0, 1, 5, 7, 4,
		0, 0, 6, 11, 3,
	}, 5, kernels.SegCols)
}

const acts, cots = 9, 14

// sums returns the wanted gradient of (group, task): what was there plus left^T * links * dy.
func sums(before, left, dy tensor.Tensor, group, task int) []float64 {
	out := zeros(left.Dim(1), dy.Dim(1))
	be.Copy(kernels.Copy{Dst: out, Src: before})
	be.GEMM(kernels.GEMM{A: left.T(), B: product(links(bankSegs(), group, task, acts, cots), dy), C: out, Accumulate: true})
	return out.F64()
}

func TestWeightGradientsAsProducts(t *testing.T) {
	s := newSource("gradw")
	x, dy := s.floats(6, 4), s.floats(8, 5)
	xi, yi := s.rows(acts, 0, 6), s.rows(cots, 0, 8)
	dst, touched := s.floats(2, 2, 4, 5), tensor.New(dtype.I32, 2, 2)
	dstB, touchedB := s.floats(2, 2, 5), tensor.New(dtype.I32, 2, 2)
	touched.I32()[1], touchedB.I32()[1] = 1, 1 // (0,1) holds a gradient: it is added to
	before, beforeB := zeros(2, 2, 4, 5), zeros(2, 2, 5)
	be.Copy(kernels.Copy{Dst: before.At(0).At(1), Src: dst.At(0).At(1)})
	be.Copy(kernels.Copy{Dst: beforeB.At(0).At(1), Src: dstB.At(0).At(1)})
	be.Copy(kernels.Copy{Dst: before.At(1).At(0), Src: dst.At(1).At(0)}) // untouched and without rows: left alone
	be.Copy(kernels.Copy{Dst: beforeB.At(1).At(0), Src: dstB.At(1).At(0)})
	gathered := product(selector(yi.I32(), 8), dy)

	be.GradW(kernels.GradW{X: x, XIndex: xi, DY: dy, YIndex: yi, Segs: bankSegs(), Dst: dst, Touched: touched})
	be.GradB(kernels.GradB{DY: gathered, Segs: bankSegs(), Dst: dstB, Touched: touchedB})
	left, ones := product(selector(xi.I32(), 6), x), zeros(acts, 1)
	be.Fill(ones, 1)
	for g := 0; g < 2; g++ {
		for k := 0; k < 2; k++ {
			wantClose(t, "GradW", dst.At(g).At(k).F64(), sums(before.At(g).At(k), left, gathered, g, k), 1e-13)
			wantClose(t, "GradB", dstB.At(g).At(k).F64(), sums(beforeB.At(g).At(k).Reshape(1, 5), ones, gathered, g, k), 1e-13)
			want := int32(1)
			if g == 1 && k == 0 {
				want = 0
			}
			if f := touched.At(g).I32()[k]; f != want || touchedB.At(g).I32()[k] != want {
				t.Errorf("flag (%d,%d) = %d, want %d", g, k, f, want)
			}
		}
	}
}

func TestEmbedAsProduct(t *testing.T) {
	s := newSource("bags")
	const vocab = 6
	table := s.floats(vocab, width)
	off := tensor.FromI32([]int32{0, 2, 2, 5, 6, 9, 9, 10, 12, 12}, acts+1)
	ids := s.rows(12, 0, vocab)
	for _, mean := range []bool{false, true} {
		bags := zeros(acts, vocab)
		for i := 0; i < acts; i++ {
			lo, hi := off.I32()[i], off.I32()[i+1]
			for _, id := range ids.I32()[lo:hi] {
				if mean {
					bags.F64()[i*vocab+int(id)] += 1 / float64(hi-lo)
				} else {
					bags.F64()[i*vocab+int(id)]++
				}
			}
		}
		y := zeros(acts, width)
		be.Embed(kernels.Embed{Table: table, IDs: ids, Off: off, Dst: y, Mean: mean})
		wantClose(t, "Embed", y.F64(), product(bags, table).F64(), 1e-14)

		// The segments of group 0 only: a table is no bank.
		dy, dst := s.floats(cots, width), s.floats(1, 2, vocab, width)
		segs := tensor.FromI32([]int32{0, 0, 0, 0, 3, 0, 1, 5, 7, 4, 0, 0, 6, 11, 3}, 3, kernels.SegCols)
		be.EmbedGrad(kernels.EmbedGrad{IDs: ids, Off: off, DY: dy, Segs: segs, Dst: dst, Touched: tensor.New(dtype.I32, 1, 2), Mean: mean})
		for k := 0; k < 2; k++ {
			wantClose(t, "EmbedGrad", dst.At(0).At(k).F64(), sums(zeros(vocab, width), bags, dy, 0, k), 1e-13)
		}
	}
}

func TestRowMovesAsProducts(t *testing.T) {
	s := newSource("moves")
	index := tensor.FromI32([]int32{3, -1, 0, 0, 4, 2, 3}, 7)
	sel := selector(index.I32(), rows)
	x, y := s.floats(rows, width), s.floats(7, width)

	gathered := zeros(7, width)
	be.GatherRows(kernels.GatherRows{Dst: gathered, Src: x, Index: index})
	wantClose(t, "GatherRows", gathered.F64(), product(sel, x).F64(), 0)

	scattered, want := zeros(rows, width), zeros(rows, width)
	be.Copy(kernels.Copy{Dst: scattered, Src: x})
	be.Copy(kernels.Copy{Dst: want, Src: x})
	be.ScatterRows(kernels.ScatterRows{Dst: scattered, Src: y, Index: index})
	be.GEMM(kernels.GEMM{A: sel.T(), B: y, C: want, Accumulate: true})
	wantClose(t, "ScatterRows", scattered.F64(), want.F64(), 1e-14)

	added := zeros(7, width)
	be.AddByRow(kernels.AddByRow{Dst: added, X: y, Table: x, Row: index})
	be.GEMM(kernels.GEMM{A: sel, B: x, C: y, Accumulate: true})
	wantClose(t, "AddByRow", added.F64(), y.F64(), 1e-14)

	inv := tensor.FromI32([]int32{6, 2, -1, -1, 0, 3, 3, 3}, 4, 2)
	for _, weighted := range []bool{false, true} {
		w, mix := tensor.Tensor{}, zeros(4, 7)
		if weighted {
			w = s.floats(4, 2)
		}
		for i, r := range inv.I32() {
			if r >= 0 && weighted {
				mix.F64()[i/2*7+int(r)] += w.F64()[i]
			} else if r >= 0 {
				mix.F64()[i/2*7+int(r)]++
			}
		}
		dst := zeros(4, width)
		be.GatherSum(kernels.GatherSum{Dst: dst, Src: gathered, Inv: inv, W: w})
		wantClose(t, "GatherSum", dst.F64(), product(mix, gathered).F64(), 1e-14)
	}
}

func TestGroupedGEMMAsProducts(t *testing.T) {
	s := newSource("grouped")
	index, off, a, b := tensor.FromI32([]int32{3, 1, 1, 0, 4}, 5), []int32{0, 2, 2, 5}, s.floats(5, 4), s.floats(3, 4, 6)
	c := zeros(5, 6)
	be.GroupedGEMM(kernels.GroupedGEMM{A: a, Index: index, B: b, C: c, Off: tensor.FromI32(off, 4)})
	picked := product(selector(index.I32(), 5), a)
	for g := 0; g < 3; g++ {
		lo, n := int(off[g]), int(off[g+1]-off[g])
		wantClose(t, "GroupedGEMM", c.Narrow(0, lo, n).F64(), product(picked.Narrow(0, lo, n), b.At(g)).F64(), 1e-14)
	}
}

// TestGEMM checks the product itself against a matrix power in closed form: the shear [1 1; 0 1]^n = [1 n; 0 1], and against
// (AB)^T = B^T A^T with the transposes as views.
func TestGEMM(t *testing.T) {
	shear := tensor.FromF64([]float64{1, 1, 0, 1}, 2, 2)
	p := shear
	for i := 0; i < 9; i++ {
		p = product(p, shear)
	}
	wantClose(t, "shear^10", p.F64(), []float64{1, 10, 0, 1}, 0)
	s := newSource("gemm")
	a, b, c := s.floats(3, 5), s.floats(5, 4), zeros(3, 4)
	be.Copy(kernels.Copy{Dst: c, Src: product(b.T(), a.T()).T()})
	wantClose(t, "(B^T A^T)^T", c.F64(), product(a, b).F64(), 1e-15)
	bias := s.floats(4)
	be.GEMM(kernels.GEMM{A: a, B: b, C: c, Bias: bias, Accumulate: true})
	for i, v := range product(a, b).F64() {
		if d := c.F64()[i] - 2*v - bias.F64()[i%4]; d > 1e-14 || d < -1e-14 {
			t.Errorf("C += A*B + bias: element %d is off by %v", i, d)
		}
	}
}

func TestRowProducts(t *testing.T) {
	s := newSource("rows")
	x, y, scale := s.floats(rows, width), s.floats(rows*tasks, width), s.floats(rows)
	all := product(selector(stackedAct().I32(), rows), x) // x with its rows repeated
	mul, dots, scaled := zeros(rows*tasks, width), zeros(rows*tasks), zeros(rows*tasks, width)
	be.Mul(kernels.Mul{Dst: mul, X: x, Y: y, Act: stackedAct()})
	be.RowDot(kernels.RowDot{Dst: dots, X: x, Y: y, Act: stackedAct()})
	be.RowScale(kernels.RowScale{Dst: scaled, S: scale, Y: y, Act: stackedAct()})
	table := product(all, y.T()) // its diagonal are the row products
	for c := 0; c < rows*tasks; c++ {
		if d := dots.F64()[c] - table.F64()[c*(rows*tasks)+c]; d > 1e-14 || d < -1e-14 {
			t.Errorf("RowDot: row %d is off by %v", c, d)
		}
		for j := 0; j < width; j++ {
			at := c*width + j
			if mul.F64()[at] != all.F64()[at]*y.F64()[at] {
				t.Errorf("Mul (%d,%d) = %v", c, j, mul.F64()[at])
			}
			if scaled.F64()[at] != scale.F64()[c%rows]*y.F64()[at] {
				t.Errorf("RowScale (%d,%d) = %v", c, j, scaled.F64()[at])
			}
		}
	}
}
