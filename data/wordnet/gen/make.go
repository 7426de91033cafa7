package main

import (
	"bytes"
	"compress/flate"
	"hash/fnv"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"artel/data/wordnet"

	"github.com/pkg/errors"
)

// gloss is one synset's definition.
type gloss struct {
	text       string
	pos, field uint8
	order      uint64 // hash that the sample is drawn by
}

// Make reads the data files in dir and returns the blob: 20,000 synsets, taken in the order of a hash of their text, the last 2,000 for the test. A text
// that several synsets share is left out, so that none is in both splits or has two answers.
func Make(dir string) ([]byte, error) {
	var all []gloss
	count := map[string]int{}
	for i, name := range []string{"data.noun", "data.verb", "data.adj", "data.adv"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		for n, line := range strings.Split(string(raw), "\n") {
			if line == "" || strings.HasPrefix(line, "  ") { // the licence at the top
				continue
			}
			g, err := parse(line, uint8(i))
			if err != nil {
				return nil, errors.Wrapf(err, "%s:%d", name, n+1)
			}
			count[g.text]++
			all = append(all, g)
		}
	}
	kept := all[:0]
	for _, g := range all {
		if count[g.text] == 1 && len(g.text) > 3 {
			kept = append(kept, g)
		}
	}
	sort.Slice(kept, func(i, j int) bool { return kept[i].order < kept[j].order })
	const n = wordnet.Train + wordnet.Test
	if len(kept) < n {
		return nil, errors.Errorf("%d glosses, want %d", len(kept), n)
	}
	return pack(kept[:n])
}

// parse reads `offset lexfile pos ... | definition; "example"`.
func parse(line string, pos uint8) (gloss, error) {
	head, text, ok := strings.Cut(line, " | ")
	fields := strings.Fields(head)
	if !ok || len(fields) < 3 {
		return gloss{}, errors.New("not a synset")
	}
	field, err := strconv.Atoi(fields[1])
	if err != nil || field >= len(wordnet.FieldNames) {
		return gloss{}, errors.Errorf("lexicographer file %q", fields[1])
	}
	text = definition(text)
	h := fnv.New64a()
	h.Write([]byte(text))
	return gloss{text, pos, uint8(field), h.Sum64()}, nil
}

// definition is the part before the first semicolon that is in no parenthesis, without examples.
func definition(s string) string {
	depth := 0
	for i, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ';' && depth <= 0, r == '"' && i > 0:
			return strings.TrimSpace(s[:i])
		}
	}
	return strings.TrimSpace(s)
}

func pack(gs []gloss) ([]byte, error) {
	var pos, field []byte
	var text bytes.Buffer
	for _, g := range gs {
		pos, field = append(pos, g.pos), append(field, g.field)
		text.WriteString(g.text + "\n")
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	for _, part := range [][]byte{pos, field, text.Bytes()} {
		if _, err := w.Write(part); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
