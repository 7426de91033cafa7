package ptx

// function reads a device function from its first parenthesis or name on: a declaration or a definition.
func (p *parser) function(extern bool) error {
	f := &Func{Extern: extern}
	f.Line = p.tok.line
	module := p.scope
	p.scope = newScope(module)
	defer func() { p.scope = module }()
	var err error
	if p.tok.is("(") {
		if f.Results, err = p.formals(); err != nil {
			return err
		}
		if len(f.Results) > 1 {
			return p.fail("a function with %d results is not supported", len(f.Results))
		}
	}
	if f.Name, err = p.word("a function's name"); err != nil {
		return err
	}
	if p.tok.is("(") {
		if f.Formals, err = p.formals(); err != nil {
			return err
		}
	}
	p.kernel, p.params, p.fixups = &f.Kernel, map[string]int{}, nil
	if err := p.tuning(); err != nil {
		return err
	}
	// A definition takes the place of the declaration before it, which operands may hold already.
	known := p.funcs[f.Name]
	if known == nil {
		known = f
		p.funcs[f.Name] = f
		p.mod.Funcs = append(p.mod.Funcs, f)
	}
	if ok, err := p.take(";"); err != nil || ok {
		return err
	}
	if !p.tok.is("{") {
		return p.fail("%s found, want the body of %s", p.tok, f.Name)
	}
	if known.Defined {
		return p.fail("function %s is defined twice", f.Name)
	}
	if err := p.body(); err != nil {
		return err
	}
	f.Defined = true
	*known = *f
	return nil
}

// formals reads the parameters, or the result, of a function in parentheses.
func (p *parser) formals() (out []*Var, err error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	for !p.tok.is(")") {
		if p.tok.kind != kDot || p.tok.text != ".param" {
			return nil, p.fail("%s found, want .param: other parameters of functions are not supported", p.tok)
		}
		v := &Var{Space: Local, Line: p.tok.line}
		if err := p.advance(); err != nil {
			return nil, err
		}
		typ, alignment, err := p.paramType()
		if err != nil {
			return nil, err
		}
		if v.Name, err = p.word("a parameter's name"); err != nil {
			return nil, err
		}
		n, err := p.dims()
		if err != nil {
			return nil, err
		}
		if v.Size, v.Align = n*typ.Size(), alignment; v.Size < 1 || v.Size > 1<<16 {
			return nil, p.fail("parameter %s has %d bytes", v.Name, v.Size)
		}
		if p.scope.vars[v.Name] != nil && v.Name != "_" {
			return nil, p.fail("parameter %s is declared twice", v.Name)
		}
		p.scope.vars[v.Name] = v
		out = append(out, v)
		if ok, err := p.take(","); err != nil {
			return nil, err
		} else if !ok {
			break
		}
	}
	return out, p.expect(")")
}

// call reads the operands of call: (result), function or register, (arguments), prototype. It leaves three: the results, the target and the arguments, the first and the last as vectors.
func (p *parser) call(in Inst) error {
	results, target, args := Operand{Kind: KVec}, Operand{}, Operand{Kind: KVec}
	var err error
	if p.tok.is("(") {
		if results.List, err = p.list(")"); err != nil {
			return err
		}
		if err := p.expect(","); err != nil {
			return err
		}
	}
	if target, err = p.named(); err != nil {
		return err
	}
	if target.Kind != KFunc && target.Kind != KReg {
		return p.fail("'%s' is not a function or a register that holds the address of one", target.Name)
	}
	if ok, err := p.take(","); err != nil {
		return err
	} else if ok {
		if p.tok.is("(") {
			if args.List, err = p.list(")"); err != nil {
				return err
			}
			if ok, err = p.take(","); err != nil {
				return err
			}
		}
		if ok {
			// A prototype or a list of targets only restates what the function is.
			if _, err := p.word("a prototype"); err != nil {
				return err
			}
		}
	}
	for _, o := range append(append([]Operand(nil), results.List...), args.List...) {
		if o.Kind != KVar || o.Var.Space != Local {
			return p.fail("an argument or result of a call that is not a .param variable is not supported")
		}
	}
	in.Args = []Operand{results, target, args}
	p.kernel.Code = append(p.kernel.Code, in)
	return p.expect(";")
}

// skipStatement reads up to a semicolon.
func (p *parser) skipStatement() error {
	for !p.tok.is(";") && p.tok.kind != kEOF {
		if err := p.advance(); err != nil {
			return err
		}
	}
	return p.expect(";")
}
