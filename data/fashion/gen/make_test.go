package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"

	"artel/data/fashion"
)

// TestBlob checks the embedded set against the hash of its decoded contents.
func TestBlob(t *testing.T) {
	train, test, err := fashion.Load()
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	var count [10]int
	for _, s := range []*fashion.Images{train, test} {
		h.Write(s.Labels)
		h.Write(s.Pixels)
		for _, l := range s.Labels {
			count[l]++
		}
		for _, p := range s.Pixels {
			if p > fashion.Level {
				t.Fatalf("pixel %d", p)
			}
		}
	}
	for c, n := range count {
		if n < 1100 || n > 1300 {
			t.Errorf("class %s has %d images, want about 1200", fashion.Names[c], n)
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("sha256 of the decoded set is %s, want %s", got, want)
	}
}

// want is the hash of train labels, train pixels, test labels, test pixels.
const want = "cbdac943a697d830bcf5fe4df606e6dd594ee92d648f69fa720a3608fe148966"

// TestRegenerate makes the blob again where the original files are at hand.
func TestRegenerate(t *testing.T) {
	dir := os.Getenv("FASHION_MNIST")
	if dir == "" {
		t.Skip("FASHION_MNIST does not name the directory of the IDX files (Debian package dataset-fashion-mnist)")
	}
	got, err := Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../fashion.bin")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, committed) {
		t.Errorf("the generator makes %d bytes that differ from the committed %d", len(got), len(committed))
	}
}
