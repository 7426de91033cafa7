package ref

import (
	"math"

	"artel/kernels"
)

func saliency(a kernels.Saliency) {
	S, U, loss := mat(a.S), mat(a.U), vec(a.Loss)
	m, d := S.rows, a.Width
	n := S.cols / d
	x := func(t, i int) []float64 { return S.row(t)[i*d : (i+1)*d] }
	u := func(t, i int) []float64 { return U.row(t)[i*d : (i+1)*d] }
	for t := range m {
		clear(U.row(t))
	}
	for i := range n {
		loss[0] += a.Entropy * entropyOfRow(a, m, i, x, u)
	}
	for first := 0; first < n; first += a.Window {
		w := min(a.Window, n-first)
		mean, dmean := make([][]float64, w), make([][]float64, w)
		for j := range w {
			mean[j], dmean[j] = make([]float64, d), make([]float64, d)
			for t := range m {
				add(mean[j], 1, x(t, first+j))
			}
		}
		for t := range m {
			for i := range w {
				x, u, c := x(t, first+i), u(t, first+i), make([]float64, w)
				sum := 0.0
				for j := range c {
					c[j] = cosine(x, mean[j])
					sum += math.Exp(c[j] * c[j] / a.Temperature)
				}
				loss[1] += a.Align * (math.Log(sum) - c[i]*c[i]/a.Temperature)
				for j := range c {
					p := math.Exp(c[j]*c[j]/a.Temperature) / sum
					if i == j {
						p--
					}
					dc := a.Align * p * 2 * c[j] / a.Temperature
					if dc == 0 {
						continue
					}
					nx, ny := norm(x), norm(mean[j]) // d cos(x, y) / dx = (y/|y| - cos x/|x|) / |x|
					add(u, dc/(nx*ny), mean[j])
					add(u, -dc*c[j]/(nx*nx), x)
					add(dmean[j], dc/(nx*ny), x)
					add(dmean[j], -dc*c[j]/(ny*ny), mean[j])
				}
			}
		}
		for j := range w {
			for t := range m {
				add(u(t, first+j), 1, dmean[j])
			}
		}
	}
}

// entropyOfRow adds the gradient of the entropy of the tasks' shares in row i, which it returns.
func entropyOfRow(a kernels.Saliency, m, i int, x, u func(t, i int) []float64) (entropy float64) {
	part, sign, size := make([]float64, m), make([]float64, m), 0.0
	for t := range part {
		for _, v := range x(t, i) {
			part[t] += v / float64(a.Width)
		}
		sign[t] = 1
		if part[t] < 0 {
			sign[t], part[t] = -1, -part[t]
		}
		size += part[t]
	}
	if size == 0 {
		return 0
	}
	all, mean := 1+float64(m)*a.Floor, 0.0
	for t := range part {
		part[t] /= size
		p := (part[t] + a.Floor) / all
		entropy -= p * math.Log(p)
		mean += part[t] * math.Log(p)
	}
	for t := range part {
		p := (part[t] + a.Floor) / all
		g := a.Entropy * sign[t] * (mean - math.Log(p)) / (all * size * float64(a.Width))
		for k := range u(t, i) {
			u(t, i)[k] += g
		}
	}
	return entropy
}

// add is dst += f*x.
func add(dst []float64, f float64, x []float64) {
	for k, v := range x {
		dst[k] += f * v
	}
}

func norm(x []float64) float64 { return math.Sqrt(dot(x, x)) }

// cosine is 0 where a vector is.
func cosine(x, y []float64) float64 {
	if size := norm(x) * norm(y); size > 0 {
		return dot(x, y) / size
	}
	return 0
}
