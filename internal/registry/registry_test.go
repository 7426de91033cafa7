package registry

import (
	"strings"
	"testing"
)

type entry string

func (e entry) EntryName() string { return string(e) }

func mustPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if r := recover(); r == nil || !strings.Contains(r.(string), want) {
			t.Errorf("panic %v, want one with %q", r, want)
		}
	}()
	f()
}

func TestTable(t *testing.T) {
	tab := New[entry]("router")
	tab.Register("task_aware")
	tab.Register("hash")
	mustPanic(t, "twice", func() { tab.Register("hash") })
	mustPanic(t, "lower case", func() { tab.Register("Top K") })
	if got, err := tab.Lookup("hash"); err != nil || got != "hash" {
		t.Fatalf("Lookup = %v, %v", got, err)
	}
	mustPanic(t, "after the first look-up", func() { tab.Register("late") })
	_, err := tab.Lookup("taskaware")
	if err == nil || !strings.Contains(err.Error(), `did you mean "task_aware"`) || !strings.Contains(err.Error(), "hash, task_aware") {
		t.Errorf("Lookup of a misspelt name: %v", err)
	}
	if ns := tab.Names(); len(ns) != 2 || ns[0] != "hash" || len(tab.All()) != 2 {
		t.Errorf("names %v", ns)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"pcgrad", "mgda", "cagrad", "uncertainty"}
	for in, want := range map[string]string{"pcgrd": "pcgrad", "gmda": "mgda", "uncertanty": "uncertainty", "zzzzzzzz": "", "": ""} {
		if got := Nearest(in, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", in, got, want)
		}
	}
}
