package main

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"artel/internal/mixture"
)

// TestPeers checks that the Python peers time the shapes of the table.
func TestPeers(t *testing.T) {
	text, err := os.ReadFile("peers.py")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`\("([0-9.]+B)", (\d+), (\d+), (\d+), (\d+), (\d+)\)`).FindAllStringSubmatch(string(text), -1)
	if len(rows) != len(published) {
		t.Fatalf("%d shapes, want %d", len(rows), len(published))
	}
	for i, r := range rows {
		var n [5]int
		for j := range n {
			n[j], _ = strconv.Atoi(r[j+2])
		}
		if got := (mixture.Shape{T: n[0], D: n[1], F: n[2], E: n[3], K: n[4]}); r[1] != published[i].model || got != published[i].Shape {
			t.Errorf("%d: %s %v, want %s %v", i, r[1], got, published[i].model, published[i].Shape)
		}
	}
}
