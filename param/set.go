package param

import (
	"fmt"

	"artel/kernels"
	"artel/rng"
	"artel/tensor"
)

// Kind is the role of a parameter group.
type Kind uint8

// The kinds of groups.
const (
	Shared Kind = iota // used by every row of a layer
	Router             // decides on experts
	Expert             // one expert of a layer
	Head               // declared as a task's own; surgery goes by analysis of the tape, not by this
	Norm               // scales and shifts of a normalisation
)

// String returns shared, router, expert, head or norm.
func (k Kind) String() string { return [...]string{"shared", "router", "expert", "head", "norm"}[k] }

// Key identifies a group while a model is declared.
type Key struct {
	Kind   Kind
	Layer  string // such as "blocks.0"
	Expert int    // for Expert
}

// Group is a run of parameters that are contiguous in the flat space.
type Group struct {
	Key
	Index    int // position in Set.Groups
	Off, Len int // elements [Off, Off+Len) of the flat space
	Params   []*Param
}

// Name returns a readable, unique name such as "blocks.0/expert.3".
func (g *Group) Name() string {
	if g.Kind == Expert {
		return fmt.Sprintf("%s/expert.%d", g.Layer, g.Expert)
	}
	return g.Layer + "/" + g.Kind.String()
}

// Param is one named tensor of trainable numbers.
type Param struct {
	Name  string
	Index int // position in Set.Params
	Group *Group
	Off   int // first element in the flat space
	Decay bool
	Value tensor.Tensor // view of the flat space, set by Build

	shape []int
	init  Init
	half  tensor.Tensor // view of Half, if there is one
}

// Shape returns the shape; the caller must not change it.
func (p *Param) Shape() []int { return p.shape }

// Len returns the number of elements.
func (p *Param) Len() int { return size(p.shape) }

// Init gives element i of a freshly made parameter, drawn from the parameter's own stream.
type Init func(s rng.Stream, i int) float64

// Set is all parameters of a model.
type Set struct {
	Params []*Param
	Groups []*Group
	Flat   tensor.Tensor // [P]
	Half   tensor.Tensor // BF16 [P]: Flat rounded, for products; none where they do not read such operands. See Refresh.

	be     *kernels.Backend
	kept   bool
	byName map[string]*Param
}

// Lookup returns the parameter of that name, or nil.
func (s *Set) Lookup(name string) *Param { return s.byName[name] }

// Count returns the number of trainable numbers, without padding.
func (s *Set) Count() int {
	n := 0
	for _, p := range s.Params {
		n += p.Len()
	}
	return n
}

// align keeps every parameter on a 64-byte line for 4-byte elements, and so on a line of kernels.Settle; the gaps stay zero.
const align = kernels.SettleLine

func roundUp(n int) int { return (n + align - 1) / align * align }

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Builder collects the parameters of a model in the order of their declaration.
type Builder struct {
	params []*Param
	groups []*Group
	byKey  map[Key]*Group
	byName map[string]*Param
	err    error
}

// NewBuilder returns an empty Builder.
func NewBuilder() *Builder {
	return &Builder{byKey: map[Key]*Group{}, byName: map[string]*Param{}}
}

// Add declares a parameter of rank 1 or 2. Weight decay applies to it when decay is true. Mistakes are reported by Build.
func (b *Builder) Add(key Key, name string, decay bool, init Init, shape ...int) *Param {
	p := &Param{Name: name, Decay: decay, shape: append([]int(nil), shape...), init: init}
	if b.byName[name] != nil && b.err == nil {
		b.err = fmt.Errorf("param: %q is declared twice", name)
	}
	if len(shape) < 1 || len(shape) > 2 || size(shape) <= 0 {
		if b.err == nil {
			b.err = fmt.Errorf("param: %q: shape %v: want one or two positive dimensions", name, shape)
		}
	}
	g := b.byKey[key]
	if g == nil {
		g = &Group{Key: key}
		b.byKey[key] = g
		b.groups = append(b.groups, g)
	}
	p.Group = g
	g.Params = append(g.Params, p)
	b.params = append(b.params, p)
	b.byName[name] = p
	return p
}

// Build lays the parameters out, takes memory from the backend and fills in the initial values. The values of a
// parameter depend on the seed and its name alone.
func (b *Builder) Build(be *kernels.Backend, seed rng.Stream) (*Set, error) {
	if b.err != nil {
		return nil, b.err
	}
	s := &Set{Groups: b.groups, byName: b.byName}
	off := 0
	for gi, g := range b.groups {
		g.Index, g.Off = gi, off
		for _, p := range g.Params {
			p.Index, p.Off = len(s.Params), off
			s.Params = append(s.Params, p)
			off += roundUp(p.Len())
		}
		g.Len = off - g.Off
	}
	s.Flat = be.New(be.Float, off)
	for _, p := range s.Params {
		p.Value = tensor.Of(s.Flat.Storage(), p.Off, p.shape...)
		values := make([]float64, p.Len())
		stream := seed.Sub(p.Name)
		for i := range values {
			values[i] = p.init(stream.At(uint64(i)), i)
		}
		be.Copy(kernels.Copy{Dst: p.Value, Src: tensor.FromF64(values, p.shape...)})
	}
	s.shadow(be)
	return s, nil
}
