package arch_test

import (
	"fmt"
	"go/ast"
	"strings"
	"testing"
)

// onlyRegister wants init functions to do nothing but call functions whose names begin with Register.
func onlyRegister(t *tree) (out []string) {
	for _, f := range t.all {
		for _, d := range f.ast.Decls {
			d, ok := d.(*ast.FuncDecl)
			if !ok || d.Name.Name != "init" || d.Recv != nil {
				continue
			}
			for _, s := range d.Body.List {
				if !registers(s) {
					out = append(out, fmt.Sprintf("%s: init does more than register", t.at(s)))
				}
			}
		}
	}
	return out
}

func registers(s ast.Stmt) bool {
	e, ok := s.(*ast.ExprStmt)
	if !ok {
		return false
	}
	c, ok := e.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	name := called(c)
	return strings.HasPrefix(name[strings.LastIndex(name, ".")+1:], "Register")
}

func TestInitOnlyRegisters(t *testing.T) {
	check(t, onlyRegister, src("a/a.go", `package a

func init() {
	Register(1)
	nn.RegisterLoss(2)
}

func init() {
	x := 3
	start(x)
}
`), "a/a.go:9", "a/a.go:10")
}
