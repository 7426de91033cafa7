package arch_test

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"path"
	"strings"
	"testing"
)

// imports forbids math/rand, whose streams nothing can save and restore, and dot imports, which hide where a name is from; gorgonia.org/cu ends the
// process on a machine without a GPU when it is imported, so only files that the build tag cu asks for may do so.
func imports(t *tree) (out []string) {
	for _, f := range t.all {
		for i, p := range f.imports() {
			at := t.at(f.ast.Imports[i])
			if p == "math/rand" || p == "math/rand/v2" {
				out = append(out, at+": math/rand: use artel/rng")
			}
			if n := f.ast.Imports[i].Name; n != nil && n.Name == "." {
				out = append(out, at+": dot import")
			}
			if (p == "gorgonia.org/cu" || strings.HasPrefix(p, "gorgonia.org/cu/")) && !f.needsTag("cu") {
				out = append(out, at+": gorgonia.org/cu without the build tag cu")
			}
		}
	}
	return out
}

// needsTag reports whether a file is left out of every build without the tag.
func (f *file) needsTag(tag string) bool {
	for _, g := range f.ast.Comments {
		for _, c := range g.List {
			if !constraint.IsGoBuild(c.Text) || c.Pos() > f.ast.Package {
				continue
			}
			if e, err := constraint.Parse(c.Text); err == nil {
				return !e.Eval(func(t string) bool { return t != tag })
			}
		}
	}
	return false
}

func TestImports(t *testing.T) {
	check(t, imports, src(
		"a/a.go", "package a\n\nimport (\n\t\"math/rand\"\n\t. \"fmt\"\n\t\"gorgonia.org/cu\"\n)\n",
		"a/b.go", "//go:build cu && linux\n\npackage a\n\nimport _ \"gorgonia.org/cu\"\n",
		"a/c.go", "//go:build cu || linux\n\npackage a\n\nimport _ \"gorgonia.org/cu/dnn\"\n",
	), "a/a.go:4: math/rand", "a/a.go:5: dot", "a/a.go:6: gorgonia.org/cu", "a/c.go:5: gorgonia.org/cu")
}

// mostMethods is the largest number of methods of an interface.
const mostMethods = 3

// types forbids maps from strings to anything, which say nothing of what is in them, and interfaces that ask for much.
func types(t *tree) (out []string) {
	for _, f := range t.all {
		if f.test() {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.MapType:
				if k, ok := n.Key.(*ast.Ident); ok && k.Name == "string" && anything(n.Value) {
					out = append(out, t.at(n)+": map[string]any: give it a type")
				}
			case *ast.InterfaceType:
				if m := t.methods(f, n, 0); m > mostMethods {
					out = append(out, fmt.Sprintf("%s: interface of %d methods, want at most %d", t.at(n), m, mostMethods))
				}
			}
			return true
		})
	}
	return out
}

func anything(e ast.Expr) bool {
	if i, ok := e.(*ast.InterfaceType); ok {
		return i.Methods.NumFields() == 0
	}
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "any"
}

// methods counts the methods of an interface, those of embedded interfaces of the same package included; an embedded one of another
// package counts as one.
func (t *tree) methods(f *file, i *ast.InterfaceType, depth int) (n int) {
	for _, m := range i.Methods.List {
		switch x := m.Type.(type) {
		case *ast.FuncType:
			n += len(m.Names)
		case *ast.SelectorExpr:
			n++
		case *ast.Ident:
			if e := t.interfaceNamed(f, x.Name); e != nil && depth < 8 {
				n += t.methods(f, e, depth+1)
			}
		}
	}
	return n
}

// interfaceNamed finds an interface type in the package of f.
func (t *tree) interfaceNamed(f *file, name string) *ast.InterfaceType {
	for _, g := range t.dirs[path.Dir(f.path)] {
		if o := g.ast.Scope.Lookup(name); o != nil {
			if s, ok := o.Decl.(*ast.TypeSpec); ok {
				i, _ := s.Type.(*ast.InterfaceType)
				return i
			}
		}
	}
	return nil
}

func TestTypes(t *testing.T) {
	check(t, types, src("a/a.go", `package a

type big interface {
	A()
	B()
	C()
	D()
}

type small interface {
	A()
	B()
	C()
}

type sum interface {
	small
	error
	D()
}

type number interface{ ~int | ~float64 }

var x = map[string]any{}

func f(map[string]interface{}) {}
`), "a/a.go:3: interface of 4", "a/a.go:16: interface of 4", "a/a.go:24: map", "a/a.go:26: map")
}
