package ptx

import "encoding/binary"

// maxBytes bounds one variable.
const maxBytes = 1 << 30

// variables reads ".space [.align n] .type name[len] [= init], ... ;" and declares each name in the current scope.
func (p *parser) variables(extern bool, add func(*Var)) error {
	space := SpaceOf(p.tok.text[1:])
	if err := p.advance(); err != nil {
		return err
	}
	typ, alignment, vec, err := p.varType()
	if err != nil {
		return err
	}
	for {
		v := &Var{Space: space, Align: alignment, Extern: extern, Line: p.tok.line}
		if v.Name, err = p.word("a variable's name"); err != nil {
			return err
		}
		n, err := p.dims()
		if err != nil {
			return err
		}
		if n > maxBytes/16 {
			return p.fail("variable %s has %d elements: too many", v.Name, n)
		}
		v.Size = n * vec * typ.Size()
		if ok, err := p.take("="); err != nil {
			return err
		} else if ok {
			if err := p.initial(v, typ); err != nil {
				return err
			}
		}
		if p.scope.vars[v.Name] != nil {
			return p.fail("variable %s is declared twice", v.Name)
		}
		p.scope.vars[v.Name] = v
		add(v)
		if ok, err := p.take(","); err != nil {
			return err
		} else if !ok {
			return p.expect(";")
		}
	}
}

// varType reads [.align n] [.v2|.v4] .type with other attributes in between.
func (p *parser) varType() (typ Type, alignment, vec int, err error) {
	vec = 1
	for p.tok.kind == kDot {
		switch d := p.tok.text[1:]; d {
		case "align":
			if err = p.advance(); err != nil {
				return
			}
			if alignment, err = p.integer("an alignment", 1<<16); err != nil {
				return
			}
			if alignment == 0 || alignment&(alignment-1) != 0 {
				return typ, 0, 0, p.fail("alignment %d is not a power of two", alignment)
			}
			continue
		case "v2", "v4":
			vec = int(d[1] - '0')
		case "ptr", "global", "shared", "const", "local": // what a pointer parameter points to
		default:
			if typ = TypeOf(d); typ == NoType {
				return typ, 0, 0, p.fail("type .%s is not known", d)
			}
		}
		if err = p.advance(); err != nil {
			return
		}
	}
	if typ == NoType || typ == Pred {
		return typ, 0, 0, p.fail("%s found, want a type that memory can hold", p.tok)
	}
	return typ, max(alignment, typ.Size()*vec), vec, nil
}

// dims reads [n][m]... and returns the number of elements, 1 without brackets and 0 for [].
func (p *parser) dims() (int, error) {
	n := 1
	for {
		ok, err := p.take("[")
		if err != nil || !ok {
			return n, err
		}
		m := 0
		if !p.tok.is("]") {
			if m, err = p.integer("an array length", maxBytes); err != nil {
				return 0, err
			}
		}
		if n *= m; n > maxBytes {
			return 0, p.fail("array of %d elements is too long", n)
		}
		if err := p.expect("]"); err != nil {
			return 0, err
		}
	}
}

// initial reads a scalar or a nested list of numbers.
func (p *parser) initial(v *Var, typ Type) error {
	var data []byte
	depth := 0
	for {
		switch {
		case p.tok.is("{"):
			depth++
		case p.tok.is("}"):
			depth--
		case p.tok.is(","):
			if depth == 0 {
				return p.fail("initial value without braces has several elements")
			}
		case p.tok.kind == kName:
			if typ.Size() != 8 {
				return p.fail("an address in a variable of .%s", typ)
			}
			r, err := p.reloc(len(data))
			if err != nil {
				return err
			}
			v.Relocs = append(v.Relocs, r)
			if data = append(data, make([]byte, 8)...); depth <= 0 {
				v.Init = data
				return nil
			}
			continue
		default:
			neg, err := p.take("-")
			if err != nil {
				return err
			}
			if p.tok.kind != kInt && p.tok.kind != kF32 && p.tok.kind != kF64 {
				return p.fail("%s found, want a number or an address", p.tok)
			}
			bits := p.tok.bits
			if neg {
				bits = -bits
			}
			var b [8]byte
			binary.LittleEndian.PutUint64(b[:], bits)
			data = append(data, b[:typ.Size()]...)
		}
		if err := p.advance(); err != nil {
			return err
		}
		if depth <= 0 {
			break
		}
	}
	if len(data) > v.Size {
		return p.fail("variable %s holds %d bytes, its initial value has %d", v.Name, v.Size, len(data))
	}
	v.Init = data
	return nil
}

// reloc reads an address in an initial value: a function, a variable with an offset, or generic(variable).
func (p *parser) reloc(at int) (r Reloc, err error) {
	r.At = at
	name, err := p.word("an address")
	if err != nil {
		return r, err
	}
	if name == "generic" && p.tok.is("(") {
		r.Generic = true
		if err := p.advance(); err != nil {
			return r, err
		}
		if name, err = p.word("a variable"); err != nil {
			return r, err
		}
	}
	if r.Var = p.scope.variable(name); r.Var == nil {
		if r.Func = p.funcs[name]; r.Func == nil {
			return r, p.fail("'%s' in an initial value is neither a variable nor a function", name)
		}
	}
	if r.Generic {
		if err := p.expect(")"); err != nil {
			return r, err
		}
	}
	r.Off, err = p.offset()
	return r, err
}
