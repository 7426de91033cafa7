package ptx

// scope is a pair of braces: registers, variables and labels declared inside hide those outside.
type scope struct {
	outer  *scope
	regs   map[string]int
	vars   map[string]*Var
	labels map[string]int
}

func newScope(outer *scope) *scope {
	return &scope{outer: outer, regs: map[string]int{}, vars: map[string]*Var{}, labels: map[string]int{}}
}

func (s *scope) reg(name string) (int, bool) {
	for ; s != nil; s = s.outer {
		if r, ok := s.regs[name]; ok {
			return r, true
		}
	}
	return 0, false
}

func (s *scope) variable(name string) *Var {
	for ; s != nil; s = s.outer {
		if v, ok := s.vars[name]; ok {
			return v
		}
	}
	return nil
}

func (s *scope) label(name string) (int, bool) {
	for ; s != nil; s = s.outer {
		if i, ok := s.labels[name]; ok {
			return i, true
		}
	}
	return 0, false
}

// fixup is a use of a label that is resolved when the body ends.
type fixup struct {
	inst, arg int
	name      string
	scope     *scope
	line      int
}
