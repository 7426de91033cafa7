package gradsurgery

import (
	"fmt"
	"reflect"
	"sort"

	"artel/internal/registry"

	"github.com/pkg/errors"
)

// Traits are properties that a method claims for its default options and any number of tasks. Each claim is tested on
// generated matrices by the shared trait tests; unclaimed means "not promised", not "never".
type Traits struct {
	// NonConflicting: J g >= 0, no task gets worse to first order.
	NonConflicting bool
	// LinearUnderScaling: with every loss multiplied by its own factor, g(diag(c) J) is linear in c > 0 (Quinton & Rey 2024,
	// arXiv 2406.16232).
	LinearUnderScaling bool
	// PermutationEquivariant: renaming the tasks renames the weights.
	PermutationEquivariant bool
	// ScaleInvariant: a common factor of all losses (and so of J) does not change the weights.
	ScaleInvariant bool
	// InRowSpan: g is a combination of the task gradients. True for all methods that return weights.
	InRowSpan bool
	// NonNegative: w >= 0.
	NonNegative bool
	// Stationary: g = 0 only where some convex combination of the task gradients is 0 (a Pareto-stationary point).
	Stationary bool
	// Deterministic: no random numbers.
	Deterministic bool
}

// Entry describes one member of the registry.
type Entry struct {
	Name   string   // the word users write
	Ref    string   // paper, arXiv id, equation
	Doc    string   // the rule as a formula, and what it does in corner cases
	Traits Traits   // claimed properties
	Golden []string // names of the methods in testdata that check it
	// Config returns a pointer to an options struct that holds the defaults (fields with yaml and doc tags).
	Config func() any
	// New builds the method from a pointer like the one Config returns.
	New func(cfg any, tasks, units int) (Method, error)
}

// EntryName returns the name.
func (e Entry) EntryName() string { return e.Name }

var table = registry.New[Entry]("surgery method")

// Register adds a member; call it from init. It panics on a duplicate name and after the first look-up.
func Register(e Entry) {
	if e.Config == nil || e.New == nil {
		panic(fmt.Sprintf("gradsurgery: entry %q lacks Config or New", e.Name))
	}
	table.Register(e)
}

// Entries returns all members in the order of their names.
func Entries() []Entry { return table.All() }

// Lookup returns the member called name, or an error with the nearest name.
func Lookup(name string) (Entry, error) { return table.Lookup(name) }

// New builds the method called name for a model with this many tasks (1..MaxTasks) and units (>= 1). cfg is a pointer to the
// member's options struct, or nil for its defaults.
func New(name string, cfg any, tasks, units int) (*Surgery, error) {
	e, err := table.Lookup(name)
	if err != nil {
		return nil, errors.Wrap(err, "gradsurgery")
	}
	return e.build(cfg, tasks, units)
}

func (e Entry) build(cfg any, tasks, units int) (*Surgery, error) {
	if tasks < 1 || tasks > MaxTasks {
		return nil, errors.Errorf("gradsurgery: %s: %d tasks, want 1..%d", e.Name, tasks, MaxTasks)
	}
	if units < 1 {
		return nil, errors.Errorf("gradsurgery: %s: %d units, want at least 1", e.Name, units)
	}
	def := e.Config()
	if cfg == nil {
		cfg = def
	}
	if got, want := reflect.TypeOf(cfg), reflect.TypeOf(def); got != want {
		return nil, errors.Errorf("gradsurgery: %s: options of type %v, want %v", e.Name, got, want)
	}
	if v := reflect.ValueOf(cfg); v.Kind() != reflect.Pointer || v.IsNil() {
		return nil, errors.Errorf("gradsurgery: %s: options are %v, want a non-nil pointer", e.Name, cfg)
	}
	m, err := e.New(cfg, tasks, units)
	if err != nil {
		return nil, errors.Wrapf(err, "gradsurgery: %s", e.Name)
	}
	s := &Surgery{Entry: e, Needs: m.Needs(), tasks: tasks, units: units, method: m}
	s.columner, _ = m.(Columner)
	s.tracker, _ = m.(Tracker)
	s.after, _ = m.(AfterStepper)
	if st, ok := m.(Stateful); ok {
		s.state = st.State()
		sort.SliceStable(s.state, func(i, j int) bool { return s.state[i].Name < s.state[j].Name })
	}
	if err := s.consistent(); err != nil {
		return nil, err
	}
	return s, nil
}
