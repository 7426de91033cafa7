package emu

import (
	"math"

	"artel/kernels/cuda/emu/ptx"
)

// preset is a place of the register file that is filled before a block begins: a constant or a special register.
type preset struct {
	at   int32
	n    int // bytes of a lane, 0 for a predicate
	bits uint64
	fill func(w *warp, out *[lanes]uint32) // for special registers
}

// preset fills the constants and special registers of a warp.
func (f *Function) preset(w *warp) {
	for i := range f.presets {
		p := &f.presets[i]
		switch {
		case p.fill != nil:
			p.fill(w, reg[uint32](w, p.at))
		case p.n == 0:
			*pred(w, p.at) = uint32(p.bits)
		case p.n == 2:
			fillLanes(reg[uint16](w, p.at), uint16(p.bits))
		case p.n == 4:
			fillLanes(reg[uint32](w, p.at), uint32(p.bits))
		case p.n == 8:
			fillLanes(reg[uint64](w, p.at), p.bits)
		}
	}
}

func fillLanes[T any](out *[lanes]T, v T) {
	for i := range out {
		out[i] = v
	}
}

// room takes a place for a register of n bytes a lane, 0 for a predicate.
func (d *decoder) room(n int) int32 {
	at := d.size
	d.size += int32(max(n*lanes, 8))
	return at
}

// place returns where a register lies.
func (d *decoder) place(r int) int32 {
	if d.places[r] < 0 {
		d.places[r] = d.room(d.k.Regs[r].Type.Size())
	}
	return d.places[r]
}

// number returns the place of a constant.
func (d *decoder) number(bits uint64, n int) int32 {
	key := constant{bits, n}
	if n > 0 && n < 8 {
		key.bits &= 1<<(8*n) - 1
	}
	at, ok := d.consts[key]
	if !ok {
		at = d.room(n)
		d.consts[key] = at
		d.fn.presets = append(d.fn.presets, preset{at: at, n: n, bits: key.bits})
	}
	return at
}

// arg returns an operand; a missing one is an error.
func (d *decoder) arg(i int) ptx.Operand {
	if i >= len(d.in.Args) {
		d.fail("operand %d is missing", i+1)
		return ptx.Operand{Kind: ptx.KSink}
	}
	return d.in.Args[i]
}

// src returns the place of a source operand of a type.
func (d *decoder) src(i int, t ptx.Type) int32 { return d.value(d.arg(i), t) }

// value returns the place of a source of a type: a register of its size, a constant, a special register or an address.
func (d *decoder) value(o ptx.Operand, t ptx.Type) int32 {
	n := t.Size()
	switch o.Kind {
	case ptx.KReg:
		r := d.k.Regs[o.Reg]
		if r.Type.Size() != n {
			d.fail("register %s has type .%s, want %d bits", r.Name, r.Type, 8*n)
		}
		return d.place(o.Reg)
	case ptx.KInt:
		return d.number(o.Bits, n)
	case ptx.KF32:
		if n == 8 {
			return d.number(math.Float64bits(float64(math.Float32frombits(uint32(o.Bits)))), 8)
		}
		return d.number(o.Bits, n)
	case ptx.KF64:
		if n == 4 {
			return d.number(uint64(math.Float32bits(float32(math.Float64frombits(o.Bits)))), 4)
		}
		return d.number(o.Bits, n)
	case ptx.KSpecial:
		return d.special(o.Name, n)
	case ptx.KVar:
		if o.Var.Space == ptx.Local && d.callee != nil {
			return d.localPlace(d.address(o), n)
		}
		return d.number(d.address(o), n)
	case ptx.KFunc:
		return d.number(d.mod.address(o.Func), n)
	case ptx.KParam:
		return d.number(uint64(d.k.Params[o.Param].Offset)+uint64(o.Off), n)
	}
	d.fail("an operand is not a value")
	return 0
}

// address returns a variable's address in its space.
func (d *decoder) address(o ptx.Operand) uint64 { return d.offs[o.Var] + uint64(o.Off) }

// anySrc is src for instructions whose registers may be wider than the type; it returns the register's bytes too.
func (d *decoder) anySrc(o ptx.Operand, t ptx.Type) (at int32, n int) {
	if o.Kind == ptx.KReg {
		if n = d.k.Regs[o.Reg].Type.Size(); n < t.Size() {
			d.fail("register %s is narrower than .%s", d.k.Regs[o.Reg].Name, t)
		}
		return d.place(o.Reg), n
	}
	n = max(t.Size(), 2)
	if o.Kind == ptx.KF32 || o.Kind == ptx.KF64 {
		n = t.Size()
	}
	if n == 2 {
		return d.value(o, ptx.B16), 2
	}
	return d.value(o, t), n
}

// anyDst is dst for instructions whose registers may be wider than the type.
func (d *decoder) anyDst(o ptx.Operand, t ptx.Type) (at int32, n int) {
	if o.Kind == ptx.KReg {
		if n = d.k.Regs[o.Reg].Type.Size(); n < t.Size() || n == 0 {
			d.fail("register %s is narrower than .%s", d.k.Regs[o.Reg].Name, t)
		}
		return d.place(o.Reg), n
	}
	if o.Kind != ptx.KSink {
		d.fail("the destination is not a register")
	}
	n = max(t.Size(), 2)
	return d.room(n), n
}

// dst returns the place of a destination of a type.
func (d *decoder) dst(i int, t ptx.Type) int32 { return d.result(d.arg(i), t.Size()) }

func (d *decoder) result(o ptx.Operand, n int) int32 {
	switch o.Kind {
	case ptx.KReg:
		r := d.k.Regs[o.Reg]
		if r.Type.Size() != n || n == 0 {
			d.fail("register %s has type .%s, want %d bits", r.Name, r.Type, 8*n)
		}
		return d.place(o.Reg)
	case ptx.KSink:
		return d.room(n)
	}
	d.fail("the destination is not a register")
	return 0
}

// predDst returns the place of a predicate destination, -1 for the sink.
func (d *decoder) predDst(o ptx.Operand) int32 {
	switch {
	case o.Kind == ptx.KSink:
		return -1
	case o.Kind == ptx.KReg && d.k.Regs[o.Reg].Type == ptx.Pred:
		return d.place(o.Reg)
	}
	d.fail("the destination is not a predicate register")
	return -1
}

// predSrc returns the place of a predicate source and the mask that its bits are to be xored with.
func (d *decoder) predSrc(o ptx.Operand) (at int32, flip uint32) {
	if o.Not {
		flip = every
	}
	switch {
	case o.Kind == ptx.KReg && d.k.Regs[o.Reg].Type == ptx.Pred:
		return d.place(o.Reg), flip
	case o.Kind == ptx.KInt:
		v := uint64(0)
		if o.Bits != 0 {
			v = uint64(every)
		}
		return d.number(v, 0), flip
	}
	d.fail("an operand is not a predicate")
	return 0, 0
}
