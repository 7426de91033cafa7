package peak

import "testing"

// TestMeasure only checks that the loops run and end.
func TestMeasure(t *testing.T) {
	for _, k := range Kinds() {
		if v := k.Measure(1); !(v > 0) {
			t.Errorf("%s: %v GFLOP/s", k.Name, v)
		}
	}
}
