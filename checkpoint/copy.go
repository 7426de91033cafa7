package checkpoint

import (
	"fmt"
	"slices"
	"strings"

	"artel/dtype"
	"artel/safetensors"

	"github.com/pkg/errors"
)

// CopyInto fills list from the model's tensors, bit by bit. The names, types and shapes of both must be the same; else nothing is
// copied, and the error lists every tensor that is missing, left over or different. A type is never converted.
func (l *Loaded) CopyInto(list []Tensor) error { return l.copyInto(l.Model, modelStem, list) }

// CopyOptimInto is CopyInto for the optimizer's tensors.
func (l *Loaded) CopyOptimInto(list []Tensor) error { return l.copyInto(l.Optim, optimStem, list) }

func (l *Loaded) copyInto(f *safetensors.File, stem string, list []Tensor) error {
	if problems := compare(f, list); len(problems) > 0 {
		return errors.Errorf("checkpoint: %s: %s does not fit the program's tensors: %s", l.Dir, stem, strings.Join(problems, "; "))
	}
	for _, t := range list {
		var err error
		switch t.Value.Type {
		case dtype.F32:
			err = fill(t.Value.F32(), f.F32, t.Name)
		case dtype.F64:
			err = fill(t.Value.F64(), f.F64, t.Name)
		case dtype.I32:
			err = fill(t.Value.I32(), f.I32, t.Name)
		case dtype.BF16:
			err = fill(t.Value.BF16(), f.U16, t.Name)
		}
		if err != nil {
			return errors.WithMessage(err, "checkpoint")
		}
	}
	return nil
}

// fill copies one tensor.
func fill[E any](dst []E, get func(string) ([]E, error), name string) error {
	src, err := get(name)
	copy(dst, src)
	return err
}

// compare lists what keeps f from filling list, in the order of list, then what list lacks in the order of f.
func compare(f *safetensors.File, list []Tensor) (problems []string) {
	want := make(map[string]bool, len(list))
	for _, t := range list {
		got, ok := f.Lookup(t.Name)
		bad := unfit(t.Value)
		switch {
		case want[t.Name]:
			problems = append(problems, fmt.Sprintf("%q: asked for twice", t.Name))
		case bad != "":
			problems = append(problems, fmt.Sprintf("%q: cannot fill %s", t.Name, bad))
		case !ok:
			problems = append(problems, fmt.Sprintf("%q: missing, want %v", t.Name, t.Value))
		case got.DType != t.Value.Type || !slices.Equal(got.Shape, t.Value.Shape()):
			problems = append(problems, fmt.Sprintf("%q: got %s, want %v", t.Name, text(got), t.Value))
		}
		want[t.Name] = true
	}
	for _, got := range f.Tensors() {
		if !want[got.Name] {
			problems = append(problems, fmt.Sprintf("%q: left over, %s", got.Name, text(got)))
		}
	}
	return problems
}

// text gives type and shape as a tensor does: F32[256,128].
func text(i safetensors.Info) string {
	return i.DType.String() + strings.ReplaceAll(fmt.Sprint(i.Shape), " ", ",")
}
