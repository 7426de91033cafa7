package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// dataAlign is what the start of the data is a multiple of, in bytes: a cache line and the widest vector.
const dataAlign = 64

// encodeHeader returns everything that stands before the data: length, JSON, padding. The declaration must have passed check.
func encodeHeader(h Header) []byte {
	b := make([]byte, 8, 8+96*(len(h.Tensors)+1))
	b = append(b, '{')
	if len(h.Metadata) > 0 {
		b = append(appendString(b, metadataKey), ':', '{')
		for i, k := range slices.Sorted(maps.Keys(h.Metadata)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, k), ':')
			b = appendString(b, h.Metadata[k])
		}
		b = append(b, '}')
	}
	begin := int64(0)
	for i, t := range h.Tensors {
		if i > 0 || len(h.Metadata) > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, t.Name), `:{"dtype":"`...)
		b = append(append(b, t.DType.String()...), `","shape":[`...)
		for j, d := range t.Shape {
			if j > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(d), 10)
		}
		end := begin + t.Bytes()
		b = strconv.AppendInt(append(b, `],"data_offsets":[`...), begin, 10)
		b = strconv.AppendInt(append(b, ','), end, 10)
		b = append(b, ']', '}')
		begin = end
	}
	b = append(b, '}')
	for len(b)%dataAlign != 0 {
		b = append(b, ' ')
	}
	binary.LittleEndian.PutUint64(b, uint64(len(b)-8))
	return b
}

// appendString appends s as a JSON string. HTML characters stay as they are: some readers of the format compare raw names.
func appendString(b []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}
