package optim

import (
	"path"
	"testing"

	"pgregory.net/rapid"
)

// TestDistance checks known distances, and that a distance of 0 means a match.
func TestDistance(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          int
	}{
		{"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"*", "abc", 0}, {"a*c", "abbbc", 0}, {"a*d", "abbbc", 1},
		{"*.up", "experts.0.up", 0}, {"*.upp", "experts.0.up", 1}, {"?bc", "abc", 0}, {"?", "", 1}, {"**", "", 0}, {"ba", "ab", 2},
	} {
		if got := distance(c.pattern, c.name); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.pattern, c.name, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?]{0,6}`).Draw(t, "pattern")
		name := rapid.StringMatching(`[ab]{0,6}`).Draw(t, "name")
		match, err := path.Match(pattern, name)
		if err != nil {
			t.Fatal(err)
		}
		if d := distance(pattern, name); match != (d == 0) {
			t.Fatalf("match %v at distance %d", match, d)
		}
	})
}
