package checkpoint

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// Dir is the directory of the checkpoints in a run's.
const Dir = "checkpoints"

const (
	namePrefix = "step-"
	oldSuffix  = ".old"
	tempPrefix = ".tmp-"
)

// Name returns the directory name of a step's checkpoint: step-000500.
func Name(step int64) string { return fmt.Sprintf("%s%06d", namePrefix, step) }

// stepOf reads what Name wrote, ".old" or not.
func stepOf(name string) (step int64, ok bool) {
	plain := strings.TrimSuffix(name, oldSuffix)
	digits, ok := strings.CutPrefix(plain, namePrefix)
	step, err := strconv.ParseInt(digits, 10, 64)
	return step, ok && err == nil && step >= 0 && Name(step) == plain
}

// names returns the checkpoints among the names in a directory, oldest first; NAME.old only where NAME is missing.
func names(all []string) []string {
	var out []string
	for _, n := range all {
		if _, ok := stepOf(n); ok {
			if plain, old := strings.CutSuffix(n, oldSuffix); !old || !slices.Contains(all, plain) {
				out = append(out, n)
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		x, _ := stepOf(a)
		y, _ := stepOf(b)
		return int(min(max(x-y, -1), 1))
	})
	return out
}

// BrokenError tells that the newest checkpoint of a run cannot be loaded.
type BrokenError struct {
	Dir    string // the newest checkpoint
	Before string // the newest one that is whole, "" when none is
	Err    error  // what is wrong with Dir; it names the file
}

// Error names the file, and the checkpoint to go back to.
func (e *BrokenError) Error() string {
	if e.Before == "" {
		return fmt.Sprintf("the newest checkpoint is broken, and no earlier one is whole: %v", e.Err)
	}
	return fmt.Sprintf("the newest checkpoint is broken: %v; the newest whole one is %s", e.Err, e.Before)
}

// Unwrap returns Err.
func (e *BrokenError) Unwrap() error { return e.Err }

// Latest returns the directory of the newest checkpoint below runDir/checkpoints, all of whose hashes it has checked. Errors: one
// that matches fs.ErrNotExist when there is none; a *BrokenError when the newest is not whole, since going back is the
// user's decision.
func Latest(runDir string) (string, error) {
	dir := filepath.Join(runDir, Dir)
	all, err := readDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", errors.WithMessage(err, "checkpoint")
	}
	list := names(all)
	if len(list) == 0 {
		return "", errors.Wrapf(fs.ErrNotExist, "checkpoint: none in %s", dir)
	}
	var broken *BrokenError
	for _, name := range slices.Backward(list) {
		path := filepath.Join(dir, name)
		err := whole(path, name)
		switch {
		case err == nil && broken == nil:
			return path, nil
		case err == nil:
			broken.Before = path
			return "", broken
		case broken == nil:
			broken = &BrokenError{Dir: path, Err: err}
		}
	}
	return "", broken
}

// whole checks that the directory called name loads and holds the step that its name tells.
func whole(path, name string) error {
	l, err := Load(path)
	if err != nil {
		return err
	}
	defer l.Close()
	if want, _ := stepOf(name); l.Step != want {
		return errors.Errorf("checkpoint: %s: got step %d inside, want %d by its name", path, l.Step, want)
	}
	return nil
}

// Prune removes all but the newest keep checkpoints in dir, and what a crash left half-written. A checkpoint that lacks one of its
// files is neither counted nor removed. Errors: keep below 1, and the file system's.
func Prune(fs FS, dir string, keep int) error {
	if keep < 1 {
		return errors.Errorf("checkpoint: keep: got %d, want 1 or more", keep)
	}
	if err := prune(fs, dir, keep); err != nil {
		return errors.WithMessagef(err, "checkpoint: prune %s", dir)
	}
	return nil
}

func prune(fs FS, dir string, keep int) error {
	all, err := fs.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, name := range slices.Backward(names(all)) {
		files, err := fs.ReadDir(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if !complete(files) {
			continue
		}
		if slices.Contains(all, name+oldSuffix) { // replaced, and the machine stopped before it was removed
			if err := discard(fs, dir, name+oldSuffix); err != nil {
				return err
			}
		}
		if keep > 0 {
			keep--
			continue
		}
		if err := discard(fs, dir, name); err != nil {
			return err
		}
	}
	for _, name := range all {
		if strings.HasPrefix(name, tempPrefix+namePrefix) || strings.HasPrefix(name, tempPrefix+"gone-"+namePrefix) {
			if err := fs.RemoveAll(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// complete reports whether the files of a checkpoint are there; their contents are not read.
func complete(files []string) bool {
	has := func(name string) bool { return slices.Contains(files, name) }
	return has(sumsName) && has(stateName) &&
		(has(modelStem+suffix) || has(modelStem+indexSuffix)) && (has(optimStem+suffix) || has(optimStem+indexSuffix))
}
