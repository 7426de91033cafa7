package emu

import "math"

// matrixShape is a form of mma.sync: D[16,8] = A[16,k] B[k,8] + C.
type matrixShape struct {
	k    int
	per  int                  // elements of a 32-bit register: 1 for tf32, 2 for 16 bits, 4 for 8 bits
	load func(uint16) float32 // of 16 bits
	half bool                 // C and D are f16
	// Integers of 8 bits.
	whole        bool
	signA, signB bool
	saturate     bool
	a, b, c, d   []int32
}

// matrixMultiply is mma.sync: products of bf16, f16 and tf32 with sums in float32, of f16 with sums rounded to f16, of 8-bit integers with exact sums in 32 bits.
func matrixMultiply(d *decoder) {
	if !d.count(4) {
		return
	}
	d.allow("sync", "aligned", "row", "col", "m16n8k32", "m16n8k16", "m16n8k8", "m16n8k4", "satfinite")
	mods := d.in.Mods
	sat := d.has("satfinite")
	if sat && len(mods) == 10 && mods[5] == "satfinite" {
		mods = append(append([]string(nil), mods[:5]...), mods[6:]...)
	}
	if len(mods) != 9 {
		d.fail("shape, layouts and four types are wanted")
		return
	}
	s := matrixShape{saturate: sat}
	if mods[3] != "row" || mods[4] != "col" || !s.types(mods[5:], map[string]int{"m16n8k32": 32, "m16n8k16": 16, "m16n8k8": 8, "m16n8k4": 4}[mods[2]]) || sat && !s.whole {
		d.fail("this form is not supported")
		return
	}
	s.a, s.b = d.registers(d.arg(1), 16*s.k/32/s.per, false), d.registers(d.arg(2), 8*s.k/32/s.per, false)
	sums := 4
	if s.half {
		sums = 2
	}
	s.c, s.d = d.registers(d.arg(3), sums, false), d.registers(d.arg(0), sums, true)
	flops := uint64(2 * 16 * 8 * s.k)
	multiply := s.multiply
	if s.whole {
		multiply = s.multiplyWhole
	}
	d.emit(Matrix, func(w *warp, in *inst) {
		if w.whole(in, BadMask) {
			w.blk.count.TensorFLOPs += flops
			multiply(w)
		}
	})
}

// types takes the types of D, A, B and C, and reports whether the form exists with sums over k.
func (s *matrixShape) types(t []string, k int) bool {
	s.k = k
	switch t[1] {
	case "bf16":
		s.per, s.load = 2, brainToFloat
	case "f16":
		s.per, s.load, s.half = 2, halfToFloat, t[0] == "f16"
	case "tf32":
		s.per = 1
	case "s8", "u8":
		s.per, s.whole, s.signA, s.signB = 4, true, t[1] == "s8", t[2] == "s8"
		return t[0] == "s32" && t[3] == "s32" && (t[2] == "s8" || t[2] == "u8") && (k == 16 || k == 32)
	default:
		return false
	}
	sums := "f32"
	if s.half {
		sums = "f16"
	}
	return t[2] == t[1] && t[0] == sums && t[3] == sums && (k == 4*s.per || k == 8*s.per)
}

// row and col are where element e of register r of A lies for a lane (PTX ISA, matrix fragments for mma); B's elements lie at row col(l, 2r, e), column l/4.
func (s *matrixShape) row(l, r int) int    { return l>>2 + r&1*8 }
func (s *matrixShape) col(l, r, e int) int { return l&3*s.per + r>>1*4*s.per + e }

