package moe

import (
	"artel/autograd"
	"artel/config"
	"artel/internal/registry"
	"artel/param"
	"artel/rng"
	"artel/tensor"

	"github.com/pkg/errors"
)

// Selection is what a router decides for N rows.
type Selection struct {
	Index   tensor.Tensor // I32 [N,K]: experts picked, negative for an unused pick
	Weights *autograd.Var // [N,K]: weight of each pick; nil means 1
	Probs   *autograd.Var // [N,E]: probabilities for the balance loss; nil when there is nothing to balance
	Logits  *autograd.Var // [N,E]: scores for the z-loss; nil when there are none
}

// Router picks experts for rows.
type Router interface {
	// Route decides for the rows of x, [N,D]. On an error it reports to the tape and returns a zero Selection.
	Route(t *autograd.Tape, x *autograd.Var) Selection
}

// Scope is what a router is built for.
type Scope struct {
	Params  *param.Builder
	Layer   string     // such as "blocks.1": prefix of parameter names
	Width   int        // D
	Experts int        // E
	Picks   int        // K
	Tasks   int        // M
	Stream  rng.Stream // for routers that draw noise
}

// Param declares a router parameter called layer.router.name with small normal values.
func (s Scope) Param(name string, init param.Init, shape ...int) *param.Param {
	key := param.Key{Kind: param.Router, Layer: s.Layer}
	return s.Params.Add(key, s.Layer+".router."+name, len(shape) > 1, init, shape...)
}

// Entry describes one member of the registry of routers.
type Entry struct {
	Name  string // the word users write
	Ref   string // paper, equation
	Doc   string // the rule
	Owned bool   // needs task-owned rows: comes after 'expand', or where every row has one task
	// Config returns a pointer to an options struct that holds the defaults.
	Config func() any
	// New builds the router from such a pointer.
	New func(cfg any, s Scope) (Router, error)
}

// EntryName returns the name.
func (e Entry) EntryName() string { return e.Name }

var routers = registry.New[Entry]("router")

// Register adds a router; call it from init. It panics on a duplicate name and after the first look-up.
func Register(e Entry) { routers.Register(e) }

// Entries returns all routers in the order of their names.
func Entries() []Entry { return routers.All() }

// Lookup returns the router called name, or an error with the nearest name.
func Lookup(name string) (Entry, error) { return routers.Lookup(name) }

// Build makes the router that m names, with m's options over the defaults; m then holds the effective options.
func Build(m *config.Member, s Scope) (Router, Entry, error) {
	e, err := routers.Lookup(m.Name)
	if err != nil {
		return nil, e, errors.Wrapf(err, "moe: %s", s.Layer)
	}
	if s.Experts < 1 || s.Picks < 1 || s.Picks > s.Experts {
		return nil, e, errors.Errorf("moe: %s: k = %d of %d experts; want 1 <= k <= experts", s.Layer, s.Picks, s.Experts)
	}
	cfg := e.Config()
	if err := m.Decode(cfg); err != nil {
		return nil, e, err
	}
	r, err := e.New(cfg, s)
	return r, e, errors.Wrapf(err, "moe: %s: router %s", s.Layer, m.Name)
}

// none is the options struct of routers without options.
type none struct{}

// smallNormal starts router weights near 0, so that routing starts near uniform.
func smallNormal(s rng.Stream, _ int) float64 { return 0.02 * s.Normal() }

// unitNormal starts task embeddings apart from each other.
func unitNormal(s rng.Stream, _ int) float64 { return s.Normal() }
