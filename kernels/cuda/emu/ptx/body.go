package ptx

// maxRegs bounds the registers of one kernel.
const maxRegs = 1 << 20

// body reads a kernel's body with its nested braces and resolves labels at its end.
func (p *parser) body() error {
	module := p.scope
	for {
		switch {
		case p.tok.kind == kEOF:
			return p.fail("body of %s without end", p.kernel.Name)
		case p.tok.is("{"):
			p.scope = newScope(p.scope)
			if err := p.advance(); err != nil {
				return err
			}
		case p.tok.is("}"):
			if p.scope = p.scope.outer; p.scope == module {
				if err := p.labels(); err != nil {
					return err
				}
				return p.advance()
			}
			if err := p.advance(); err != nil {
				return err
			}
		default:
			if err := p.statement(); err != nil {
				return err
			}
		}
	}
}

// labels resolves the uses of labels.
func (p *parser) labels() error {
	for _, f := range p.fixups {
		at, ok := f.scope.label(f.name)
		if !ok {
			return &Error{p.lex.file, f.line, "'" + f.name + "' is not declared: neither register, variable, parameter nor label"}
		}
		arg := &p.kernel.Code[f.inst].Args[f.arg]
		arg.Kind, arg.Target = KLabel, at
	}
	return nil
}

func (p *parser) statement() error {
	switch {
	case p.tok.is(";"):
		return p.advance()
	case p.tok.kind == kDot:
		return p.declaration()
	case p.tok.is("@"):
		return p.guarded()
	case p.tok.kind == kName:
		name, line := p.tok.text, p.tok.line
		if err := p.advance(); err != nil {
			return err
		}
		if !p.tok.is(":") {
			return p.instruction(Inst{Line: line, Guard: -1}, name)
		}
		if _, twice := p.scope.labels[name]; twice {
			return p.fail("label %s is declared twice", name)
		}
		p.scope.labels[name] = len(p.kernel.Code)
		return p.advance()
	}
	return p.fail("%s found, want a statement", p.tok)
}

func (p *parser) declaration() error {
	switch d := p.tok.text[1:]; d {
	case "reg":
		return p.registers()
	case "loc", "file":
		return p.skipLine()
	case "pragma":
		if err := p.advance(); err != nil {
			return err
		}
		if err := p.advance(); err != nil {
			return err
		}
		return p.expect(";")
	case "callprototype", "calltargets", "branchtargets":
		return p.skipStatement()
	case "param": // an argument or a result of a call: it lies in the frame
		return p.variables(false, func(v *Var) {
			v.Space = Local
			p.kernel.Vars = append(p.kernel.Vars, v)
		})
	case "shared", "local":
		return p.variables(false, func(v *Var) { p.kernel.Vars = append(p.kernel.Vars, v) })
	case "global", "const":
		return p.variables(false, func(v *Var) { p.mod.Vars = append(p.mod.Vars, v) })
	default:
		return p.fail("directive .%s inside a body is not supported", d)
	}
}

// registers reads ".reg .type a, %r<n>;".
func (p *parser) registers() error {
	if err := p.advance(); err != nil {
		return err
	}
	if p.tok.kind != kDot || TypeOf(p.tok.text[1:]) == NoType {
		return p.fail("%s found, want a register's type", p.tok)
	}
	typ := TypeOf(p.tok.text[1:])
	if typ == B128 {
		return p.fail("registers of type .b128 are not supported")
	}
	if err := p.advance(); err != nil {
		return err
	}
	for {
		name, err := p.word("a register's name")
		if err != nil {
			return err
		}
		if ok, err := p.take("<"); err != nil {
			return err
		} else if ok {
			n, err := p.integer("a number of registers", maxRegs)
			if err != nil {
				return err
			}
			for i := range n {
				p.register(name+itoa(i), typ)
			}
			if err := p.expect(">"); err != nil {
				return err
			}
		} else {
			p.register(name, typ)
		}
		if len(p.kernel.Regs) > maxRegs {
			return p.fail("more than %d registers", maxRegs)
		}
		if ok, err := p.take(","); err != nil {
			return err
		} else if !ok {
			return p.expect(";")
		}
	}
}

func (p *parser) register(name string, typ Type) {
	p.scope.regs[name] = len(p.kernel.Regs)
	p.kernel.Regs = append(p.kernel.Regs, Reg{name, typ})
}

// guarded reads "@p op" and "@!p op".
func (p *parser) guarded() error {
	in := Inst{Line: p.tok.line}
	if err := p.advance(); err != nil {
		return err
	}
	not, err := p.take("!")
	if err != nil {
		return err
	}
	in.GuardNot = not
	name, err := p.word("a predicate register")
	if err != nil {
		return err
	}
	r, ok := p.scope.reg(name)
	if !ok || p.kernel.Regs[r].Type != Pred {
		return p.fail("guard %s is not a predicate register", name)
	}
	in.Guard = r
	in.Line = p.tok.line
	opcode, err := p.word("an instruction")
	if err != nil {
		return err
	}
	return p.instruction(in, opcode)
}
