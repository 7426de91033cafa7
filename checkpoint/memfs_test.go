package checkpoint_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"artel/checkpoint"
)

var (
	errPower = errors.New("the power is off")
	errDisk  = errors.New("disk full")
)

// memFS is a file system in memory that knows what a power cut may take: the bytes of a file since its last Sync, and the changes
// of a directory's names since its last SyncDir. It also keeps the rules of FS: one level per Mkdir, renames to free names
// within one directory.
type memFS struct {
	root  *node
	calls int // operations so far
	off   int // from this operation on the power is off; 0 never
	fail  int // this operation fails, once; 0 none
	log   []string
}

// node is a file or a directory, as the running machine sees it and as it is on the disk.
type node struct {
	dir            bool
	data, durable  []byte
	names, entries map[string]*node // entries are the durable ones
	pending        []change
}

// change is one operation on the names of a directory: it takes from away and puts n at to; empty names are left out.
type change struct {
	from, to string
	n        *node
}

func newDir() *node { return &node{dir: true, names: map[string]*node{}, entries: map[string]*node{}} }

func (c change) apply(names map[string]*node) {
	if c.from != "" {
		delete(names, c.from)
	}
	if c.to != "" {
		names[c.to] = c.n
	}
}

func (d *node) change(c change) {
	c.apply(d.names)
	d.pending = append(d.pending, c)
}

func newMemFS() *memFS { return &memFS{root: newDir()} }

// step counts an operation and tells whether it takes place.
func (m *memFS) step(what, path string) error {
	m.calls++
	m.log = append(m.log, what+" "+path)
	if m.off > 0 && m.calls >= m.off {
		return errPower
	}
	if m.calls == m.fail {
		return errDisk
	}
	return nil
}

// find returns the directory of path and the last name.
func (m *memFS) find(path string) (*node, string, error) {
	d, parts := m.root, splitPath(path)
	for _, p := range parts[:len(parts)-1] {
		if d = d.names[p]; d == nil || !d.dir {
			return nil, "", fs.ErrNotExist
		}
	}
	return d, parts[len(parts)-1], nil
}

func splitPath(path string) []string {
	dir, base := filepath.Split(filepath.Clean(path))
	if dir == "" {
		return []string{base}
	}
	return append(splitPath(dir), base)
}

// open returns the node at path.
func (m *memFS) open(path string) (*node, error) {
	if filepath.Clean(path) == "." {
		return m.root, nil
	}
	d, name, err := m.find(path)
	if err != nil || d.names[name] == nil {
		return nil, fs.ErrNotExist
	}
	return d.names[name], nil
}

// add puts a new node at path.
func (m *memFS) add(path string, n *node) error {
	d, name, err := m.find(path)
	if err != nil {
		return err
	}
	if d.names[name] != nil {
		return fs.ErrExist
	}
	d.change(change{to: name, n: n})
	return nil
}

type memFile struct {
	m    *memFS
	path string
	n    *node
}

func (f *memFile) Write(p []byte) (int, error) {
	if err := f.m.step("write", f.path); err != nil {
		f.n.data = append(f.n.data, p[:len(p)/2]...) // the disk may have begun
		return len(p) / 2, err
	}
	f.n.data = append(f.n.data, p...)
	return len(p), nil
}

func (f *memFile) Sync() error {
	if err := f.m.step("sync", f.path); err != nil {
		return err
	}
	f.n.durable = slices.Clone(f.n.data)
	return nil
}

func (f *memFile) Close() error { return f.m.step("close", f.path) }

// fs returns m as what Save takes.
func (m *memFS) fs() checkpoint.FS {
	return checkpoint.FS{
		Mkdir: func(path string) error {
			if err := m.step("mkdir", path); err != nil {
				return err
			}
			return m.add(path, newDir())
		},
		Create: func(path string) (checkpoint.File, error) {
			if err := m.step("create", path); err != nil {
				return nil, err
			}
			f := &memFile{m: m, path: path, n: &node{}}
			return f, m.add(path, f.n)
		},
		Rename: func(from, to string) error {
			if err := m.step("rename", from+" "+to); err != nil {
				return err
			}
			if filepath.Dir(from) != filepath.Dir(to) {
				return errors.New("rename between directories")
			}
			d, name, err := m.find(from)
			if err != nil || d.names[name] == nil {
				return fs.ErrNotExist
			}
			if d.names[filepath.Base(to)] != nil {
				return fs.ErrExist
			}
			d.change(change{from: name, to: filepath.Base(to), n: d.names[name]})
			return nil
		},
		RemoveAll: func(path string) error { return m.removeAll(path) },
		SyncDir: func(path string) error {
			if err := m.step("syncdir", path); err != nil {
				return err
			}
			d, err := m.open(path)
			if err != nil {
				return err
			}
			d.entries, d.pending = maps.Clone(d.names), nil
			return nil
		},
		ReadDir: func(path string) ([]string, error) {
			if err := m.step("readdir", path); err != nil {
				return nil, err
			}
			d, err := m.open(path)
			if err != nil {
				return nil, err
			}
			return slices.Sorted(maps.Keys(d.names)), nil
		},
	}
}

// removeAll removes a tree, one operation for each name, so that the power can go in between.
func (m *memFS) removeAll(path string) error {
	n, err := m.open(path)
	if err != nil {
		return m.step("remove", path)
	}
	for _, name := range slices.Sorted(maps.Keys(n.names)) {
		if err := m.removeAll(filepath.Join(path, name)); err != nil {
			return err
		}
	}
	if err := m.step("remove", path); err != nil {
		return err
	}
	d, name, _ := m.find(path)
	d.change(change{from: name})
	return nil
}

// cut writes what a power cut leaves to a directory on the real disk. keep decides on each thing that was not synced: a change of
// names, or a byte count of a file.
func (m *memFS) cut(t *testing.T, dir string, keep func(n int) int) {
	t.Helper()
	if err := spill(m.root, dir, keep); err != nil {
		t.Fatal(err)
	}
}

func spill(n *node, path string, keep func(n int) int) error {
	if !n.dir {
		b := n.durable
		if extra := len(n.data) - len(b); extra > 0 {
			b = n.data[:len(b)+keep(extra)]
		}
		return os.WriteFile(path, b, 0o666)
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	names := maps.Clone(n.entries)
	for _, c := range n.pending {
		if keep(1) == 1 && (c.from == "" || names[c.from] != nil) {
			if c.from != "" && c.to != "" {
				c.n = names[c.from]
			}
			// A rename that overtook the one that made room for it: what a disk makes of a name that is there twice is open.
			twice := c.to != "" && names[c.to] != nil
			c.apply(names)
			if twice {
				delete(names, c.to)
			}
		}
	}
	for name, child := range names {
		if err := spill(child, filepath.Join(path, name), keep); err != nil {
			return err
		}
	}
	return nil
}
