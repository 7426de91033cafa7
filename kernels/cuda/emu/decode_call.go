package emu

import (
	"slices"

	"artel/kernels/cuda/emu/ptx"
)

// functions finds what a kernel may call, and makes room for the frames. A kernel that calls by address may call every function of the module.
func (d *decoder) functions(asm *ptx.Module) {
	d.called = map[*ptx.Func]*callee{}
	var order []*ptx.Func
	byAddress := false
	add := func(f *ptx.Func) {
		if d.called[f] == nil {
			d.called[f] = &callee{asm: f, number: len(order)}
			order = append(order, f)
		}
	}
	look := func(code []ptx.Inst) {
		for i := range code {
			if code[i].Op != "call" {
				continue
			}
			if t := code[i].Args[1]; t.Kind == ptx.KFunc {
				add(t.Func)
			} else if !byAddress {
				byAddress = true
				for _, f := range asm.Funcs {
					if f.Defined {
						add(f)
					}
				}
			}
		}
	}
	look(d.k.Code)
	for i := 0; i < len(order); i++ {
		look(order[i].Code)
	}
	d.known = map[uint64]*callee{}
	for _, f := range order {
		c := d.called[f]
		d.callees = append(d.callees, c)
		if f.Defined {
			d.known[d.mod.address(f)] = c
		}
		c.formals, c.results = d.frameOf(c, f.Formals), d.frameOf(c, f.Results)
		d.frameOf(c, slices.DeleteFunc(slices.Clone(f.Vars), func(v *ptx.Var) bool { return v.Space != ptx.Local }))
		c.frame = uint64(roundUp(int(c.frame), 16))
	}
}

// frameOf gives variables places in a function's frame.
func (d *decoder) frameOf(c *callee, vars []*ptx.Var) (out []slot) {
	for _, v := range vars {
		at := uint64(roundUp(int(c.frame), v.Align))
		d.offs[v] = at
		c.frame = at + uint64(v.Size)
		out = append(out, slot{at, uint64(v.Size)})
	}
	return out
}

// stack is the local memory that calls need on top of a kernel's own.
func (d *decoder) stack() int {
	var deepest func(code []ptx.Inst, under []*callee) (int, bool)
	deepest = func(code []ptx.Inst, under []*callee) (most int, ok bool) {
		for i := range code {
			if code[i].Op != "call" {
				continue
			}
			to := d.called[code[i].Args[1].Func]
			if to == nil || slices.Contains(under, to) {
				return 0, false
			}
			n, ok := deepest(to.asm.Code, append(under, to))
			if !ok {
				return 0, false
			}
			most = max(most, int(to.frame)+n)
		}
		return most, true
	}
	if n, ok := deepest(d.k.Code, nil); ok {
		return n
	}
	return stackBytes
}

// function decodes the body of a function behind the code that is there.
func (d *decoder) function(c *callee) {
	d.in = &ptx.Inst{Line: c.asm.Line, Guard: -1, Op: "call"}
	if !c.asm.Defined {
		if c.system = systemFunctions[c.asm.Name]; c.system == nil {
			d.fail("function %s has no body here: modules are not linked", c.asm.Name)
		}
		return
	}
	d.k, d.callee, d.localAt = &c.asm.Kernel, c, map[localAddress]int32{}
	d.places = make([]int32, len(d.k.Regs))
	for i := range d.places {
		d.places[i] = -1
	}
	c.entry, c.low = int32(len(d.fn.code)), d.size
	d.body()
	c.high = d.size
}

// localPlace returns the place of the address of a variable of the frame, which every call fills.
func (d *decoder) localPlace(off uint64, n int) int32 {
	if n != 4 && n != 8 {
		d.fail("an address has 32 or 64 bits")
		return 0
	}
	key := localAddress{n: n, off: off}
	at, ok := d.localAt[key]
	if !ok {
		at = d.room(n)
		d.localAt[key] = at
		d.callee.locals = append(d.callee.locals, localAddress{at, n, off})
	}
	return at
}

// callFunction is call.
func callFunction(d *decoder) {
	d.allow("uni")
	if !d.count(3) {
		return
	}
	slots := func(o ptx.Operand) (out []slot) {
		for _, v := range o.List {
			out = append(out, slot{d.offs[v.Var], uint64(v.Var.Size)})
		}
		return out
	}
	s := &callSite{results: slots(d.arg(0)), args: slots(d.arg(2)), frame: uint64(d.fn.frame), target: -1, known: d.known}
	if d.callee != nil {
		s.frame = d.callee.frame
	}
	if t := d.arg(1); t.Kind == ptx.KFunc {
		if s.to = d.called[t.Func]; !s.fits(s.to) {
			d.fail("the arguments or the result are not those of %s", t.Func.Name)
		}
	} else {
		s.target = d.value(t, ptx.B64)
	}
	d.emit(Branch, func(w *warp, in *inst) { w.call(in, s) })
}

// address is a number that stands for a function, 0 for one without a body.
func (m *Module) address(f *ptx.Func) uint64 {
	return firstAddress + codeStep*uint64(slices.Index(m.asm.Funcs, f))
}
