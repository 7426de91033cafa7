package config

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"artel/internal/registry"
)

// scalar decodes a bool, number, string or duration and checks its range.
func (d *decoder) scalar(key string, n *node, v reflect.Value, tag reflect.StructTag) {
	isText := v.Kind() == reflect.String || v.Type() == durationType
	ok := n.kind == scalar && (isText || !n.quoted)
	number := 0.0
	switch {
	case v.Kind() == reflect.String:
		if ok = n.kind == scalar || n.kind == empty || n.kind == null; ok {
			v.SetString(n.text)
			d.oneOf(key, n, tag)
			return
		}
	case !ok:
	case v.Type() == durationType:
		x, err := time.ParseDuration(n.text)
		v.SetInt(int64(x))
		number, ok = float64(x), err == nil
	case v.Kind() == reflect.Bool:
		v.SetBool(n.text == "true")
		if n.text == "true" || n.text == "false" {
			return
		}
		ok = false
	case v.CanInt():
		var x int64
		if x, ok = parseInt(n.text); ok && !v.OverflowInt(x) {
			v.SetInt(x)
			number = float64(x)
		} else {
			ok = false
		}
	case v.CanUint():
		var x uint64
		if x, ok = parseUint(n.text); ok && !v.OverflowUint(x) {
			v.SetUint(x)
			number = float64(x)
		} else {
			ok = false
		}
	case v.CanFloat():
		x, err := strconv.ParseFloat(plainDigits(n.text), v.Type().Bits())
		v.SetFloat(x)
		number, ok = x, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
	default:
		panic("config: " + key + ": no decoding into " + v.Type().String())
	}
	if !ok {
		d.fail(n.at, key, "got %s, want %s", n.describe(), typeName(v.Type()))
		return
	}
	if r := tag.Get("range"); r != "" && !parseRange(r, v.Type()).has(number) {
		d.fail(n.at, key, "got %s, want %s", n.text, r)
	}
}

// plainDigits takes the underscores out of 1_000, but leaves misplaced ones in, so that they are refused.
func plainDigits(s string) string {
	isDigit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	var b strings.Builder
	for i := range len(s) {
		if s[i] != '_' || !isDigit(i-1) || !isDigit(i+1) {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// leadingZero finds 010, which is 8 to some readers and 10 to others.
func leadingZero(s string) bool {
	s = strings.TrimLeft(s, "+-")
	return len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9'
}

// parseInt accepts whole numbers, also as 1_000, 0x3e8 or 1e3.
func parseInt(s string) (int64, bool) {
	if leadingZero(s) {
		return 0, false
	}
	if x, err := strconv.ParseInt(s, 0, 64); err == nil {
		return x, true
	}
	f, err := strconv.ParseFloat(plainDigits(s), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 { // beyond, the float may not be what was written
		return 0, false
	}
	return int64(f), true
}

// parseUint is parseInt for the upper half of uint64, too.
func parseUint(s string) (uint64, bool) {
	if x, err := strconv.ParseUint(s, 0, 64); err == nil && !leadingZero(s) {
		return x, true
	}
	x, ok := parseInt(s)
	return uint64(x), ok && x >= 0
}

// typeName is what a value should have been.
func typeName(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration such as 90s"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		return "a whole number" + width(t, 1)
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
		return "a whole number from 0" + width(t, 0)
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		return "a finite number"
	case t.Kind() == reflect.String:
		return "a string"
	}
	return "a " + t.Kind().String()
}

// width adds the largest number of a narrow type to a message.
func width(t reflect.Type, sign int) string {
	if t.Bits() == 64 {
		return ""
	}
	return " up to " + strconv.FormatUint(1<<(t.Bits()-sign)-1, 10)
}

// oneOf checks a string against the words of the tag.
func (d *decoder) oneOf(key string, n *node, tag reflect.StructTag) {
	words := strings.Fields(tag.Get("oneof"))
	for _, w := range words {
		if w == n.text {
			return
		}
	}
	if len(words) == 0 {
		return
	}
	if near := registry.Nearest(n.text, words); near != "" {
		d.fail(n.at, key, "got %q; did you mean %q? (want one of %s)", n.text, near, strings.Join(words, ", "))
		return
	}
	d.fail(n.at, key, "got %q, want one of %s", n.text, strings.Join(words, ", "))
}

// bounds is a range tag.
type bounds struct {
	lo, hi         float64
	openLo, openHi bool
}

func (b bounds) has(x float64) bool {
	return (x > b.lo || x == b.lo && !b.openLo) && (x < b.hi || x == b.hi && !b.openHi)
}

// parseRange reads a range tag of a field of type t (or of t's elements). A malformed tag is the program's mistake and panics.
func parseRange(tag string, t reflect.Type) bounds {
	lo, hi, ok := strings.Cut(tag, "..")
	b := bounds{lo: math.Inf(-1), hi: math.Inf(1)}
	b.openLo, b.openHi = strings.HasSuffix(lo, "<"), strings.HasPrefix(hi, "<")
	for s, end := range map[string]*float64{strings.TrimSuffix(lo, "<"): &b.lo, strings.TrimPrefix(hi, "<"): &b.hi} {
		if s == "" {
			continue
		}
		var err error
		if t == durationType {
			var x time.Duration
			x, err = time.ParseDuration(s)
			*end = float64(x)
		} else {
			*end, err = strconv.ParseFloat(s, 64)
		}
		ok = ok && err == nil
	}
	if !ok {
		panic("config: range tag " + strconv.Quote(tag) + `: want "lo..hi"`)
	}
	return b
}
