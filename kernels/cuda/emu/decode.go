package emu

import (
	"fmt"
	"slices"

	"artel/kernels/cuda/emu/ptx"
)

// handler executes a decoded instruction for the lanes w.exec.
type handler = func(w *warp, in *inst)

// decoder turns the instructions of one kernel into handlers and places. Its methods remember the first error.
type decoder struct {
	mod    *Module
	k      *ptx.Kernel
	fn     *Function
	joins  []int32
	places []int32 // of registers, -1 until used
	size   int32   // of the register file so far
	consts map[constant]int32
	names  map[string]int32 // of special registers
	offs   map[*ptx.Var]uint64
	in     *ptx.Inst
	out    inst
	err    error

	// Of the functions that the kernel calls; callee is the one whose body is decoded, nil in the kernel.
	called  map[*ptx.Func]*callee
	callees []*callee
	known   map[uint64]*callee
	callee  *callee
	localAt map[localAddress]int32
	carry   int32 // place of the carry flag, -1 until used
}

// constant is a number as an operand of n bytes (0 for a predicate).
type constant struct {
	bits uint64
	n    int
}

// opcodes maps the first word of an opcode to its decoder.
var opcodes = map[string]func(*decoder){
	"add": arithmetic, "sub": arithmetic, "mul": multiply, "mad": multiplyAdd, "fma": fusedMultiplyAdd, "div": divide, "rem": remainder,
	"abs": unary, "neg": unary, "not": unary, "cnot": unary, "min": extremum, "max": extremum,
	"and": logic, "or": logic, "xor": logic, "shl": shift, "shr": shift, "shf": funnel, "lop3": lop3, "prmt": permute,
	"popc": bitCount, "clz": bitCount, "brev": bitCount, "bfind": bitFind, "bfe": bitExtract, "bfi": bitInsert, "sad": sad,
	"rcp": transcendental, "sqrt": transcendental, "rsqrt": transcendental, "ex2": transcendental, "lg2": transcendental, "sin": transcendental,
	"cos": transcendental, "tanh": transcendental, "copysign": copySign, "testp": testProperty, "dp4a": dotProduct, "dp2a": dotProduct2, "bmsk": bitMask, "szext": signExtend,
	"addc": extended, "subc": extended, "madc": extended, "vadd4": simd, "vsub4": simd, "vavrg4": simd, "vmin4": simd, "vmax4": simd, "vabsdiff4": simd,
	"vadd2": simd, "vsub2": simd, "vavrg2": simd, "vmin2": simd, "vmax2": simd, "vabsdiff2": simd,
	"mov": move, "cvt": convert, "cvta": convertAddress, "selp": selectPredicate, "slct": selectSign, "setp": setPredicate, "set": setRegister,
	"isspacep": isSpace, "ld": load, "ldu": load, "st": store, "prefetch": nothing, "prefetchu": nothing, "discard": nothing, "applypriority": nothing,
	"bra": branch, "call": callFunction, "ret": leave, "exit": leave, "trap": trap, "brkpt": nothing, "pmevent": nothing, "nanosleep": nothing,
	"bar": barrier, "barrier": barrier, "membar": fence, "fence": fence, "griddepcontrol": nothing, "setmaxnreg": nothing,
	"atom": atomicAccess, "red": atomicAccess, "shfl": shuffle, "vote": vote, "match": match, "activemask": activeMask, "redux": reduce, "elect": elect,
	"cp": copyAsync, "ldmatrix": moveMatrix, "stmatrix": moveMatrix, "mma": matrixMultiply, "wmma": tile,
	"mbarrier": memoryBarrier, "wgmma": groupMultiply, "mapa": remoteAddress, "createpolicy": cachePolicy,
}

// decode makes a Function.
func decode(m *Module, asm *ptx.Module, k *ptx.Kernel) (*Function, error) {
	f := &Function{mod: m, name: k.Name, file: m.file, asm: k, dynamic: -1}
	d := &decoder{mod: m, k: k, fn: f, places: make([]int32, len(k.Regs)), consts: map[constant]int32{}, names: map[string]int32{}, offs: map[*ptx.Var]uint64{}, carry: -1}
	for i := range d.places {
		d.places[i] = -1
	}
	d.functions(asm)
	d.variables(asm)
	d.body()
	for _, c := range d.callees {
		if d.err == nil {
			d.function(c)
		}
	}
	f.fileSize, f.functions = int(d.size), len(d.callees)
	return f, d.err
}

// body decodes the code of the kernel or of a function, behind the code that is there.
func (d *decoder) body() {
	code := append(slices.Clone(d.k.Code), ptx.Inst{Line: d.k.Line, Guard: -1, Op: "ret"})
	d.joins = joins(d.k.Code)
	first := int32(len(d.fn.code))
	for i := range code {
		d.in = &code[i]
		d.out = inst{asm: d.in, guard: -1, d: -1, target: -1, join: -1, class: Other}
		if i < len(d.joins) {
			d.out.join = d.joins[i]
		}
		d.instruction(code, i)
		if d.err != nil {
			return
		}
		if d.out.join >= 0 {
			d.out.join += first
		}
		if d.out.target >= 0 {
			d.out.target += first
		}
		d.fn.code = append(d.fn.code, d.out)
	}
}

