package checkpoint_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"artel/checkpoint"
	"artel/rng"
)

const dir = "run/" + checkpoint.Dir

// action is one call of a history: it saves version v at a step, or prunes to keep checkpoints.
type action struct {
	step    int64
	version int
	keep    int
}

func (a action) do(fs checkpoint.FS) error {
	if a.keep > 0 {
		return checkpoint.Prune(fs, dir, a.keep)
	}
	return checkpoint.SaveShards(fs, dir, snapshot(a.step, a.version), 64)
}

// history makes the directories, goes on, replaces a step twice, prunes.
var history = []action{
	{step: 100, version: 1}, {step: 200, version: 2}, {step: 200, version: 3}, {step: 300, version: 4}, {keep: 2},
	{step: 300, version: 5}, {keep: 1}, {step: 400, version: 6},
}

// play runs the history up to its first error and returns the saves that were done and the one that was under way.
func play(m *memFS) (done *action, underWay *action, err error) {
	for i, a := range history {
		if err = a.do(m.fs()); err != nil {
			if a.keep == 0 {
				underWay = &history[i]
			}
			return done, underWay, err
		}
		if a.keep == 0 {
			done = &history[i]
		}
	}
	return done, nil, nil
}

// check loads the newest checkpoint below root/run: it must be one that was saved whole, and none older than the last that was done.
func check(root string, done, underWay *action) error {
	path, err := checkpoint.Latest(filepath.Join(root, "run"))
	if err != nil {
		if done == nil && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	for _, a := range []*action{done, underWay} {
		if a != nil && holds(path, snapshot(a.step, a.version)) == nil {
			return nil
		}
	}
	return fmt.Errorf("%s is neither the last save %v nor the one under way %v", path, done, underWay)
}

// TestPowerCut cuts the power at every operation of the history, with nothing, everything and random parts of the unsynced
// kept. What is left must hold the last checkpoint or the one under way, and a run must be able to go on there.
func TestPowerCut(t *testing.T) {
	whole := newMemFS()
	if _, _, err := play(whole); err != nil {
		t.Fatal(err)
	}
	if whole.calls < 150 {
		t.Fatalf("%d operations: the history is too short to test much", whole.calls)
	}
	r := rng.New(1)
	draws := 3 // random ones
	if testing.Short() {
		draws = 1
	}
	for off := 1; off <= whole.calls+1; off++ {
		m := newMemFS()
		m.off = off
		done, underWay, err := play(m)
		if off <= whole.calls && !errors.Is(err, errPower) {
			t.Fatalf("power off at %d (%s): got error %v", off, whole.log[off-1], err)
		}
		for draw := range 2 + draws {
			keep := func(n int) int { return r.Intn(n + 1) }
			switch draw {
			case 0:
				keep = func(int) int { return 0 }
			case 1:
				keep = func(n int) int { return n }
			}
			root := t.TempDir()
			m.cut(t, root, keep)
			if err := check(root, done, underWay); err != nil {
				t.Fatalf("power off at %d (%s), draw %d: %v", off, m.log[off-1], draw, err)
			}
			if draw == 2 {
				goOn(t, root, whole.log[min(off, whole.calls)-1])
			}
		}
	}
}

// goOn saves and prunes where the power was cut; nothing half-written may be left.
func goOn(t *testing.T, root, at string) {
	t.Helper()
	path := filepath.Join(root, dir)
	for _, step := range []int64{300, 400} {
		if err := checkpoint.Save(checkpoint.Disk(), path, snapshot(step, 9)); err != nil {
			t.Fatalf("after power off at %s: %v", at, err)
		}
	}
	if err := checkpoint.Prune(checkpoint.Disk(), path, 1); err != nil {
		t.Fatalf("after power off at %s: %v", at, err)
	}
	left, _ := os.ReadDir(path)
	if len(left) != 1 || left[0].Name() != "step-000400" || holds(filepath.Join(path, left[0].Name()), snapshot(400, 9)) != nil {
		t.Fatalf("after power off at %s: %v is left, want a whole step-000400", at, left)
	}
}

// TestDiskError lets every operation fail once: the error comes out, the newest checkpoint stays whole, and Save leaves nothing.
func TestDiskError(t *testing.T) {
	whole := newMemFS()
	if _, _, err := play(whole); err != nil {
		t.Fatal(err)
	}
	for fail := 1; fail <= whole.calls; fail++ {
		m := newMemFS()
		m.fail = fail
		done, underWay, err := play(m)
		at := whole.log[fail-1]
		if !errors.Is(err, errDisk) || !strings.HasPrefix(err.Error(), "checkpoint: ") {
			t.Fatalf("%d (%s) fails: got error %v", fail, at, err)
		}
		root := t.TempDir()
		m.cut(t, root, func(n int) int { return n })
		if err := check(root, done, underWay); err != nil {
			t.Fatalf("%d (%s) fails: %v", fail, at, err)
		}
		if left, _ := filepath.Glob(filepath.Join(root, dir, ".tmp-step*")); len(left) > 0 && underWay != nil {
			t.Fatalf("%d (%s) fails: Save left %v", fail, at, left)
		}
	}
}

// TestCrashTestFindsFaults: the power cuts find a file system that does not sync, in each of the ways in which it may not.
func TestCrashTestFindsFaults(t *testing.T) {
	for name, spoil := range map[string]func(m *memFS, f checkpoint.FS) checkpoint.FS{
		"files are not synced": func(m *memFS, f checkpoint.FS) checkpoint.FS {
			create := f.Create
			f.Create = func(path string) (checkpoint.File, error) {
				file, err := create(path)
				return lazy{file}, err
			}
			return f
		},
		"directories are not synced": func(m *memFS, f checkpoint.FS) checkpoint.FS {
			f.SyncDir = func(string) error { return nil }
			return f
		},
		"only the new directory is not synced": func(m *memFS, f checkpoint.FS) checkpoint.FS {
			sync := f.SyncDir
			f.SyncDir = func(path string) error {
				if strings.HasPrefix(filepath.Base(path), ".tmp-") {
					return nil
				}
				return sync(path)
			}
			return f
		},
	} {
		m := newMemFS()
		f := spoil(m, m.fs())
		for _, a := range history[:2] {
			if err := a.do(f); err != nil {
				t.Fatal(err)
			}
		}
		root := t.TempDir()
		m.cut(t, root, func(int) int { return 0 })
		if check(root, &history[1], nil) == nil {
			t.Errorf("%s, and the power cut did no harm", name)
		}
	}
}

type lazy struct{ checkpoint.File }

func (lazy) Sync() error { return nil }
