package arch_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// variants are the tables of kernels by processor. They are pointers so that they can be told apart, and nothing writes to them.
var variants = map[string]bool{
	"kernels/cpu/internal/gemm.avx512": true, "kernels/cpu/internal/gemm.avx2": true, "kernels/cpu/internal/gemm.generic": true,
	"kernels/cpu/internal/vec.plain": true,
}

// constructors make package-level values that may change inside because they look after themselves: registries, pools of records by
// type, values made at first use, and errors to compare with.
var constructors = map[string]bool{
	"registry.New": true, "autograd.NewKind": true, "NewKind": true,
	"sync.OnceValue": true, "sync.OnceValues": true, "sync.OnceFunc": true, "errors.New": true,
}

// pure are the other functions whose result is a value that only an assignment could change.
var pure = map[string]bool{
	"math.NaN": true, "nvtx.New": true, "strings.Fields": true, "strings.NewReplacer": true, "reflect.TypeFor": true,
}

// packageState wants package-level variables to be tables that nothing writes to. A variable is fine when it is made by one of
// constructors, embedded, listed in variants, or initialised and then never assigned, cleared, or taken the address of.
func packageState(t *tree) (out []string) {
	for _, dir := range slices.Sorted(maps.Keys(t.dirs)) {
		written := t.written(dir)
		for _, f := range t.dirs[dir] {
			if f.test() || f.ast.Name.Name == "main" {
				continue
			}
			for _, d := range f.ast.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.VAR {
					continue
				}
				for _, s := range g.Specs {
					s := s.(*ast.ValueSpec)
					for i, n := range s.Names {
						if why := suspicious(g, s, i, written, variants[dir+"."+n.Name]); why != "" && n.Name != "_" {
							out = append(out, fmt.Sprintf("%s: variable %s %s", t.at(n), n.Name, why))
						}
					}
				}
			}
		}
	}
	return out
}

// suspicious says what is wrong with the i-th name of a variable declaration.
func suspicious(g *ast.GenDecl, s *ast.ValueSpec, i int, written map[string]string, variant bool) string {
	for _, c := range []*ast.CommentGroup{g.Doc, s.Doc} {
		if c != nil && strings.Contains(c.List[len(c.List)-1].Text, "//go:embed") {
			return ""
		}
	}
	if len(s.Values) == 0 {
		return "has no initial value, so something must change it later"
	}
	v := s.Values[min(i, len(s.Values)-1)]
	if c, ok := v.(*ast.CallExpr); ok {
		name := called(c)
		if constructors[name] {
			return ""
		}
		if !pure[name] {
			return "is made by " + name + ", which may return something that changes"
		}
	}
	if u, ok := v.(*ast.UnaryExpr); ok && u.Op == token.AND && !variant {
		return "is a pointer"
	}
	if where, ok := written[s.Names[i].Name]; ok {
		return "is changed at " + where
	}
	return ""
}

// called returns the name of a called function without type arguments.
func called(c *ast.CallExpr) string {
	e := c.Fun
	for {
		switch x := e.(type) {
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok {
				return id.Name + "." + x.Sel.Name
			}
			return x.Sel.Name
		case *ast.Ident:
			return x.Name
		default:
			return "an expression"
		}
	}
}

// written finds the package-level names of a package that something assigns to, or takes the address of, inside the package or from another one.
func (t *tree) written(dir string) map[string]string {
	out := map[string]string{}
	for d, files := range t.dirs {
		for _, f := range files {
			if f.test() {
				continue
			}
			var qualifier string // how f calls dir's package
			if d != dir {
				if qualifier = f.nameOf("artel/" + dir); qualifier == "" {
					continue
				}
			}
			mark := func(e ast.Expr) {
				if name := f.root(e, qualifier); name != "" && out[name] == "" {
					out[name] = t.at(e)
				}
			}
			ast.Inspect(f.ast, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					if n.Tok != token.DEFINE {
						for _, e := range n.Lhs {
							mark(e)
						}
					}
				case *ast.IncDecStmt:
					mark(n.X)
				case *ast.UnaryExpr:
					if n.Op == token.AND {
						mark(n.X)
					}
				case *ast.CallExpr:
					if name := called(n); len(n.Args) > 0 && (name == "clear" || name == "delete" || name == "copy") {
						mark(n.Args[0])
					}
				}
				return true
			})
		}
	}
	return out
}

// nameOf returns the name under which the file imports a package, or "".
func (f *file) nameOf(pkg string) string {
	for _, s := range f.ast.Imports {
		if p, _ := strconv.Unquote(s.Path.Value); p == pkg {
			if s.Name != nil {
				return s.Name.Name
			}
			return path.Base(pkg)
		}
	}
	return ""
}

// root returns the package-level name that an expression such as x[i].f is a part of: an identifier that no function declares, or, with a qualifier,
// the name behind it.
func (f *file) root(e ast.Expr, qualifier string) string {
	for {
		switch x := e.(type) {
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok && qualifier != "" && id.Name == qualifier && id.Obj == nil {
				return x.Sel.Name
			}
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.Ident:
			// The parser resolves names within a file; one of another file of the package has no object.
			if qualifier != "" || x.Obj != nil && f.ast.Scope.Lookup(x.Name) != x.Obj {
				return ""
			}
			return x.Name
		default:
			return ""
		}
	}
}

func TestNoPackageState(t *testing.T) {
	check(t, packageState, src("a/a.go", `package a

import (
	_ "embed"
	"sync"
)

var table = [2]int{1, 2}

var cache = map[string]int{}

var counter int

var list, Shown = []int{1}, 2

var once = sync.OnceValue(func() int { return 1 })

var ptr = &struct{ n int }{}

var made = build()

//go:embed a.bin
var blob []byte

func f() {
	table := []int{1}
	table[0] = 2
	cache["a"] = 1
}
`, "a/b.go", "package a\n\nfunc g() { clear(list) }\n",
		"b/b.go", "package b\n\nimport \"artel/a\"\n\nfunc g() { a.Shown++ }\n",
	), "cache is changed at a/a.go:28", "counter has no initial value", "list is changed at a/b.go:3", "Shown is changed at b/b.go:5", "ptr is a pointer", "made is made by build")
}