func (d *decoder) instruction(code []ptx.Inst, i int) {
	dec := opcodes[d.in.Op]
	if dec == nil {
		d.fail("unknown instruction")
		return
	}
	if d.in.Guard >= 0 {
		d.out.guard, d.out.not = d.place(d.in.Guard), d.in.GuardNot
	}
	dec(d)
	// A branch to a return ends its lanes at once, so that those that go on need not wait for them.
	t := d.out.target
	if t < 0 {
		return
	}
	over := func(in *ptx.Inst) bool { return in.Guard < 0 && leaves(in) && in.Op != "trap" }
	switch {
	case over(&code[t]):
		d.out.fn = d.ending(code[t].Op)
	case over(&code[i+1]): // so do those that do not branch
		end := d.ending(code[i+1].Op)
		d.out.fn = func(w *warp, in *inst) {
			taken := w.exec
			if w.exec = w.active &^ taken; w.exec != 0 {
				end(w, in)
			}
			w.exec, w.pc = taken, in.target
		}
	}
}

// variables gives shared and local variables their places, largest alignment first within shared memory for dense packing.
func (d *decoder) variables(asm *ptx.Module) {
	var shared []*ptx.Var
	dynamic, dynamicAlign := []*ptx.Var(nil), 16
	vars := slices.Concat(asm.Vars, d.k.Vars)
	for _, c := range d.callees { // what lies in frames has its place already
		vars = append(vars, slices.DeleteFunc(slices.Clone(c.asm.Vars), func(v *ptx.Var) bool { return v.Space == ptx.Local })...)
	}
	for _, v := range vars {
		switch {
		case v.Space == ptx.Shared && (v.Extern || v.Size == 0):
			dynamic = append(dynamic, v)
			dynamicAlign = max(dynamicAlign, v.Align)
		case v.Space == ptx.Shared:
			shared = append(shared, v)
		case v.Space == ptx.Local:
			f := d.fn
			f.localSize = roundUp(f.localSize, v.Align)
			d.offs[v] = uint64(f.localSize)
			f.localSize += v.Size
		case v.Space == ptx.Global || v.Space == ptx.Const:
			if mem := d.mod.vars[v]; mem != nil {
				d.offs[v] = mem.base
			}
		}
	}
	d.fn.frame = roundUp(d.fn.localSize, 16)
	d.fn.localSize = d.fn.frame + d.stack()
	slices.SortStableFunc(shared, func(a, b *ptx.Var) int { return b.Align - a.Align })
	for _, v := range shared {
		d.fn.shared = roundUp(d.fn.shared, v.Align)
		d.offs[v] = uint64(d.fn.shared)
		d.fn.shared += v.Size
	}
	if len(dynamic) > 0 {
		d.fn.dynamic = roundUp(d.fn.shared, dynamicAlign)
		for _, v := range dynamic {
			d.offs[v] = uint64(d.fn.dynamic)
		}
	}
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = &ptx.Error{File: d.mod.file, Line: d.in.Line, Msg: d.in.Opcode() + ": " + fmt.Sprintf(format, args...)}
	}
}

// emit sets the handler; nil means that the form is not supported.
func (d *decoder) emit(class Class, fn handler) {
	if fn == nil {
		d.fail("this form is not supported")
	}
	d.out.class, d.out.fn = class, fn
}

// count checks the number of operands.
func (d *decoder) count(n int) bool {
	if len(d.in.Args) != n {
		d.fail("%d operands, want %d", len(d.in.Args), n)
	}
	return d.err == nil
}

// allow checks that every modifier is a type or one of those given.
func (d *decoder) allow(mods ...string) {
	for _, m := range d.in.Mods {
		if ptx.TypeOf(m) == ptx.NoType && !slices.Contains(mods, m) {
			d.fail("modifier .%s is not supported here", m)
		}
	}
}

// typ returns the last type among the modifiers.
func (d *decoder) typ() ptx.Type {
	for i := len(d.in.Mods) - 1; i >= 0; i-- {
		if t := ptx.TypeOf(d.in.Mods[i]); t != ptx.NoType {
			return t
		}
	}
	d.fail("a type is missing")
	return ptx.B32
}

// word returns a modifier, "" when there are fewer.
func (d *decoder) word(i int) string {
	if i < 0 || i >= len(d.in.Mods) {
		return ""
	}
	return d.in.Mods[i]
}

// has reports whether the opcode has a modifier.
func (d *decoder) has(m string) bool { return d.in.Has(m) }
