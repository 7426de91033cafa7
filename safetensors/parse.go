package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"artel/dtype"
)

// maxHeader is the longest header that is accepted, in bytes; the reference implementation has the same limit.
const maxHeader = 100_000_000

// entry is a tensor of a file with the place of its data.
type entry struct {
	Info
	begin, end int64 // offsets from the start of the data
}

// parser reads one header.
type parser struct {
	file string
	dec  *json.Decoder
}

// headerLength reads the first 8 bytes and checks the length that they tell against the size of the file.
func headerLength(file string, first []byte, size int64) (int64, error) {
	if size < 8 || len(first) < 8 {
		return 0, &Error{File: file, Msg: fmt.Sprintf("got a file of %d bytes, want at least 8 for the header length", size)}
	}
	n := binary.LittleEndian.Uint64(first)
	if n > maxHeader {
		return 0, &Error{File: file, Msg: fmt.Sprintf("header length: got %d, want at most %d; is it a safetensors file?", n, maxHeader)}
	}
	if int64(n) > size-8 {
		return 0, &Error{File: file, Msg: fmt.Sprintf("header length: got %d, want at most %d, the rest of the file; is it cut off?", n, size-8)}
	}
	return int64(n), nil
}

// parseHeader reads a header and checks that its tensors fill dataSize bytes exactly. The tensors come in the order of their data.
func parseHeader(file string, header []byte, dataSize int64) (list []entry, metadata map[string]string, err error) {
	p := &parser{file: file}
	switch {
	case len(header) == 0 || header[0] != '{':
		return nil, nil, p.fail("", "header: want it to begin with {")
	case !utf8.Valid(header):
		return nil, nil, p.fail("", "header: want UTF-8")
	case !json.Valid(header):
		var v json.RawMessage
		err := json.Unmarshal(header, &v)
		return nil, nil, p.fail("", "header: not valid JSON: %v", err)
	}
	if end := bytes.TrimRight(header, " "); end[len(end)-1] != '}' {
		return nil, nil, p.fail("", "header: want nothing but spaces after }")
	}
	p.dec = json.NewDecoder(bytes.NewReader(header))
	p.dec.UseNumber()
	err = p.object("", "header", func(name string) error {
		if name == metadataKey {
			metadata = map[string]string{}
			return p.object("", "metadata", func(k string) (err error) {
				metadata[k], err = p.string("", fmt.Sprintf("metadata %q", k))
				return err
			})
		}
		e, err := p.tensor(name)
		list = append(list, e)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(list, func(a, b entry) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end)) })
	at := int64(0)
	for _, e := range list {
		if e.begin != at {
			return nil, nil, p.fail(e.Name, "data_offsets: got [%d, %d], want it to begin at %d: no holes and no overlap", e.begin, e.end, at)
		}
		at = e.end
	}
	if at != dataSize {
		return nil, nil, p.fail("", "got %d bytes of data, want %d by the header", dataSize, at)
	}
	return list, metadata, nil
}

// tensor reads one tensor's object.
func (p *parser) tensor(name string) (entry, error) {
	e := entry{Info: Info{Name: name}}
	fields := 0
	if name == "" {
		return e, p.fail("", "header: got a tensor with an empty name")
	}
	err := p.object(name, "header entry", func(key string) (err error) {
		fields++
		switch key {
		case "dtype":
			var s string
			if s, err = p.string(name, "dtype"); err == nil {
				if e.DType, err = dtype.Parse(s); err != nil {
					err = p.fail(name, "%v", err)
				}
			}
		case "shape":
			err = p.ints(name, "shape", math.MaxInt, func(x int64) { e.Shape = append(e.Shape, int(x)) })
		case "data_offsets":
			var o []int64
			err = p.ints(name, "data_offsets", math.MaxInt64, func(x int64) { o = append(o, x) })
			if err == nil && (len(o) != 2 || o[0] > o[1]) {
				err = p.fail(name, "data_offsets: got %v, want [begin, end] with begin <= end", o)
			} else if err == nil {
				e.begin, e.end = o[0], o[1]
			}
		default:
			err = p.fail(name, "got the key %q, want dtype, shape and data_offsets", key)
		}
		return err
	})
	if err != nil {
		return e, err
	}
	if fields != 3 { // keys are known and not repeated, so three are all
		return e, p.fail(name, "got %d keys, want dtype, shape and data_offsets", fields)
	}
	n, problem := e.bytes()
	if problem != "" {
		return e, p.fail(name, "%s", problem)
	}
	if e.end-e.begin != n {
		return e, p.fail(name, "data_offsets: got [%d, %d], %d bytes, want %d: %s %v", e.begin, e.end, e.end-e.begin, n, e.DType, e.Shape)
	}
	return e, nil
}

// object reads an object and calls member after each key; a key that stands twice is an error. what names the object in messages.
func (p *parser) object(tensor, what string, member func(key string) error) error {
	if t, err := p.dec.Token(); err != nil || t != json.Delim('{') {
		return p.fail(tensor, "%s: want an object", what)
	}
	seen := map[string]bool{}
	for p.dec.More() {
		key, err := p.string(tensor, what)
		if err != nil {
			return err
		}
		if seen[key] {
			return p.fail(tensor, "%s: got the key %q twice", what, key)
		}
		seen[key] = true
		if err := member(key); err != nil {
			return err
		}
	}
	_, err := p.dec.Token()
	return err
}

func (p *parser) string(tensor, what string) (string, error) {
	t, err := p.dec.Token()
	s, ok := t.(string)
	if err != nil || !ok {
		return "", p.fail(tensor, "%s: got %v, want a string", what, t)
	}
	return s, nil
}

// ints reads a list of whole numbers from 0 to most.
func (p *parser) ints(tensor, what string, most int64, add func(int64)) error {
	if t, err := p.dec.Token(); err != nil || t != json.Delim('[') {
		return p.fail(tensor, "%s: got %v, want a list", what, t)
	}
	for p.dec.More() {
		t, err := p.dec.Token()
		n, ok := t.(json.Number)
		x, bad := strconv.ParseUint(string(n), 10, 63)
		if err != nil || !ok || bad != nil || int64(x) > most {
			return p.fail(tensor, "%s: got %v, want whole numbers from 0 to %d", what, t, most)
		}
		add(int64(x))
	}
	_, err := p.dec.Token()
	return err
}

func (p *parser) fail(tensor, format string, args ...any) error {
	return &Error{File: p.file, Tensor: tensor, Msg: fmt.Sprintf(format, args...)}
}
