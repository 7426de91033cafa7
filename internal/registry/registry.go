// Package registry keeps named members (routers, optimizers, surgery methods, losses, data sets) that register themselves.
//
// A member is registered from an init function, in this module or in another one. The table freezes at its first
// look-up: what a program can name does not change while it runs. Registering a name twice, an unusable name, or after
// the freeze panics, because it is a mistake of the program and not of its user.
package registry

import (
	"fmt"
	"sort"
	"strings"
	"sync"
)

// Named is what a registered member must tell: the name users write in a config file.
type Named interface{ EntryName() string }

// Table holds the members of one kind.
type Table[E Named] struct {
	kind   string
	mu     sync.Mutex
	frozen bool
	m      map[string]E
}

// New returns an empty table; kind is the word used in messages, such as "optimizer".
func New[E Named](kind string) *Table[E] { return &Table[E]{kind: kind, m: map[string]E{}} }

// Register adds e. It panics on a duplicate, on an unusable name, and after the first look-up.
func (t *Table[E]) Register(e E) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := e.EntryName()
	if name == "" || strings.ToLower(name) != name || strings.ContainsAny(name, " \t\n:=,./") {
		panic(fmt.Sprintf("registry: %s name %q: want lower case without blanks or any of := , . /", t.kind, name))
	}
	if t.frozen {
		panic(fmt.Sprintf("registry: %s %q registered after the first look-up; register from init", t.kind, name))
	}
	if _, dup := t.m[name]; dup {
		panic(fmt.Sprintf("registry: %s %q registered twice", t.kind, name))
	}
	t.m[name] = e
}

// Lookup returns the member called name, or an error that lists the nearest name and all names.
func (t *Table[E]) Lookup(name string) (E, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.frozen = true
	if e, ok := t.m[name]; ok {
		return e, nil
	}
	var zero E
	names := t.names()
	if near := Nearest(name, names); near != "" {
		return zero, fmt.Errorf("%s %q is unknown; did you mean %q? (known: %s)", t.kind, name, near, strings.Join(names, ", "))
	}
	return zero, fmt.Errorf("%s %q is unknown (known: %s)", t.kind, name, strings.Join(names, ", "))
}

// All returns the members in the order of their names.
func (t *Table[E]) All() []E {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.frozen = true
	out := make([]E, 0, len(t.m))
	for _, n := range t.names() {
		out = append(out, t.m[n])
	}
	return out
}

// Names returns the sorted names.
func (t *Table[E]) Names() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.frozen = true
	return t.names()
}

func (t *Table[E]) names() []string {
	ns := make([]string, 0, len(t.m))
	for n := range t.m {
		ns = append(ns, n)
	}
	sort.Strings(ns)
	return ns
}
