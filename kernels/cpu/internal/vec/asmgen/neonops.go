package main

import "fmt"

// registers returns registers that hold the arguments of operation i, and frees what is not needed after it, but for keep: an argument whose
// register the result takes over.
func (x *neon) registers(i, keep int) (regs []int) {
	var temps []int
	for _, v := range x.l.values[i].args {
		r, ok := x.fixed[v]
		if !ok && x.isBroadcast(v) {
			r = take(&x.free)
			x.broadcast(v, r)
			temps = append(temps, r)
		} else if !ok {
			r = x.reg[v]
		}
		regs = append(regs, r)
	}
	x.free = append(x.free, temps...)
	seen := map[int]bool{}
	for _, v := range x.l.values[i].args {
		if x.dies(v, i) && v != keep && !seen[v] {
			x.free = append(x.free, x.reg[v])
			seen[v] = true
		}
	}
	return regs
}

// value emits operation i for the elements in hand.
func (x *neon) value(i int) {
	v := x.l.values[i]
	simple := map[opcode]string{opAdd: "FADD", opSub: "FSUB", opMul: "FMUL", opDiv: "FDIV", opAddWord: "ADD", opAnd: "AND", opOr: "ORR", opXor: "EOR",
		opAtMost: "FMIN", opAtLeast: "FMAX"}
	switch v.op {
	case opConst, opScalar:
		return
	case opLoad:
		r := take(&x.free)
		x.load(int(v.imm), r)
		x.reg[i] = r
		return
	case opStore:
		x.store(int(v.imm), x.registers(i, -1)[0])
		return
	case opSum, opMax:
		x.accumulate(v, i)
		return
	case opFMA, opFNMA:
		x.fused(v, i)
		return
	case opPow2:
		x.scaled(i)
		return
	case opSelect:
		x.choose(v, i)
		return
	}
	regs := x.registers(i, -1)
	dst := take(&x.free)
	switch v.op {
	case opSqrt:
		x.op2("FSQRT", dst, regs[0])
	case opRound:
		x.op2("FRINTN", dst, regs[0])
	case opFromInt:
		x.op2("SCVTF", dst, regs[0])
	case opShiftL, opShiftR, opShiftA:
		x.shift(v.op, dst, regs[0], v.imm)
	case opLess:
		x.op3("FCMGT", dst, regs[1], regs[0])
	case opAtMostEq:
		x.op3("FCMGE", dst, regs[1], regs[0])
	default:
		x.op3(simple[v.op], dst, regs[0], regs[1])
	}
	x.reg[i] = dst
}

// each emits f for the lanes that are there.
func (x *neon) each(f func(lane int)) {
	end := fmt.Sprintf("lanes%d", x.labels)
	x.labels++
	for lane := range 3 {
		if lane > 0 {
			x.ins("CMP $%d, R20", lane+1)
			x.ins("BLT %s", end)
		}
		f(lane)
	}
	fmt.Fprintf(x.out, "%s:\n", end)
}

func (x *neon) load(slice, r int) {
	if !x.partial {
		x.ins("VLD1 (R%d), [V%d.S4]", slice, r)
		return
	}
	x.ins("VEOR V%d.B16, V%d.B16, V%d.B16", r, r, r)
	x.each(func(lane int) {
		x.ins("MOVWU %d(R%d), R22", 4*lane, slice)
		x.ins("VMOV R22, V%d.S[%d]", r, lane)
	})
}

func (x *neon) store(slice, r int) {
	if !x.partial {
		x.ins("VST1 [V%d.S4], (R%d)", r, slice)
		return
	}
	x.each(func(lane int) {
		x.ins("VMOV V%d.S[%d], R22", r, lane)
		x.ins("MOVW R22, %d(R%d)", 4*lane, slice)
	})
}

// accumulate leaves the sums of elements past the end alone.
func (x *neon) accumulate(v value, i int) {
	acc := x.sumReg[v.imm] + x.acc
	a := x.registers(i, -1)[0]
	if !x.partial {
		x.op3(map[opcode]string{opSum: "FADD", opMax: "FMAXNM"}[v.op], acc, acc, a)
		return
	}
	t := take(&x.free)
	if v.op == opSum {
		x.op3("AND", t, a, 31)
		x.op3("FADD", acc, acc, t)
	} else {
		x.op3("FMAXNM", t, acc, a)
		m := take(&x.free)
		x.move(m, 31)
		x.op3("BSL", m, t, acc)
		x.move(acc, m)
		x.free = append(x.free, m)
	}
	x.free = append(x.free, t)
}

// fused adds into the register of the third operand, or of a copy.
func (x *neon) fused(v value, i int) {
	name := map[opcode]string{opFMA: "FMLA", opFNMA: "FMLS"}[v.op]
	c := v.args[2]
	if x.dies(c, i) && c != v.args[0] && c != v.args[1] {
		regs := x.registers(i, c)
		x.op3(name, regs[2], regs[0], regs[1])
		x.reg[i] = regs[2]
		return
	}
	dst := take(&x.free) // before the arguments are freed: they are read after it is written
	regs := x.registers(i, -1)
	x.move(dst, regs[2])
	x.op3(name, dst, regs[0], regs[1])
	x.reg[i] = dst
}

// scaled is a * 2^b in two steps, of which only the second can leave the normal numbers.
func (x *neon) scaled(i int) {
	n, m, one := take(&x.free), take(&x.free), take(&x.free)
	regs := x.registers(i, -1)
	x.op2("FCVTNS", n, regs[1])
	x.shift(opShiftA, m, n, 1)
	x.op3("SUB", n, n, m)
	x.ins("MOVD $0x3f800000, R22")
	x.ins("VDUP R22, V%d.S4", one)
	for _, r := range []int{m, n} {
		x.shift(opShiftL, r, r, 23)
		x.op3("ADD", r, r, one)
	}
	x.op3("FMUL", m, regs[0], m)
	x.op3("FMUL", n, m, n)
	x.free = append(x.free, m, one)
	x.reg[i] = n
}

func (x *neon) choose(v value, i int) {
	if m := v.args[0]; x.dies(m, i) {
		regs := x.registers(i, m)
		x.op3("BSL", regs[0], regs[1], regs[2])
		x.reg[i] = regs[0]
		return
	}
	dst := take(&x.free)
	regs := x.registers(i, -1)
	x.move(dst, regs[0])
	x.op3("BSL", dst, regs[1], regs[2])
	x.reg[i] = dst
}
