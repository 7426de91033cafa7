package cpu

import (
	"math"

	"artel/kernels"
)

// saliency works window by window: the rows of a window see each other's anchors, and no others.
func (b *backend) saliency(a kernels.Saliency, windows *loop[kernels.Saliency]) {
	n := a.S.Dim(1) / a.Width
	count := (n + a.Window - 1) / a.Window
	b.anchors = grown(b.anchors, 2*n*a.Width)
	b.sums = grown(b.sums, 2*count)
	windows.call(b.pool, a, count, a.S.Dim(0)*a.Width*a.Window)
	for i := range count {
		a.Loss.F64()[0] += b.sums[2*i]
		a.Loss.F64()[1] += b.sums[2*i+1]
	}
}

func (b *backend) saliencyWindows(a *kernels.Saliency, lo, hi int) {
	s, u, d := matrix(a.S), matrix(a.U), a.Width
	n := s.cols / d
	for w := lo; w < hi; w++ {
		r0 := w * a.Window
		r1 := min(r0+a.Window, n)
		for t := range s.n {
			clear(u.row(t)[r0*d : r1*d])
		}
		b.sums[2*w], b.sums[2*w+1] = 0, 0
		for i := r0; i < r1; i++ {
			b.sums[2*w] += a.Entropy * entropyRow(a, s, u, i)
		}
		if a.Align != 0 {
			b.sums[2*w+1] = b.alignWindow(a, s, u, r0, r1)
		}
	}
}

// alignWindow adds the gradient of the contrastive loss of rows [r0,r1), which it returns.
func (b *backend) alignWindow(a *kernels.Saliency, s, u rows, r0, r1 int) (loss float64) {
	d, n := a.Width, s.cols/a.Width
	anchor := func(j int) []float32 { return b.anchors[j*d : (j+1)*d] }
	moved := func(j int) []float32 { return b.anchors[(n+j)*d : (n+j+1)*d] } // gradient of the anchor
	lent := b.scratch.take()
	defer b.scratch.giveBack(lent)
	size := lent.Buffer()[: r1-r0 : r1-r0] // lengths of the sums over tasks
	cos := lent.Buffer()[r1-r0:][: r1-r0 : r1-r0]
	for j := r0; j < r1; j++ {
		x := anchor(j)
		clear(x)
		clear(moved(j))
		for t := range s.n {
			b.vec.Axpy(x, s.row(t)[j*d:(j+1)*d], 1)
		}
		size[j-r0] = b.length(x)
		if size[j-r0] > 0 {
			b.vec.Scale(x, x, 1/size[j-r0])
		}
	}
	for t := range s.n {
		for i := r0; i < r1; i++ {
			x, du := s.row(t)[i*d:(i+1)*d], u.row(t)[i*d:(i+1)*d]
			long := b.length(x)
			if long == 0 {
				loss += a.Align * math.Log(float64(r1-r0))
				continue
			}
			top := 0.0
			for j := range cos {
				cos[j] = b.vec.Dot(x, anchor(r0+j)) / long
				top = max(top, float64(cos[j])*float64(cos[j]))
			}
			sum := 0.0
			for _, c := range cos {
				sum += math.Exp((float64(c)*float64(c) - top) / a.Temperature)
			}
			own := float64(cos[i-r0])
			loss += a.Align * (math.Log(sum) + (top-own*own)/a.Temperature)
			along := float32(0) // what of the gradient changes the length of x only
			for j, c := range cos {
				p := math.Exp((float64(c)*float64(c)-top)/a.Temperature) / sum
				if j == i-r0 {
					p--
				}
				dc := float32(a.Align * p * 2 * float64(c) / a.Temperature)
				along += dc * c
				b.vec.Axpy(du, anchor(r0+j), dc/long)
				b.vec.Axpy(moved(r0+j), x, dc/long)
			}
			b.vec.Axpy(du, x, -along/long/long)
		}
	}
	for j := r0; j < r1; j++ {
		if size[j-r0] == 0 {
			continue
		}
		g, x := moved(j), anchor(j)
		b.vec.Axpy(g, x, -b.vec.Dot(g, x))
		for t := range s.n {
			b.vec.Axpy(u.row(t)[j*d:(j+1)*d], g, 1/size[j-r0])
		}
	}
	return loss
}

// length is the Euclidean norm of x, also where squares leave float32.
func (b *backend) length(x []float32) float32 { return float32(math.Sqrt(b.dot64(x, x))) }

// entropyRow adds the gradient of the entropy of the tasks' shares in row i, which it returns.
func entropyRow(a *kernels.Saliency, s, u rows, i int) (entropy float64) {
	d, m := a.Width, s.n
	var means [64]float64
	size, mean := 0.0, 0.0
	for t := range m {
		sum := 0.0
		for _, v := range s.row(t)[i*d : (i+1)*d] {
			sum += float64(v)
		}
		means[t] = sum / float64(d)
		size += math.Abs(means[t])
	}
	if size == 0 || a.Entropy == 0 {
		return 0
	}
	all := 1 + float64(m)*a.Floor
	for _, v := range means[:m] {
		part := math.Abs(v) / size
		p := (part + a.Floor) / all
		entropy -= p * math.Log(p)
		mean += part * math.Log(p)
	}
	for t, v := range means[:m] {
		p := (math.Abs(v)/size + a.Floor) / all
		g := float32(a.Entropy * (mean - math.Log(p)) / (all * size * float64(d)))
		if v < 0 {
			g = -g
		}
		row := u.row(t)[i*d : (i+1)*d]
		for k := range row {
			row[k] += g
		}
	}
	return entropy
}
