package optim

import (
	"path"
	"slices"
	"strings"

	"artel/internal/registry"
	"artel/param"

	"github.com/pkg/errors"
)

// settings are what a parameter is updated with.
type settings struct {
	lrScale, decay float64
	freeze, matrix bool
}

// settings returns the settings of every parameter of set, in its order.
func (c *Config) settings(set *param.Set) ([]settings, error) {
	all := make([]settings, len(set.Params))
	for i, p := range set.Params {
		all[i] = settings{lrScale: 1, matrix: len(p.Shape()) == 2 && !isEmbedding(p) && p.Group.Kind != param.Head}
		if p.Decay {
			all[i].decay = c.WeightDecay
		}
	}
	for i := range c.Groups {
		if err := c.Groups[i].apply(set, all); err != nil {
			return nil, errors.Wrapf(err, "optim: groups.%d", i)
		}
	}
	return all, nil
}

// apply changes the settings of the parameters that g matches.
func (g *Group) apply(set *param.Set, all []settings) error {
	matches, err := matcher(g.Match)
	if err != nil {
		return err
	}
	if g.LRScale != nil {
		err = positive("lr_scale", *g.LRScale)
	}
	if g.Decay != nil {
		err = first(err, atLeast0("decay", *g.Decay))
	}
	if err != nil {
		return errors.Wrap(err, g.Match)
	}
	hit := false
	for i, p := range set.Params {
		if !matches(p) {
			continue
		}
		hit = true
		s := &all[i]
		replace(&s.lrScale, g.LRScale)
		replace(&s.decay, g.Decay)
		replace(&s.freeze, g.Freeze)
		if len(p.Shape()) == 2 {
			replace(&s.matrix, g.Matrix)
		}
	}
	if !hit {
		return errors.Errorf("%q matches no parameter; %s", g.Match, hint(g.Match, set))
	}
	return nil
}

// replace stores what is given.
func replace[T any](dst, src *T) {
	if src != nil {
		*dst = *src
	}
}

// word is a name for a sort of parameters.
type word struct {
	name string
	is   func(p *param.Param) bool
}

// sorts returns the words that Group.Match knows.
func sorts() []word {
	kind := func(k param.Kind) func(*param.Param) bool {
		return func(p *param.Param) bool { return p.Group.Kind == k }
	}
	return []word{
		{"shared", kind(param.Shared)}, {"router", kind(param.Router)}, {"experts", kind(param.Expert)}, {"heads", kind(param.Head)},
		{"norms", isNorm}, {"embeddings", isEmbedding},
	}
}

// isNorm goes by the name, because a norm's scale is declared like any vector.
func isNorm(p *param.Param) bool {
	return len(p.Shape()) == 1 && strings.Contains(p.Name, "norm")
}

// isEmbedding reports a table: the matrices that are declared without weight decay.
func isEmbedding(p *param.Param) bool { return len(p.Shape()) == 2 && !p.Decay }

// matcher returns the test that a word or pattern stands for.
func matcher(match string) (func(p *param.Param) bool, error) {
	if match == "" {
		return nil, errors.New("match is empty, want a word or a pattern of parameter names")
	}
	for _, w := range sorts() {
		if w.name == match {
			return w.is, nil
		}
	}
	if _, err := path.Match(match, ""); err != nil {
		return nil, errors.Errorf("match %q is no pattern: want * for any letters, ? for one, [a-z] for one of some", match)
	}
	return func(p *param.Param) bool {
		ok, err := path.Match(flat(match), flat(p.Name))
		return err == nil && ok
	}, nil
}

// flat hides slashes from path.Match, whose * stops at them.
func flat(s string) string { return strings.ReplaceAll(s, "/", ".") }

// hint says what the writer of an idle pattern may have meant.
func hint(match string, set *param.Set) string {
	var words, present []string
	for _, w := range sorts() {
		words = append(words, w.name)
		if slices.ContainsFunc(set.Params, w.is) {
			present = append(present, w.name)
		}
	}
	if slices.Contains(words, match) {
		return "this model has " + strings.Join(present, ", ")
	}
	if near := registry.Nearest(match, words); near != "" {
		return "did you mean " + near + "?"
	}
	return "the nearest name is " + nearestName(match, set)
}
