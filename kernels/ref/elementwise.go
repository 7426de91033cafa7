package ref

import (
	"math"

	"artel/kernels"
	"artel/tensor"
)

func mapElements(a kernels.Map) {
	X, dst, f := mat(a.X), mat(a.Dst), functions[a.F].value
	for i := 0; i < dst.rows; i++ {
		for j, x := range X.row(i) {
			*dst.ptr(i, j) = f(x)
		}
	}
}

func mapGrad(a kernels.MapGrad) {
	X, DY, DX, act, slope := mat(a.X), mat(a.DY), mat(a.DX), index(ivec(a.Act)), functions[a.F].slope
	for c := 0; c < DX.rows; c++ {
		for j, x := range X.row(act.of(c)) {
			put(DX.ptr(c, j), slope(x)*DY.at(c, j), a.Accumulate)
		}
	}
}

func mul(a kernels.Mul) {
	X, Y, dst, act := mat(a.X), mat(a.Y), mat(a.Dst), index(ivec(a.Act))
	for c := 0; c < dst.rows; c++ {
		for j, x := range X.row(act.of(c)) {
			put(dst.ptr(c, j), x*Y.at(c, j), a.Accumulate)
		}
	}
}

func gated(a kernels.Gated) {
	H, A, scale, f := mat(a.H), mat(a.A), vec(a.Scale), gateFunction[a.Gate].value
	for r := 0; r < validRows(a.Rows, A.rows); r++ {
		for j := 0; j < A.cols; j++ {
			v := f(H.at(r, j))
			if a.Gate == kernels.SwiGLU {
				v *= H.at(r, A.cols+j)
			}
			*A.ptr(r, j) = weight(scale, r) * v
		}
	}
}

func gatedGrad(a kernels.GatedGrad) {
	H, DA, DH, act := mat(a.H), mat(a.DA), mat(a.DH), index(ivec(a.Act))
	scale, dScale, f := vec(a.Scale), vec(a.DScale), gateFunction[a.Gate]
	F := DA.cols
	for c := 0; c < validRows(a.Rows, DA.rows); c++ {
		r := act.of(c)
		s := weight(scale, r)
		var sum float64 // <dA[c,:], a>
		for j := 0; j < F; j++ {
			h, d := H.at(r, j), DA.at(c, j)
			if a.Gate == kernels.SwiGLU {
				u := H.at(r, F+j)
				sum += d * f.value(h) * u
				put(DH.ptr(c, j), s*f.slope(h)*u*d, a.Accumulate)
				put(DH.ptr(c, F+j), s*f.value(h)*d, a.Accumulate)
			} else {
				sum += d * f.value(h)
				put(DH.ptr(c, j), s*f.slope(h)*d, a.Accumulate)
			}
		}
		if dScale != nil {
			dScale[c] = sum
		}
	}
}

// validRows returns rows[0], or n when rows is none.
func validRows(rows tensor.Tensor, n int) int {
	if rows.Ok() {
		return int(ivec(rows)[0])
	}
	return n
}

func rowScale(a kernels.RowScale) {
	Y, dst, s, act := mat(a.Y), mat(a.Dst), vec(a.S), index(ivec(a.Act))
	for c := 0; c < dst.rows; c++ {
		for j, y := range Y.row(c) {
			put(dst.ptr(c, j), s[act.of(c)]*y, a.Accumulate)
		}
	}
}

func rowDot(a kernels.RowDot) {
	X, Y, dst, act := mat(a.X), mat(a.Y), vec(a.Dst), index(ivec(a.Act))
	for c := range dst {
		put(&dst[c], dot(X.row(act.of(c)), Y.row(c)), a.Accumulate)
	}
}

func dropout(a kernels.Dropout) {
	X, dst, keys, act := mat(a.X), mat(a.Dst), imat(a.Keys), index(ivec(a.Act))
	for c := 0; c < dst.rows; c++ {
		hi := counter(keys.row(act.of(c)))
		for j, x := range X.row(c) {
			var v float64
			if word := a.Key.Block(hi, uint64(j/4))[j%4]; float64(word) >= a.P*0x1p32 {
				v = x / (1 - a.P)
			}
			put(dst.ptr(c, j), v, a.Accumulate)
		}
	}
}

// counter joins the two halves of a row's key.
func counter(k []int32) uint64 { return uint64(uint32(k[0])) | uint64(uint32(k[1]))<<32 }

func noise(a kernels.Noise) {
	dst, keys := mat(a.Dst), imat(a.Keys)
	for i := 0; i < dst.rows; i++ {
		for j := 0; j < dst.cols; j++ {
			w := a.Key.Block(counter(keys.row(i)), uint64(j))
			u, v := (float64(w[0])+1)*0x1p-32, float64(w[2])*0x1p-32
			*dst.ptr(i, j) = math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
		}
	}
}

func addByRow(a kernels.AddByRow) {
	X, dst, table := mat(a.X), mat(a.Dst), mat(a.Table)
	for i, r := range ivec(a.Row) {
		for j, x := range X.row(i) {
			if r >= 0 {
				x += table.at(int(r), j)
			}
			*dst.ptr(i, j) = x
		}
	}
}
