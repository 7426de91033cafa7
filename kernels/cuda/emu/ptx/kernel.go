package ptx

// entry reads a kernel after .entry.
func (p *parser) entry() (err error) {
	k := &Kernel{Line: p.tok.line}
	if k.Name, err = p.word("a kernel's name"); err != nil {
		return err
	}
	p.kernel, p.params, p.fixups = k, map[string]int{}, nil
	if ok, err := p.take("("); err != nil {
		return err
	} else if ok {
		if err := p.parameters(); err != nil {
			return err
		}
	}
	if err := p.tuning(); err != nil {
		return err
	}
	if !p.tok.is("{") {
		return p.fail("%s found, want the body of %s", p.tok, k.Name)
	}
	if err := p.body(); err != nil {
		return err
	}
	p.mod.Kernels = append(p.mod.Kernels, k)
	return nil
}

func (p *parser) parameters() error {
	k := p.kernel
	for !p.tok.is(")") {
		if p.tok.kind != kDot || p.tok.text != ".param" {
			return p.fail("%s found, want .param", p.tok)
		}
		if err := p.advance(); err != nil {
			return err
		}
		typ, alignment, err := p.paramType()
		if err != nil {
			return err
		}
		name, err := p.word("a parameter's name")
		if err != nil {
			return err
		}
		n, err := p.dims()
		if err != nil {
			return err
		}
		if _, twice := p.params[name]; twice {
			return p.fail("parameter %s is declared twice", name)
		}
		off := align(k.ParamSize, alignment)
		p.params[name] = len(k.Params)
		k.Params = append(k.Params, Param{Name: name, Offset: off, Size: n * typ.Size(), Align: alignment})
		if k.ParamSize = off + n*typ.Size(); k.ParamSize > 32764 {
			return p.fail("parameters of %s take more than 32764 bytes", k.Name)
		}
		if ok, err := p.take(","); err != nil {
			return err
		} else if !ok {
			break
		}
	}
	return p.expect(")")
}

// paramType is varType for parameters, where .ptr has an alignment of what is pointed to.
func (p *parser) paramType() (Type, int, error) {
	typ, alignment, pointer := NoType, 0, false
	for p.tok.kind == kDot {
		d := p.tok.text[1:]
		if err := p.advance(); err != nil {
			return 0, 0, err
		}
		switch {
		case d == "align":
			n, err := p.integer("an alignment", 1<<16)
			if err != nil {
				return 0, 0, err
			}
			if n == 0 || n&(n-1) != 0 {
				return 0, 0, p.fail("alignment %d is not a power of two", n)
			}
			if !pointer {
				alignment = n
			}
		case d == "ptr":
			pointer = true
		case SpaceOf(d) != NoSpace:
		default:
			if typ = TypeOf(d); typ == NoType || typ == Pred {
				return 0, 0, p.fail("type .%s is not a parameter's", d)
			}
		}
	}
	if typ == NoType {
		return 0, 0, p.fail("parameter without a type")
	}
	return typ, max(alignment, typ.Size()), nil
}

// tuning reads the directives between the parameters and the body.
func (p *parser) tuning() error {
	for p.tok.kind == kDot {
		d := p.tok.text[1:]
		if err := p.advance(); err != nil {
			return err
		}
		dims := [3]int{1, 1, 1}
		n := 0
		for ; p.tok.kind == kInt && n < 3; n++ {
			v, err := p.integer("a size", 1<<31-1)
			if err != nil {
				return err
			}
			dims[n] = v
			if ok, err := p.take(","); err != nil {
				return err
			} else if !ok {
				break
			}
		}
		switch d {
		case "maxntid":
			p.kernel.MaxThreads = dims[0] * dims[1] * dims[2]
		case "reqntid":
			p.kernel.MaxThreads = dims[0] * dims[1] * dims[2]
			p.kernel.Required = dims
		case "reqnctapercluster":
			p.kernel.Cluster = dims
		case "minnctapersm", "maxnreg", "explicitcluster", "maxclusterrank", "noreturn":
		case "pragma":
			if err := p.advance(); err != nil {
				return err
			}
			if err := p.expect(";"); err != nil {
				return err
			}
		default:
			return p.fail("directive .%s before the body is not known", d)
		}
	}
	return nil
}
