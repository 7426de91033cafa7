package config

// Origins tells where values came from.
type Origins struct{ at map[string]place }

// Of returns "default", "file.yaml:12:8" or "argument `model.width=256`" for a dotted key.
func (o *Origins) Of(key string) string {
	if p, ok := o.at[key]; ok {
		return p.String()
	}
	return "default"
}
