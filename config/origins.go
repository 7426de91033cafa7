package config

import (
	"strconv"
	"strings"
)

// Origins tells where values came from.
type Origins struct{ at map[string]place }

// Of returns "default", "file.yaml:12:8" or "argument `model.width=256`" for the dotted key of a value, an option of a Member, or a list.
func (o *Origins) Of(key string) string {
	return o.at[key].String()
}

// set records a new value at key; what was below it is gone.
func (o *Origins) set(key string, at place) {
	if o == nil { // options of a Member are recorded before they are decoded
		return
	}
	for k := range o.at {
		if strings.HasPrefix(k, key) && strings.HasPrefix(k[len(key):], ".") {
			delete(o.at, k)
		}
	}
	o.at[key] = at
}

// tree records a value and everything below it.
func (o *Origins) tree(key string, n *node) {
	o.set(key, n.at)
	for i, item := range n.items {
		o.tree(join(key, strconv.Itoa(i)), item)
	}
	for _, f := range n.fields {
		o.tree(join(key, f.name), f.value)
	}
}
