package tol_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"artel/dtype"
	"artel/internal/tol"
)

// noise is a small generator of numbers in (-1, 1); the package has rank 1 and its tests need no more.
type noise uint64

func (s *noise) next() float64 {
	*s = *s*6364136223846793005 + 1442695040888963407
	return float64(int64(*s)>>11) / (1 << 52)
}

// round rounds x to d.
func round(d dtype.Type, x float64) float64 {
	switch d {
	case dtype.F64:
		return x
	case dtype.BF16:
		return float64(dtype.FromBF16(dtype.ToBF16(float32(x))))
	}
	return float64(float32(x))
}

// products returns n sums of k products: exact, and as the plainest kernel for d computes them; drop leaves one term out.
func products(d dtype.Type, n, k int, offset float64, drop bool) (got, want []float64) {
	s := noise(k)
	for range n {
		var exact, low float64 // F64 is tested against a compensated sum
		var f32 float32
		var f64 float64
		for i := range k {
			a, b := s.next()+offset, s.next()+offset
			if d != dtype.BF16 {
				a, b = round(d, a), round(d, b)
			}
			hi := a * b
			lo := math.FMA(a, b, -hi)
			sum := exact + hi
			back := sum - exact
			low += (exact - (sum - back)) + (hi - back) + lo
			exact = sum
			if drop && i == k/2 {
				continue
			}
			f32 += float32(round(d, a)) * float32(round(d, b))
			f64 += a * b
		}
		want = append(want, exact+low)
		if d == dtype.F64 {
			got = append(got, f64)
		} else {
			got = append(got, float64(f32))
		}
	}
	return got, want
}

// TestModel: the plainest summation stays within the tolerance and uses a good part of it, and one term out of k, left out, is found.
func TestModel(t *testing.T) {
	for _, d := range []dtype.Type{dtype.F64, dtype.F32, dtype.BF16} {
		for _, offset := range []float64{0, 2} {
			for _, k := range []int{1, 3, 16, 100, 1000, 4096, 20000} {
				n := max(20, 100000/k)
				got, want := products(d, n, k, offset, false)
				tol.Check(t, fmt.Sprintf("%v k=%d offset %g", d, k, offset), d, k, got, want)
				longest := 4096 // here one term is still more than the error allowed; in BF16 that ends early
				if d == dtype.BF16 {
					longest = 100
				}
				if k <= longest && offset == 0 {
					got, want = products(d, n, k, offset, true)
					if tol.Compare(tol.For(d, k), d, got, want) == nil {
						t.Errorf("%v k=%d: a term was left out, and nobody noticed", d, k)
					}
				}
				if d != dtype.BF16 && k >= 16 {
					got, want = products(d, n, k, offset, false)
					if tol.Compare(tol.For(d, k).Times(1./40), d, got, want) == nil {
						t.Errorf("%v k=%d offset %g: a fortieth of the tolerance would do", d, k, offset)
					}
				}
			}
		}
	}
}

// recorder is a test that fails in silence.
type recorder struct {
	testing.TB
	text []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.text = append(r.text, fmt.Sprintf(format, args...))
}

