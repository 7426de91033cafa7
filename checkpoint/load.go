package checkpoint

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"artel/safetensors"

	"github.com/pkg/errors"
)

// Loaded is an open checkpoint whose hashes were right. Its files are mapped until Close.
type Loaded struct {
	Dir          string
	Step         int64
	Model, Optim *safetensors.File // names, types, shapes and views
	State        []byte            // as it was saved
	Metadata     map[string]string // as it was saved, without the keys of this package
}

// Load opens the checkpoint in dir. Errors name the file: a hash that is wrong, a file that is missing or that SHA256SUMS does
// not list, a format version that this program does not know.
func Load(dir string) (*Loaded, error) {
	list, err := verify(dir)
	if err != nil {
		return nil, errors.WithMessage(err, "checkpoint")
	}
	l := &Loaded{Dir: dir}
	if err := l.open(list); err != nil {
		_ = l.Close()
		return nil, errors.WithMessage(err, "checkpoint")
	}
	return l, nil
}

func (l *Loaded) open(list sums) (err error) {
	known := []string{sumsName, stateName}
	if l.Model, known, err = l.openTensors(list, modelStem, known); err != nil {
		return err
	}
	if l.Optim, known, err = l.openTensors(list, optimStem, known); err != nil {
		return err
	}
	if !maps.Equal(l.Model.Metadata(), l.Optim.Metadata()) {
		return errors.Errorf("%s: %s and %s have different metadata: they are not of one checkpoint", l.Dir, modelStem, optimStem)
	}
	l.Metadata = maps.Clone(l.Model.Metadata())
	if l.Step, err = strconv.ParseInt(l.Metadata[stepKey], 10, 64); err != nil || l.Step < 0 {
		return errors.Errorf("%s: metadata %q: got %q, want a number of steps", l.Dir, stepKey, l.Metadata[stepKey])
	}
	delete(l.Metadata, formatKey)
	delete(l.Metadata, stepKey)
	if !list.has(stateName) {
		return errors.Errorf("%s: %s is missing from %s", l.Dir, stateName, sumsName)
	}
	if l.State, err = os.ReadFile(filepath.Join(l.Dir, stateName)); err != nil {
		return err
	}
	return l.strangers(list, known)
}

// openTensors opens the file STEM.safetensors or the index of its shards, checks its version, and adds its files to known.
func (l *Loaded) openTensors(list sums, stem string, known []string) (*safetensors.File, []string, error) {
	name := stem + suffix
	if list.has(stem + indexSuffix) {
		name = stem + indexSuffix
	} else if !list.has(name) {
		return nil, nil, errors.Errorf("%s: %s is missing from %s", l.Dir, name, sumsName)
	}
	path := filepath.Join(l.Dir, name)
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, nil, err
	}
	if err := checkFormat(path, f.Metadata()[formatKey]); err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	known = append(known, name)
	if name != stem+indexSuffix {
		return f, known, nil
	}
	shards, err := shardNames(path)
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, append(known, shards...), nil
}

// shardNames returns the files of an index.
func shardNames(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	index, err := safetensors.ParseIndex(path, text)
	return slices.Compact(slices.Sorted(maps.Values(index.WeightMap))), err
}

// checkFormat refuses files of other programs and of later versions of this one.
func checkFormat(path, got string) error {
	if got == "" {
		return errors.Errorf("%s: no %q in its metadata: it is not from a checkpoint", path, formatKey)
	}
	n, err := strconv.Atoi(got)
	switch {
	case err != nil || n < 1:
		return errors.Errorf("%s: metadata %q: got %q, want a version from 1 to %d", path, formatKey, got, Format)
	case n > Format:
		return errors.Errorf("%s: it has checkpoint format %d, and this program reads up to %d: use the newer version that wrote it", path, n, Format)
	}
	return nil
}

// strangers returns an error for a file in the directory that is not known, or not hashed.
func (l *Loaded) strangers(list sums, known []string) error {
	all, err := readDir(l.Dir)
	if err != nil {
		return err
	}
	for _, name := range all {
		switch path := filepath.Join(l.Dir, name); {
		case !slices.Contains(known, name):
			return errors.Errorf("%s: not a file of a checkpoint; move it elsewhere", path)
		case name != sumsName && !list.has(name):
			return errors.Errorf("%s: missing from %s", path, sumsName)
		}
	}
	return nil
}

// Close unmaps the files; views of Model and Optim must not be used afterwards.
func (l *Loaded) Close() error {
	var first error
	for _, f := range []*safetensors.File{l.Model, l.Optim} {
		if f != nil {
			if err := f.Close(); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}
