package arch_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

// file is one Go source file.
type file struct {
	path  string // slash-separated, from the module's root
	lines int
	ast   *ast.File
}

func (f *file) test() bool { return strings.HasSuffix(f.path, "_test.go") }

// external reports whether the file belongs to an external test package.
func (f *file) external() bool { return f.test() && strings.HasSuffix(f.ast.Name.Name, "_test") }

// generated reports whether a program wrote the file.
func (f *file) generated() bool {
	return strings.HasPrefix(path.Base(f.path), "z") && ast.IsGenerated(f.ast)
}

// imports returns the import paths.
func (f *file) imports() (out []string) {
	for _, s := range f.ast.Imports {
		p, _ := strconv.Unquote(s.Path.Value)
		out = append(out, p)
	}
	return out
}

// tree is all Go files of a module: every build variant, tests included, nested modules left out.
type tree struct {
	fset *token.FileSet
	dirs map[string][]*file
	all  []*file
}

// load parses the module in fsys.
func load(fsys fs.FS) (*tree, error) {
	t := &tree{fset: token.NewFileSet(), dirs: map[string][]*file{}}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			name := d.Name()
			if p != "." && (name == "testdata" || name == "runs" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return fs.SkipDir
			}
			if _, err := fs.Stat(fsys, path.Join(p, "go.mod")); err == nil && p != "." {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		src, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		a, err := parser.ParseFile(t.fset, p, src, parser.ParseComments)
		if err != nil {
			return err
		}
		f := &file{path: p, lines: strings.Count(string(src), "\n"), ast: a}
		t.all = append(t.all, f)
		t.dirs[path.Dir(p)] = append(t.dirs[path.Dir(p)], f)
		return nil
	})
	return t, err
}

// at says where a node is.
func (t *tree) at(n ast.Node) string {
	p := t.fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

var ours = sync.OnceValues(func() (*tree, error) { return load(os.DirFS("../..")) })

// rule returns what a tree does wrong, one line per place.
type rule func(t *tree) []string

// check runs a rule over this repository, and over bad, a tree that breaks it: a rule that finds nothing there would find nothing anywhere. Every
// line of want must occur in what the rule says of bad, and it must say nothing else.
func check(t *testing.T, r rule, bad fstest.MapFS, want ...string) {
	t.Helper()
	b, err := load(bad)
	if err != nil {
		t.Fatal(err)
	}
	got := r(b)
	if len(got) != len(want) {
		t.Fatalf("the rule says of the bad tree %q, want %d lines", got, len(want))
	}
	for i, w := range want {
		if !strings.Contains(got[i], w) {
			t.Errorf("the rule says of the bad tree %q, want it to contain %q", got[i], w)
		}
	}
	tr, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range r(tr) {
		t.Error(line)
	}
}

// src makes a tree from pairs of path and text.
func src(pairs ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}
