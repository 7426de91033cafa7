package data

import (
	"artel/config"
	"artel/internal/registry"
	"artel/rng"

	"github.com/pkg/errors"
)

// Config describes where batches come from.
type Config struct {
	Domains  []Domain      `yaml:"domains" doc:"sources of rows"`
	Sampler  config.Member `yaml:"sampler" doc:"how a batch is shared among domains (and among the tasks of a domain with owned rows)"`
	Prefetch int           `yaml:"prefetch" doc:"batches made ahead in the background; 0: none" range:"0..64"`
}

// Domain describes one source in a mixture.
type Domain struct {
	Source config.Member `yaml:"source" doc:"data source"`
	Rows   string        `yaml:"rows" doc:"shared: every row counts for all tasks of the source; owned: every row is drawn for one task" oneof:"shared owned"`
	Weight float64       `yaml:"weight" doc:"factor of the size that the sampler sees" range:"0<.."`
}

// SetDefaults makes a domain of shared rows.
func (d *Domain) SetDefaults() { *d = Domain{Rows: "shared", Weight: 1} }

// Task is a task of a mixture.
type Task struct {
	TaskSpec
	Domain int
	Local  int // number among the tasks of its domain
}

// Mixture is the built sources of a Config.
type Mixture struct {
	Specs []Spec
	Tasks []Task

	sources []Source
	owned   []bool
	units   []unit
	sizes   []float64
	sampler Sampler
	first   []int // first task of a domain
}

// unit is what a sampler shares a batch among; task is -1 for a domain with shared rows.
type unit struct{ domain, task int }

// NewMixture builds the sources and the sampler. cfg's members then hold the effective options.
func NewMixture(cfg *Config) (*Mixture, error) {
	m := &Mixture{}
	if len(cfg.Domains) == 0 {
		return nil, errors.New("data: no domains; want at least one source")
	}
	for i := range cfg.Domains {
		d := &cfg.Domains[i]
		s, err := BuildSource(&d.Source)
		if err != nil {
			return nil, err
		}
		if err := m.add(s, d.Rows == "owned", d.Weight); err != nil {
			return nil, err
		}
	}
	var err error
	m.sampler, err = buildSampler(&cfg.Sampler)
	return m, err
}

// NewMemoryMixture is a mixture of one source over the caller's arrays, with shared or owned rows.
func NewMemoryMixture(src *Memory, owned bool) (*Mixture, error) {
	if err := src.check(); err != nil {
		return nil, err
	}
	m := &Mixture{sampler: power{1}}
	return m, m.add(src, owned, 1)
}

// add appends a source with its tasks and units.
func (m *Mixture) add(s Source, owned bool, weight float64) error {
	spec, d := s.Spec(), len(m.sources)
	m.sources, m.Specs = append(m.sources, s), append(m.Specs, spec)
	m.owned, m.first = append(m.owned, owned), append(m.first, len(m.Tasks))
	size := float64(s.Len(Train)) * weight
	if !owned {
		m.units, m.sizes = append(m.units, unit{d, -1}), append(m.sizes, size)
	}
	for local, t := range spec.Tasks {
		for _, old := range m.Tasks {
			if old.Name == t.Name {
				return errors.Errorf("data: two tasks are called %q", t.Name)
			}
		}
		if owned {
			m.units, m.sizes = append(m.units, unit{d, len(m.Tasks)}), append(m.sizes, size)
		}
		m.Tasks = append(m.Tasks, Task{t, d, local})
	}
	return nil
}

// TaskIndex returns the number of the task called name, or an error with the nearest name.
func (m *Mixture) TaskIndex(name string) (int, error) {
	var names []string
	for i, t := range m.Tasks {
		if t.Name == name {
			return i, nil
		}
		names = append(names, t.Name)
	}
	if near := registry.Nearest(name, names); near != "" {
		return 0, errors.Errorf("task %q is unknown; did you mean %q?", name, near)
	}
	return 0, errors.Errorf("task %q is unknown, want one of %v", name, names)
}

// maker fills batches; it belongs to one goroutine.
type maker struct {
	m      *Mixture
	rows   int
	stream rng.Stream
	cursor Cursor
	shares []float64
	counts []int
}

func newMaker(m *Mixture, rows int, seed rng.Stream) *maker {
	return &maker{
		m: m, rows: rows, stream: seed.Sub("data"), cursor: Cursor{Pos: make([]uint64, len(m.sources))},
		shares: make([]float64, len(m.units)), counts: make([]int, len(m.units)),
	}
}

// next makes the training batch at the cursor and moves on.
func (k *maker) next(b *Batch) {
	k.m.sampler.Shares(k.cursor.Batch, k.m.sizes, k.shares)
	counts(k.shares, k.rows, k.stream.Sub("counts").At(uint64(k.cursor.Batch)), k.counts)
	b.begin(k.m)
	for i, u := range k.m.units {
		if k.counts[i] > 0 {
			k.fill(b, u, k.counts[i])
		}
	}
	k.cursor.Batch++
	k.cursor.copyTo(&b.cursor)
}

// fill appends n training rows of a unit.
func (k *maker) fill(b *Batch, u unit, n int) {
	d := u.domain
	src := k.m.sources[d]
	size := uint64(src.Len(Train))
	e, ok := src.(Endless)
	endless := ok && e.Endless()
	stream := k.stream.Sub("rows", uint64(d))
	b.open(k.m, u, n)
	for r := 0; r < n; r++ {
		at := k.cursor.Pos[d]
		i := at
		if !endless {
			i = permute(stream.Sub("epoch", at/size), at%size, size)
		}
		b.row(k.m, u, src, Train, i, stream.At(at), at)
		k.cursor.Pos[d]++
	}
}
