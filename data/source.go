package data

import (
	"artel/config"
	"artel/internal/registry"
	"artel/rng"

	"github.com/pkg/errors"
)

// Split is a part of a source.
type Split uint8

// The splits. Val is held out of the training examples when the source is told to.
const (
	Train Split = iota
	Val
	Test
)

// String returns train, val or test.
func (s Split) String() string { return [...]string{"train", "val", "test"}[s] }

// TaskSpec describes one task of a source.
type TaskSpec struct {
	Name    string
	Classes []string // class names; nil for a task with values
	Outputs int      // values per row, for a task without classes
	Weight  float64  // suggested factor of the loss; 0 means 1
}

// Spec describes a source.
type Spec struct {
	Name    string
	Dense   int    // width of dense rows, or 0
	Image   [2]int // height and width where dense rows are images, row by row; else 0, 0
	Buckets int    // number of different ids of bag-of-ids rows, or 0
	Tasks   []TaskSpec
}

// Row is where a source writes one example. Dense and Labels have their final length on entry; IDs is appended to.
type Row struct {
	Dense  []float32 // [Spec.Dense]
	IDs    []int32
	Labels []int32     // [tasks]: class, or -1 for a missing label; unused for tasks with values
	Values [][]float32 // [tasks][outputs]; NaN for a missing value
}

// Source is a domain: examples with labels for its own tasks. It is read by one goroutine at a time.
type Source interface {
	Spec() Spec
	// Len is the number of examples of a split. For a source that makes examples up, it is the nominal size that samplers weigh by.
	Len(s Split) int
	// Fill writes example i of a split. s is the stream of this reading: a source that augments or makes up training examples draws
	// from it; i runs from 0 to Len-1, without end for a source with Endless training examples.
	Fill(split Split, i uint64, s rng.Stream, r *Row)
}

// Endless is implemented by sources whose training examples never repeat: they are numbered, not permuted.
type Endless interface{ Endless() bool }

// Entry describes one member of the registry of sources.
type Entry struct {
	Name string
	Ref  string // where the data is from, licence
	Doc  string
	// Config returns a pointer to an options struct that holds the defaults.
	Config func() any
	New    func(cfg any) (Source, error)
}

// EntryName returns the name.
func (e Entry) EntryName() string { return e.Name }

var sources = registry.New[Entry]("data source")

// Register adds a source; call it from init.
func Register(e Entry) { sources.Register(e) }

// Entries returns all sources in the order of their names.
func Entries() []Entry { return sources.All() }

// BuildSource makes the source that m names; m then holds the effective options.
func BuildSource(m *config.Member) (Source, error) {
	e, err := sources.Lookup(m.Name)
	if err != nil {
		return nil, errors.Wrap(err, "data")
	}
	cfg := e.Config()
	if err := m.Decode(cfg); err != nil {
		return nil, err
	}
	s, err := e.New(cfg)
	return s, errors.Wrapf(err, "data: %s", m.Name)
}
