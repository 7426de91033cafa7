package engine

import (
	"slices"
	"strconv"
	"strings"

	"artel/dtype"
	"artel/gradsurgery"
	"artel/internal/registry"
	"artel/kernels"
	"artel/param"
	"artel/tensor"

	"github.com/pkg/errors"
)

// unit is a set of groups that gets weights of its own.
type unit struct {
	name   string
	rule   int // which rule it stands under, -1 for none
	index  int // among the units of its method
	method *gradsurgery.Surgery
	stream string // purpose of its random numbers
	groups []*param.Group
	last   string // the last layer with a matrix

	gram []float64     // [M*M], summed over the groups that the method looks at
	w    tensor.Tensor // F64 [M]
	any  []bool        // tasks present in some group
	all  tensor.Tensor // I32 [M]: the same, for kernels

	cross tensor.Tensor // F64 [M,M]: inner products between two batches
}

// prepare takes memory for m tasks.
func (u *unit) prepare(be *kernels.Backend, m int) {
	u.gram, u.w, u.any, u.all = make([]float64, m*m), be.NewShared(dtype.F64, m), make([]bool, m), be.NewShared(dtype.I32, m)
	u.cross = be.NewShared(dtype.F64, m, m)
	be.Fill(u.w, 1)
	for _, g := range u.groups {
		if slices.ContainsFunc(g.Params, func(p *param.Param) bool { return len(p.Shape()) > 1 }) {
			u.last = g.Layer
		}
	}
}

// sum adds up the Gram matrices of the groups, or of the last layer alone where the method asks for that.
func (u *unit) sum(cells []cell) {
	clear(u.gram)
	for _, g := range u.groups {
		if u.method.Needs.LastLayer && g.Layer != u.last {
			continue
		}
		for i, v := range cells[g.Index].gram.F64() {
			u.gram[i] += v
		}
	}
}

// surgeryKinds are the kinds of parameters that a config can name.
var surgeryKinds = []string{param.Shared.String(), param.Norm.String(), param.Router.String(), param.Expert.String()}

// check refuses words that name nothing.
func (c *Surgery) check(set *param.Set) error {
	layers := map[string]bool{}
	for _, g := range set.Groups {
		layers[g.Layer] = true
	}
	if err := known("surgery.exclude", c.Exclude, surgeryKinds); err != nil {
		return err
	}
	for i, r := range c.Rules {
		var names []string
		for l := range layers {
			names = append(names, l)
		}
		slices.Sort(names)
		key := "surgery.rules." + strconv.Itoa(i)
		if err := known(key+".kinds", r.Kinds, surgeryKinds); err != nil {
			return err
		}
		if err := known(key+".layers", r.Layers, names); err != nil {
			return err
		}
	}
	return nil
}

// known refuses words that are not among those that exist.
func known(key string, got, words []string) error {
	for _, w := range got {
		if slices.Contains(words, w) {
			continue
		}
		if near := registry.Nearest(w, words); near != "" {
			return errors.Errorf("%s: %q is unknown; did you mean %q? (%s)", key, w, near, strings.Join(words, ", "))
		}
		return errors.Errorf("%s: %q is unknown, want some of %s", key, w, strings.Join(words, ", "))
	}
	return nil
}

// matches reports whether a rule covers a group.
func (r *Rule) matches(g *param.Group) bool {
	return (len(r.Kinds) == 0 || slices.Contains(r.Kinds, g.Kind.String())) && (len(r.Layers) == 0 || slices.Contains(r.Layers, g.Layer))
}

// sortGroups sorts the groups of a set into units by rule, and into those outside surgery: excluded ones and those that one task reaches.
func (c *Surgery) sortGroups(set *param.Set, reach []uint64) (units []unit, plain []*param.Group) {
	counts := map[int]int{}
	for i, g := range set.Groups {
		if !param.Several(reach[i]) || slices.Contains(c.Exclude, g.Kind.String()) {
			plain = append(plain, g)
			continue
		}
		rule := slices.IndexFunc(c.Rules, func(r Rule) bool { return r.matches(g) })
		kind, stream := c.Groups, "unit"
		if rule >= 0 {
			kind, stream = c.Rules[rule].Groups, "rule "+strconv.Itoa(rule)
		}
		name := unitName(kind, g)
		at := slices.IndexFunc(units, func(u unit) bool { return u.name == name && u.rule == rule })
		if at < 0 {
			at = len(units)
			units = append(units, unit{name: name, rule: rule, index: counts[rule], stream: stream})
			counts[rule]++
		}
		units[at].groups = append(units[at].groups, g)
	}
	return units, plain
}

// unitName says which unit a group belongs to.
func unitName(groups string, g *param.Group) string {
	switch groups {
	case "layer":
		return g.Layer
	case "expert":
		if g.Kind == param.Expert {
			return g.Name()
		}
		return g.Layer
	}
	return "all"
}
