package vec

import (
	"math"

	"artel/dtype"
	"artel/rng"
)

// plain is the set in Go.
var plain = &Set{Name: "go", Dot: dot, Axpy: axpy, Scale: scale, SiluMul: siluMul, SiluMulGrad: siluMulGrad, Dropout: dropout, Adam: adam,
	ReLU: relu, ReLUGrad: reluGrad, Round: round, Widen: widen}

func dot(x, y []float32) float32 {
	var s [64]float32
	y = y[:len(x)]
	for len(x) >= 64 {
		a, b := (*[64]float32)(x), (*[64]float32)(y)
		for j := range s {
			s[j] += a[j] * b[j]
		}
		x, y = x[64:], y[64:]
	}
	for j := range x {
		s[j] += x[j] * y[j]
	}
	return tree(&s)
}

// tree adds 64 sums: four vectors of 16 pairwise, then halves.
func tree(s *[64]float32) float32 {
	for j := 0; j < 16; j++ {
		s[j] = (s[j] + s[16+j]) + (s[32+j] + s[48+j])
	}
	for h := 8; h > 0; h /= 2 {
		for j := 0; j < h; j++ {
			s[j] += s[h+j]
		}
	}
	return s[0]
}

func axpy(dst, x []float32, alpha float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] += alpha * x[i]
	}
}

func scale(dst, x []float32, alpha float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = alpha * x[i]
	}
}

func siluMul(a, g, u []float32, s float32) {
	g, u = g[:len(a)], u[:len(a)]
	for i := range a {
		a[i] = s * (g[i] * Sigmoid(g[i])) * u[i]
	}
}

func siluMulGrad(dg, du, g, u, da []float32, s float32) float32 {
	var sum [64]float32
	for i := range dg {
		sig := Sigmoid(g[i])
		silu := g[i] * sig
		d := s * da[i]
		sum[i%64] += da[i] * silu * u[i]
		dg[i] = d * u[i] * (sig + silu*(1-sig))
		du[i] = d * silu
	}
	return tree(&sum)
}

func adam(p, g, m, v []float32, c *AdamStep) {
	g, m, v = g[:len(p)], m[:len(p)], v[:len(p)]
	for i := range p {
		x := c.Scale*g[i] + c.L2*p[i]
		m[i] = c.B1*m[i] + c.NB1*x
		v[i] = c.B2*v[i] + c.NB2*x*x
		p[i] = c.Keep*p[i] - c.Rate*m[i]/(float32(math.Sqrt(float64(v[i])))*c.Root+c.Eps)
	}
}

func dropout(dst, x []float32, key, hi uint64, cut uint32, scale float32) {
	for j := 0; j < len(dst); j += 4 {
		w := rng.Philox(key, hi, uint64(j/4))
		for k := 0; k < 4 && j+k < len(dst); k++ {
			dst[j+k] = 0
			if w[k] >= cut {
				dst[j+k] = x[j+k] * scale
			}
		}
	}
}

func relu(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = max(x[i], 0)
	}
}

func reluGrad(dx, x, dy []float32) {
	x, dy = x[:len(dx)], dy[:len(dx)]
	for i := range dx {
		g := dy[i]
		if x[i] <= 0 {
			g = 0
		}
		dx[i] = g
	}
}

func round(dst []uint16, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = dtype.ToBF16(x[i])
	}
}

func widen(dst []float32, x []uint16) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = dtype.FromBF16(x[i])
	}
}