// TestCheckFails: every kind of difference fails a test, and nothing else does.
func TestCheckFails(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	eps := 0x1p-24
	for _, c := range []struct {
		name      string
		d         dtype.Type
		k         int
		got, want []float64
		message   string // "" passes
	}{
		{"equal", dtype.F32, 1, []float64{1, nan, inf, -inf, 0}, []float64{1, nan, inf, -inf, 0}, ""},
		{"empty", dtype.F32, 1, nil, nil, ""},
		{"within", dtype.F32, 1, []float64{1 + 5*eps}, []float64{1}, ""},
		{"outside", dtype.F32, 1, []float64{1, 1 + 13*eps}, []float64{1, 1},
			"outside: 1 of 2 elements differ; worst [1]: got 1.000000774860382, want 1: error 7.75e-07 (6.5 ulps of F32), allowed 7.15e-07 = 7.15e-07 * 1 + 1.18e-38"},
		{"longer sums", dtype.F32, 4, []float64{1 + 15*eps}, []float64{1}, ""},
		{"wide type", dtype.F64, 1, []float64{1 + 5*eps}, []float64{1}, "1 of 1 elements differ"},
		{"narrow type", dtype.BF16, 1, []float64{1.01, -2.02}, []float64{1, -2}, ""},
		{"narrow type, outside", dtype.BF16, 1, []float64{1.03}, []float64{1}, "(3.84 ulps of BF16)"},
		{"cancelled", dtype.F32, 1, []float64{3 * eps, 1, -1, 1}, []float64{0, 1, -1, 1}, ""},
		{"not cancelled", dtype.F32, 1, []float64{3 * eps}, []float64{0}, "got 1.7881393432617188e-07, want 0"},
		{"small among large", dtype.F32, 1, []float64{1e-3, 1}, []float64{1.1e-3, 1}, "worst [0]"},
		{"NaN for a number", dtype.F32, 1, []float64{2, nan, 5}, []float64{1, 1, 1}, "3 of 3 elements differ; worst [1]: got NaN, want 1"},
		{"number for a NaN", dtype.F32, 1, []float64{1}, []float64{nan}, "got 1, want NaN"},
		{"infinity", dtype.F32, 1, []float64{1e300}, []float64{inf}, "got 1e+300, want +Inf"},
		{"sign of infinity", dtype.F32, 1, []float64{-inf}, []float64{inf}, "got -Inf, want +Inf"},
		{"infinity for a number", dtype.F32, 1, []float64{inf, 1}, []float64{math.MaxFloat64, 1}, "got +Inf"},
		{"infinity for NaN", dtype.F32, 1, []float64{inf}, []float64{nan}, "got +Inf, want NaN"},
		{"near an infinity", dtype.F32, 1, []float64{inf, 1.1}, []float64{inf, 1}, "worst [1]: got 1.1, want 1"},
		{"flushed", dtype.F32, 3, []float64{0}, []float64{3e-38}, ""},
		{"flushed too much", dtype.F32, 3, []float64{0}, []float64{4e-38}, "want 4e-38"},
		{"integers", dtype.I32, 9, []float64{3, 4}, []float64{3, 5}, "worst [1]: got 4, want 5: error 1 (1 ulps of I32)"},
		{"large", dtype.F64, 1, []float64{1e308, 1.1e308}, []float64{1e308, 1e308}, "worst [1]"},
		{"length", dtype.F32, 1, []float64{1}, []float64{1, 2}, "length: got 1 elements, want 2"},
	} {
		var r recorder
		tol.Check(&r, c.name, c.d, c.k, c.got, c.want)
		if c.message == "" && len(r.text) > 0 || c.message != "" && (len(r.text) != 1 || !strings.Contains(r.text[0], c.message)) {
			t.Errorf("%s: got %q, want %q", c.name, r.text, c.message)
		}
	}
	var r recorder
	tol.Check(&r, "float32", dtype.F32, 1, []float32{1, 2}, []float32{1, 2.1})
	tol.Check(&r, "twin", dtype.F32, 1, []float32{1, 0.1}, []float64{1, 0.1}) // 0.1 rounds
	if len(r.text) != 1 || !strings.Contains(r.text[0], "float32: 1 of 2") {
		t.Errorf("float32: %q", r.text)
	}
}

func TestTable(t *testing.T) {
	for _, c := range []struct {
		d        dtype.Type
		k        int
		rel, abs float64
	}{
		{dtype.F64, 1, 12 * 0x1p-53, 0x1p-1022}, {dtype.F64, 100, 48 * 0x1p-53, 100 * 0x1p-1022}, {dtype.F32, 0, 12 * 0x1p-24, 0x1p-126},
		{dtype.F32, 64, 40 * 0x1p-24, 0x1p-120}, {dtype.BF16, 4, 16 * 0x1p-9, 0x1p-124}, {dtype.F16, 1, 12 * 0x1p-11, 0x1p-126},
		{dtype.I64, 5, 0, 0}, {dtype.Invalid, 5, 0, 0},
	} {
		if got := tol.For(c.d, c.k); got != (tol.Tol{Rel: c.rel, Abs: c.abs}) {
			t.Errorf("For(%v, %d) = %v, want %v, %v", c.d, c.k, got, c.rel, c.abs)
		}
	}
}
