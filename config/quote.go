package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// scalarText writes a bool, number, string or duration so that it reads back as the same value.
func scalarText(v reflect.Value) string {
	switch {
	case v.Type() == durationType:
		return time.Duration(v.Int()).String()
	case v.Kind() == reflect.String:
		return quote(v.String())
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10)
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	}
	panic("config: no encoding of " + v.Type().String())
}

// quote writes a string so that it reads back as one: plain when it is a simple word, else in double quotes.
func quote(s string) string {
	plain := s != ""
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		other := i > 0 && (r >= '0' && r <= '9' || r == '-' || r == '.' || r == '/')
		plain = plain && (letter || other)
	}
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "nan", "inf", "y", "n":
		plain = false
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x100 && !strconv.IsPrint(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000 && !strconv.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		case !strconv.IsPrint(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// yaml writes a scalar as it was given: what may be a number or a word stays plain, anything else is a string.
func (n *node) yaml() string {
	plain := n.text != "" && !n.quoted
	for _, r := range n.text {
		plain = plain && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+-._", r))
	}
	if plain && n.text != "-" {
		return n.text
	}
	q := quote(n.text)
	if n.quoted && q == n.text {
		q = `"` + q + `"`
	}
	return q
}
