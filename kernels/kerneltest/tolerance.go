package kerneltest

import (
	"math"

	"artel/dtype"
)

var nan = math.NaN()

// tolerance is the relative error allowed in type d for a sum of k terms.
func tolerance(d dtype.Type, k int) float64 {
	unit := 0x1p-24
	if d == dtype.F64 {
		unit = 0x1p-53
	}
	return unit * (8 + 4*math.Sqrt(float64(k)))
}
