package arch_test

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
)

// packageDocs wants a doc comment on every package, in one of its files.
func packageDocs(t *tree) (out []string) {
	for _, dir := range slices.Sorted(maps.Keys(t.dirs)) {
		want, found, any := "Package ", false, false
		for _, f := range t.dirs[dir] {
			if f.test() {
				continue
			}
			any = true
			if f.ast.Name.Name == "main" {
				want = "Command "
			}
			found = found || f.ast.Doc != nil && strings.HasPrefix(f.ast.Doc.Text(), want)
		}
		if any && !found {
			out = append(out, fmt.Sprintf("%s: no doc comment that begins with %q", dir, want))
		}
	}
	return out
}

func TestPackagesAreDocumented(t *testing.T) {
	check(t, packageDocs, src(
		"a/a.go", "package a\n", "a/doc.go", "// Package a is fine.\npackage a\n",
		"b/b.go", "package b\n",
		"c/c.go", "// Package main is wrong.\npackage main\n",
		"d/d_test.go", "package d_test\n",
	), `b: no doc comment that begins with "Package`, `c: no doc comment that begins with "Command`)
}

// exportedDocs wants a comment on every exported function, type, constant and variable, and on every exported method of an exported type. In a
// group of constants or variables the comment of the group, or one behind the name, will do.
func exportedDocs(t *tree) (out []string) {
	for _, f := range t.all {
		if f.test() || f.ast.Name.Name == "main" {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
					out = append(out, fmt.Sprintf("%s: %s has no doc comment", t.at(d), d.Name.Name))
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					for _, name := range undocumented(d, s) {
						out = append(out, fmt.Sprintf("%s: %s has no doc comment", t.at(s), name))
					}
				}
			}
		}
	}
	return out
}

// receiver returns the name of a method's type.
func receiver(d *ast.FuncDecl) string {
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// undocumented returns the exported names of a specification without a comment.
func undocumented(d *ast.GenDecl, s ast.Spec) (out []string) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc == nil && d.Doc == nil && s.Comment == nil {
			out = append(out, s.Name.Name)
		}
	case *ast.ValueSpec:
		for _, n := range s.Names {
			if n.IsExported() && s.Doc == nil && d.Doc == nil && s.Comment == nil {
				out = append(out, n.Name)
			}
		}
	}
	return out
}

func TestExportedIsDocumented(t *testing.T) {
	check(t, exportedDocs, src("a/a.go", `package a

type T struct{}

// U is fine.
type U struct{}

func (U) M() {}

func (u) M() {}

type u struct{}

func F() {}

const C = 1

// The group.
const (
	D = 1
	E = 2
)

var V, w = 1, 2 // behind
`), "a.go:3: T", "a.go:8: M", "a.go:14: F", "a.go:16: C")
}
