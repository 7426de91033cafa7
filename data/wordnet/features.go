package wordnet

import "strings"

// Features appends the ids of a gloss's features to dst: every word, every pair of neighbouring words, and every run of 3 to 5 letters of a word with
// its borders marked, each hashed (FNV-1a, 32 bits) into [0,buckets). A feature that occurs twice is there twice. Words are runs of letters and digits,
// in lower case.
func Features(dst []int32, gloss string, buckets int) []int32 {
	prev := uint32(0)
	for _, word := range strings.FieldsFunc(gloss, separates) {
		word = strings.ToLower(word)
		h := hash(offset, 'w')
		for i := 0; i < len(word); i++ {
			h = hash(h, word[i])
		}
		dst = append(dst, bucket(h, buckets))
		if prev != 0 {
			dst = append(dst, bucket(prev*prime^h, buckets))
		}
		prev = h
		dst = grams(dst, word, buckets)
	}
	return dst
}

// grams appends the runs of 3 to 5 bytes of ^word$.
func grams(dst []int32, word string, buckets int) []int32 {
	n := len(word) + 2
	for size := 3; size <= 5; size++ {
		for i := 0; i+size <= n; i++ {
			h := hash(offset, 'g')
			for j := i; j < i+size; j++ {
				switch j {
				case 0:
					h = hash(h, '^')
				case n - 1:
					h = hash(h, '$')
				default:
					h = hash(h, word[j-1])
				}
			}
			dst = append(dst, bucket(h, buckets))
		}
	}
	return dst
}

// separates reports whether a rune is outside words.
func separates(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 127)
}

// FNV-1a.
const (
	offset uint32 = 2166136261
	prime  uint32 = 16777619
)

func hash(h uint32, b byte) uint32 { return (h ^ uint32(b)) * prime }

func bucket(h uint32, buckets int) int32 { return int32(uint64(h) * uint64(buckets) >> 32) }
