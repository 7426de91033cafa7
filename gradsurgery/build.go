package gradsurgery

import (
	"reflect"

	"artel/config"

	"github.com/pkg/errors"
)

// Build is New for a choice in a config file: it decodes m's options over the member's defaults, where they then stay as the
// effective ones. An unknown name or option is an error with the nearest word and its place.
func Build(m *config.Member, tasks, units int) (*Surgery, error) {
	e, err := table.Lookup(m.Name)
	if err != nil {
		return nil, errors.Wrap(err, "gradsurgery")
	}
	cfg := e.Config()
	if o := m.Options(); o != nil && reflect.TypeOf(o) != reflect.TypeOf(cfg) {
		return nil, errors.Errorf("gradsurgery: %s: options of type %T, want %T", e.Name, o, cfg)
	}
	if err := m.Decode(cfg); err != nil {
		return nil, err // already says where
	}
	return e.build(cfg, tasks, units)
}