// multiply gathers the fragments, multiplies in float32 and adds k ascending.
func (s *matrixShape) multiply(w *warp) {
	var x [16][16]float32
	var y [16][8]float32
	if s.per == 1 {
		for r, at := range s.a {
			for l, v := range reg[uint32](w, at) {
				x[s.row(l, r)][s.col(l, r, 0)] = tensorFloat(v)
			}
		}
		for r, at := range s.b {
			for l, v := range reg[uint32](w, at) {
				y[s.col(l, 2*r, 0)][l>>2] = tensorFloat(v)
			}
		}
	} else {
		for r, at := range s.a {
			for l, v := range reg[[2]uint16](w, at) {
				row, col := l>>2+r&1*8, l&3*2+r>>1*8
				x[row][col], x[row][col+1] = s.load(v[0]), s.load(v[1])
			}
		}
		for r, at := range s.b {
			for l, v := range reg[[2]uint16](w, at) {
				row := l&3*2 + r*8
				y[row][l>>2], y[row+1][l>>2] = s.load(v[0]), s.load(v[1])
			}
		}
	}
	var z [16][8]float32
	if s.half {
		for r, at := range s.c {
			for l, v := range reg[[2]uint16](w, at) {
				z[l>>2+r*8][l&3*2], z[l>>2+r*8][l&3*2+1] = halfToFloat(v[0]), halfToFloat(v[1])
			}
		}
	} else {
		for r, at := range s.c {
			for l, v := range reg[float32](w, at) {
				z[l>>2+r>>1*8][l&3*2+r&1] = v
			}
		}
	}
	for i := range z {
		rowTimes(&z[i], x[i][:s.k], &y)
	}
	if s.half {
		for r, at := range s.d {
			out := reg[[2]uint16](w, at)
			for l := range out {
				out[l] = [2]uint16{floatToHalf(z[l>>2+r*8][l&3*2]), floatToHalf(z[l>>2+r*8][l&3*2+1])}
			}
		}
		return
	}
	for r, at := range s.d {
		out := reg[float32](w, at)
		for l := range out {
			out[l] = oneNaN(z[l>>2+r>>1*8][l&3*2+r&1])
		}
	}
}

// oneNaN replaces every NaN by the one that tensor cores make: all bits but the sign.
func oneNaN(x float32) float32 {
	if x != x {
		return math.Float32frombits(0x7fffffff)
	}
	return x
}

// multiplyWhole multiplies 8-bit integers. Sums wrap around, or stop at the ends of 32 bits with .satfinite.
func (s *matrixShape) multiplyWhole(w *warp) {
	var x [16][32]int64
	var y [32][8]int64
	value := func(v uint8, signed bool) int64 {
		if signed {
			return int64(int8(v))
		}
		return int64(v)
	}
	for r, at := range s.a {
		for l, v := range reg[[4]uint8](w, at) {
			for e := range v {
				x[s.row(l, r)][s.col(l, r, e)] = value(v[e], s.signA)
			}
		}
	}
	for r, at := range s.b {
		for l, v := range reg[[4]uint8](w, at) {
			for e := range v {
				y[s.col(l, 2*r, e)][l>>2] = value(v[e], s.signB)
			}
		}
	}
	var z [16][8]int64
	for r, at := range s.c {
		for l, v := range reg[int32](w, at) {
			i, j := l>>2+r>>1*8, l&3*2+r&1
			z[i][j] = int64(v)
			for k := range s.k {
				z[i][j] += x[i][k] * y[k][j]
			}
			if s.saturate {
				z[i][j] = max(-1<<31, min(1<<31-1, z[i][j]))
			}
		}
	}
	for r, at := range s.d {
		out := reg[int32](w, at)
		for l := range out {
			out[l] = int32(z[l>>2+r>>1*8][l&3*2+r&1])
		}
	}
}

// rowTimes adds the product of a row and a matrix of eight columns to z.
func rowTimes(z *[8]float32, x []float32, y *[16][8]float32) {
	z0, z1, z2, z3, z4, z5, z6, z7 := z[0], z[1], z[2], z[3], z[4], z[5], z[6], z[7]
	for k, v := range x {
		r := &y[k&15]
		z0 += v * r[0]
		z1 += v * r[1]
		z2 += v * r[2]
		z3 += v * r[3]
		z4 += v * r[4]
		z5 += v * r[5]
		z6 += v * r[6]
		z7 += v * r[7]
	}
	*z = [8]float32{z0, z1, z2, z3, z4, z5, z6, z7}
}
