package kerneltest_test

import (
	"testing"

	"artel/kernels/kerneltest"
	"artel/kernels/ref"
)

// TestRef runs the suite on the reference itself: it proves that the suite's inputs keep the contract, that the reference
// touches nothing but its outputs, and that its plans are plans.
func TestRef(t *testing.T) {
	kerneltest.RunWith(t, ref.New(), kerneltest.Options{RequireAll: true})
}
