package ptx

import (
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// instruction reads the operands after an opcode.
func (p *parser) instruction(in Inst, opcode string) error {
	in.Op, in.Mods = modifiers(opcode)
	if in.Op == "call" {
		return p.call(in)
	}
	for !p.tok.is(";") {
		arg, err := p.operand()
		if err != nil {
			return err
		}
		if arg.Kind == KLabel {
			p.fixups = append(p.fixups, fixup{len(p.kernel.Code), len(in.Args), arg.Name, p.scope, p.tok.line})
		}
		in.Args = append(in.Args, arg)
		if ok, err := p.take(","); err != nil {
			return err
		} else if !ok {
			break
		}
	}
	if !p.tok.is(";") {
		return p.fail("%s found after the operands of %s, want ';'", p.tok, opcode)
	}
	p.kernel.Code = append(p.kernel.Code, in)
	return p.advance()
}

// operand reads one argument. A name that is not declared is taken for a label.
func (p *parser) operand() (Operand, error) {
	switch {
	case p.tok.is("{"):
		list, err := p.list("}")
		return Operand{Kind: KVec, List: list}, err
	case p.tok.is("["):
		return p.address()
	case p.tok.is("!"):
		if err := p.advance(); err != nil {
			return Operand{}, err
		}
		o, err := p.named()
		if err == nil && (o.Kind != KReg || p.kernel.Regs[o.Reg].Type != Pred) {
			err = p.fail("'!' wants a predicate register")
		}
		o.Not = true
		return o, err
	case p.tok.kind == kName:
		a, err := p.named()
		if err != nil || !p.tok.is("|") {
			return a, err
		}
		if err := p.advance(); err != nil {
			return a, err
		}
		b, err := p.named()
		return Operand{Kind: KPair, List: []Operand{a, b}}, err
	}
	return p.literal()
}

func (p *parser) list(end string) (list []Operand, err error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	for !p.tok.is(end) {
		o, err := p.operand()
		if err != nil {
			return nil, err
		}
		if o.Kind == KLabel || o.Kind == KVec || o.Kind == KMem {
			return nil, p.fail("a vector's element is a register or a number")
		}
		list = append(list, o)
		if ok, err := p.take(","); err != nil {
			return nil, err
		} else if !ok {
			break
		}
	}
	return list, p.expect(end)
}

func (p *parser) literal() (Operand, error) {
	neg, err := p.take("-")
	if err != nil {
		return Operand{}, err
	}
	o := Operand{Bits: p.tok.bits}
	switch p.tok.kind {
	case kInt:
		if neg {
			o.Bits = -o.Bits
		}
		o.Kind = KInt
	case kF32:
		if neg {
			o.Bits ^= 1 << 31
		}
		o.Kind = KF32
	case kF64:
		if neg {
			o.Bits ^= 1 << 63
		}
		o.Kind = KF64
	default:
		return o, p.fail("%s found, want an operand", p.tok)
	}
	return o, p.advance()
}

// named resolves a name, with an offset for names of memory.
func (p *parser) named() (Operand, error) {
	name, err := p.word("an operand's name")
	if err != nil {
		return Operand{}, err
	}
	if name == "_" {
		return Operand{Kind: KSink}, nil
	}
	if r, ok := p.scope.reg(name); ok {
		return Operand{Kind: KReg, Reg: r}, nil
	}
	if strings.HasPrefix(name, "%") || name == "WARP_SZ" {
		return Operand{Kind: KSpecial, Name: name}, nil
	}
	o := Operand{Kind: KLabel, Name: name}
	if i, ok := p.params[name]; ok {
		o.Kind, o.Param = KParam, i
	} else if v := p.scope.variable(name); v != nil {
		o.Kind, o.Var = KVar, v
	} else {
		if f := p.funcs[name]; f != nil {
			o.Kind, o.Func = KFunc, f
		}
		return o, nil
	}
	o.Off, err = p.offset()
	return o, err
}

// offset reads "+ n", "- n" or "+ -n" after a base.
func (p *parser) offset() (int64, error) {
	plus, err := p.take("+")
	if err != nil {
		return 0, err
	}
	minus, err := p.take("-")
	if err != nil || !plus && !minus {
		return 0, err
	}
	if p.tok.kind != kInt {
		return 0, p.fail("%s found, want an offset", p.tok)
	}
	n := int64(p.tok.bits)
	if minus {
		n = -n
	}
	return n, p.advance()
}

// address reads "[base+off]" or "[base+off, {x, y}]".
func (p *parser) address() (Operand, error) {
	o := Operand{Kind: KMem}
	if err := p.advance(); err != nil {
		return o, err
	}
	base, err := p.operand()
	if err != nil {
		return o, err
	}
	if base.Kind == KLabel || base.Kind == KFunc || base.Kind == KMem || base.Kind == KVec || base.Kind == KPair {
		return o, p.fail("'%s' is not an address", base.Name)
	}
	if base.Kind == KReg {
		if o.Off, err = p.offset(); err != nil {
			return o, err
		}
	} else {
		o.Off, base.Off = base.Off, 0
	}
	o.List = []Operand{base}
	if ok, err := p.take(","); err != nil {
		return o, err
	} else if ok {
		if !p.tok.is("{") {
			return o, p.fail("%s found, want coordinates in braces", p.tok)
		}
		coords, err := p.list("}")
		if err != nil {
			return o, err
		}
		o.List = append(o.List, coords...)
	}
	return o, p.expect("]")
}
