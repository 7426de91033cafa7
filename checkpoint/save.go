package checkpoint

import (
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/pkg/errors"
)

const (
	modelStem   = "model"
	optimStem   = "optim"
	suffix      = ".safetensors"
	indexSuffix = ".safetensors.index.json"
	stateName   = "state.json"
	sumsName    = "SHA256SUMS"
)

// Save writes s to dir/step-%06d, in place of one that is there, and makes dir if need be. When it returns nil the checkpoint
// survives a power cut; when it returns an error or never returns, those that were there before are still there. Errors: a
// snapshot that cannot be saved (named), and the file system's.
func Save(fs FS, dir string, s *Snapshot) error { return save(fs, dir, s, shardBytes) }

func save(fs FS, dir string, s *Snapshot, shardBytes int64) error {
	if err := s.check(); err != nil {
		return err
	}
	if err := ensure(fs, filepath.Clean(dir)); err != nil {
		return errors.WithMessage(err, "checkpoint")
	}
	temp := filepath.Join(dir, tempPrefix+Name(s.Step))
	err := write(fs, temp, s, shardBytes)
	if err == nil {
		err = publish(fs, dir, temp, Name(s.Step))
	}
	if err != nil {
		_ = fs.RemoveAll(temp) // as far as possible: the error that counts is the first
		return errors.WithMessagef(err, "checkpoint: %s", filepath.Join(dir, Name(s.Step)))
	}
	return nil
}

// ensure makes dir, durably. A directory that exists may have been made by a process that was stopped before it could sync.
func ensure(disk FS, dir string) error {
	err := disk.Mkdir(dir)
	parent := filepath.Dir(dir)
	if errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := ensure(disk, parent); err != nil {
			return err
		}
		err = disk.Mkdir(dir)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return disk.SyncDir(parent)
}

// write fills a new directory temp with the files of s and syncs them and their names.
func write(fs FS, temp string, s *Snapshot, shardBytes int64) error {
	if err := fs.RemoveAll(temp); err != nil { // left by a crash
		return err
	}
	if err := fs.Mkdir(temp); err != nil {
		return err
	}
	w := &writer{fs: fs, dir: temp, shardBytes: shardBytes}
	if err := w.tensors(modelStem, s.header(s.Model), s.Model); err != nil {
		return err
	}
	if err := w.tensors(optimStem, s.header(s.Optim), s.Optim); err != nil {
		return err
	}
	if err := w.bytes(stateName, s.State); err != nil {
		return err
	}
	if err := w.bytes(sumsName, w.sums.encode()); err != nil {
		return err
	}
	return fs.SyncDir(temp)
}

// publish gives the finished directory temp its name in dir. One that has the name stays as NAME.old until the new one is safe;
// every step is durable before the next, since a disk may keep a later rename and lose an earlier one.
func publish(fs FS, dir, temp, name string) error {
	names, err := fs.ReadDir(dir)
	if err != nil {
		return err
	}
	final := filepath.Join(dir, name)
	old := final + oldSuffix
	hasOld := slices.Contains(names, name+oldSuffix)
	if slices.Contains(names, name) {
		if hasOld { // a crash came between the last rename and the removal
			if err := discard(fs, dir, name+oldSuffix); err != nil {
				return err
			}
		}
		if err := fs.Rename(final, old); err != nil {
			return err
		}
		if err := fs.SyncDir(dir); err != nil {
			return err
		}
		hasOld = true
	}
	if err := fs.Rename(temp, final); err != nil {
		return err
	}
	if err := fs.SyncDir(dir); err != nil {
		return err
	}
	if hasOld {
		return discard(fs, dir, name+oldSuffix)
	}
	return nil
}

// discard removes a checkpoint. It loses its name first: nothing half-removed may look like a checkpoint.
func discard(fs FS, dir, name string) error {
	gone := filepath.Join(dir, tempPrefix+"gone-"+name)
	if err := fs.RemoveAll(gone); err != nil {
		return err
	}
	if err := fs.Rename(filepath.Join(dir, name), gone); err != nil {
		return err
	}
	if err := fs.SyncDir(dir); err != nil {
		return err
	}
	return fs.RemoveAll(gone)
}
