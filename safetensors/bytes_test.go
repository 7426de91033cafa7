package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// TestSwapped runs what a big-endian machine does: there the bytes of every element are reversed on the way in and out.
func TestSwapped(t *testing.T) {
	x := make([]int32, 5000) // more than one buffer
	for i := range x {
		x[i] = int32(i)*7919 - 12345
	}
	var b bytes.Buffer
	if err := writeSwapped(&b, asBytes(x), 4); err != nil {
		t.Fatal(err)
	}
	native, other := binary.ByteOrder(binary.LittleEndian), binary.ByteOrder(binary.BigEndian)
	if !littleEndian() {
		native, other = other, native
	}
	if got := int32(other.Uint32(b.Bytes()[4*4999:])); got != x[4999] {
		t.Errorf("the last element became %d, want %d", got, x[4999])
	}
	if got := int32(native.Uint32(asBytes(x)[4*17:])); got != x[17] {
		t.Errorf("asBytes: %d, want %d", got, x[17])
	}
	back := view[int32](b.Bytes(), false)
	for i := range x {
		if back[i] != x[i] {
			t.Fatalf("element %d came back as %d, want %d", i, back[i], x[i])
		}
	}
	if err := writeSwapped(full{}, asBytes(x), 4); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
