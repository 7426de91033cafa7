package ref_test

import (
	"testing"

	"artel/kernels/ref"
)

// TestComplete checks that the definition defines everything.
func TestComplete(t *testing.T) {
	if lack := ref.New().Missing(); len(lack) > 0 {
		t.Errorf("the reference backend lacks %v", lack)
	}
}
