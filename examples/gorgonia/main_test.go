package main

import "testing"

// TestTrain: a short run learns what chance (10 %) and a model without gradients do not.
func TestTrain(t *testing.T) {
	accuracy, err := train(80, func(int, float64) {})
	if err != nil {
		t.Fatal(err)
	}
	if accuracy < 0.65 {
		t.Errorf("accuracy %.3f after 80 steps, want 0.65", accuracy)
	}
}
