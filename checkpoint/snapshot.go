package checkpoint

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"artel/dtype"
	"artel/safetensors"
	"artel/tensor"

	"github.com/pkg/errors"
)

// Format is the version of the layout that Save writes. Load reads this one and refuses later ones.
const Format = 1

// Metadata keys that belong to this package.
const (
	reserved  = "artel."
	formatKey = reserved + "format"
	stepKey   = reserved + "step"
)

// Tensor is a named tensor: contiguous, in host memory, of type F32, F64, I32 or BF16.
type Tensor struct {
	Name  string
	Value tensor.Tensor
}

// Snapshot is what a checkpoint holds. Its tensors must not change while Save runs.
type Snapshot struct {
	Step         int64 // steps done
	Model, Optim []Tensor
	State        []byte            // JSON
	Metadata     map[string]string // goes to the headers of both tensor files; keys that begin with "artel." are reserved
}

// check returns the first thing in s that cannot be saved.
func (s *Snapshot) check() error {
	if s.Step < 0 {
		return errors.Errorf("checkpoint: step: got %d, want 0 or more", s.Step)
	}
	if !json.Valid(s.State) {
		return errors.Errorf("checkpoint: state: got %d bytes that are not JSON", len(s.State))
	}
	for k := range s.Metadata {
		if strings.HasPrefix(k, reserved) {
			return errors.Errorf("checkpoint: metadata: got the key %q, but %s* is reserved", k, reserved)
		}
	}
	for _, list := range [][]Tensor{s.Model, s.Optim} {
		seen := make(map[string]bool, len(list))
		for _, t := range list {
			if problem := unfit(t.Value); problem != "" {
				return errors.Errorf("checkpoint: tensor %q: got %s, want one that is contiguous, in host memory, of type F32, F64, I32 or BF16", t.Name, problem)
			}
			if t.Name == "" || seen[t.Name] {
				return errors.Errorf("checkpoint: tensor %q: want a name of its own", t.Name)
			}
			seen[t.Name] = true
		}
	}
	return nil
}

// unfit tells why t cannot be written or filled, "" if it can.
func unfit(t tensor.Tensor) string {
	switch {
	case !t.Ok():
		return "no tensor"
	case !t.Storage().OnHost():
		return t.String() + " on a device"
	case !t.Contiguous():
		return t.String() + " with gaps"
	}
	switch t.Type {
	case dtype.F32, dtype.F64, dtype.I32, dtype.BF16:
		return ""
	}
	return t.String()
}

// header declares the tensors of a list in the order in which they are best read, with s's metadata.
func (s *Snapshot) header(list []Tensor) safetensors.Header {
	h := safetensors.Header{Metadata: map[string]string{formatKey: strconv.Itoa(Format), stepKey: strconv.FormatInt(s.Step, 10)}}
	maps.Copy(h.Metadata, s.Metadata)
	for _, t := range list {
		h.Tensors = append(h.Tensors, safetensors.Info{Name: t.Name, DType: t.Value.Type, Shape: t.Value.Shape()})
	}
	safetensors.Sort(h.Tensors)
	return h
}
