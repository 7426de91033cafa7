package main

import "fmt"

// register returns a register that holds v, and whether it is a copy of a broadcast for this operation only.
func (x *x86) register(v int, i int, temps *[]int) int {
	if r, ok := x.fixed[v]; ok {
		return r
	}
	if x.isBroadcast(v) {
		r := take(&x.free)
		x.ins("VBROADCASTSS %s, %s", x.scalarAddress(v), x.name(r))
		*temps = append(*temps, r)
		return r
	}
	return x.reg[v]
}

// operand returns v as the one operand of an instruction that may be in memory, and the suffix that it needs.
func (x *x86) operand(v, i int, temps *[]int) (text, suffix string) {
	if _, ok := x.fixed[v]; !ok && x.l.values[v].op == opConst {
		if x.wide {
			return x.constAddress(x.l.values[v].imm), ".BCST"
		}
		return x.constAddress(x.l.values[v].imm), ""
	}
	return x.name(x.register(v, i, temps)), ""
}

// release frees what operation i was the last to use, but for keep.
func (x *x86) release(i, keep int, temps []int) {
	x.free = append(x.free, temps...)
	seen := map[int]bool{}
	for _, a := range x.l.values[i].args {
		if !x.dies(a, i) || seen[a] {
			continue
		}
		seen[a] = true
		if x.l.values[a].kind == truth && x.wide {
			x.freeK = append(x.freeK, x.reg[a])
		} else if x.reg[a] != keep {
			x.free = append(x.free, x.reg[a])
		}
	}
}

var binary = map[opcode]string{opAdd: "VADDPS", opSub: "VSUBPS", opMul: "VMULPS", opDiv: "VDIVPS", opAddWord: "VPADDD"}

var logical = map[opcode][2]string{opAnd: {"VPAND", "VPANDD"}, opOr: {"VPOR", "VPORD"}, opXor: {"VPXOR", "VPXORD"}}

var shifts = map[opcode]string{opShiftL: "VPSLLD", opShiftR: "VPSRLD", opShiftA: "VPSRAD"}

// value emits operation i for the vector in hand.
func (x *x86) value(i int) {
	v := x.l.values[i]
	var temps []int
	switch v.op {
	case opConst, opScalar:
		return
	case opLoad:
		r := take(&x.free)
		x.load(int(v.imm), r)
		x.reg[i] = r
		return
	case opStore:
		x.store(int(v.imm), x.register(v.args[0], i, &temps))
		x.release(i, -1, temps)
		return
	case opLoadHalf:
		r := take(&x.free)
		if x.masked {
			x.ins("VPMOVZXWD.Z %s, K1, %s", x.address(int(v.imm)), x.name(r))
		} else {
			x.ins("VPMOVZXWD %s, %s", x.address(int(v.imm)), x.name(r))
		}
		x.ins("VPSLLD $16, %s, %s", x.name(r), x.name(r))
		x.reg[i] = r
		return
	case opStoreHalf:
		mask := ""
		if x.masked {
			mask = "K1, "
		}
		x.ins("VPMOVDW %s, %s%s", x.name(x.register(v.args[0], i, &temps)), mask, x.address(int(v.imm)))
		x.release(i, -1, temps)
		return
	case opSum, opMax:
		x.accumulate(v, i)
		return
	case opFMA, opFNMA:
		x.fused(v, i)
		return
	case opPow2:
		x.scaled(v, i)
		return
	case opSelect:
		x.choose(v, i)
		return
	case opLess, opAtMostEq:
		x.compare(v, i)
		return
	}
	dst := 0
	switch v.op {
	case opSqrt, opRound, opFromInt, opShiftL, opShiftR, opShiftA:
		a := x.register(v.args[0], i, &temps)
		x.release(i, -1, temps)
		dst = take(&x.free)
		switch v.op {
		case opSqrt:
			x.ins("VSQRTPS %s, %s", x.name(a), x.name(dst))
		case opFromInt:
			x.ins("VCVTDQ2PS %s, %s", x.name(a), x.name(dst))
		case opRound:
			if x.wide {
				x.ins("VRNDSCALEPS $8, %s, %s", x.name(a), x.name(dst))
			} else {
				x.ins("VROUNDPS $8, %s, %s", x.name(a), x.name(dst))
			}
		default:
			x.ins("%s $%d, %s, %s", shifts[v.op], v.imm, x.name(a), x.name(dst))
		}
	case opAtMost, opAtLeast:
		// The instruction returns its last operand when one is NaN: that must be the variable.
		limit := x.register(v.args[1], i, &temps)
		a := x.register(v.args[0], i, &temps)
		x.release(i, -1, temps)
		dst = take(&x.free)
		name := map[opcode]string{opAtMost: "VMINPS", opAtLeast: "VMAXPS"}[v.op]
		x.ins("%s %s, %s, %s", name, x.name(a), x.name(limit), x.name(dst))
	default:
		a, b := v.args[0], v.args[1]
		if commutes := v.op != opSub && v.op != opDiv; commutes && x.isBroadcast(a) && !x.isBroadcast(b) {
			a, b = b, a
		}
		ra := x.register(a, i, &temps)
		rb, suffix := x.operand(b, i, &temps)
		x.release(i, -1, temps)
		dst = take(&x.free)
		name, ok := binary[v.op]
		if !ok {
			name = logical[v.op][0]
			if x.wide {
				name = logical[v.op][1]
			}
		}
		x.ins("%s%s %s, %s, %s", name, suffix, rb, x.name(ra), x.name(dst))
	}
	x.reg[i] = dst
}

func (x *x86) address(slice int) string {
	if slice < x.l.halves {
		return fmt.Sprintf("%d(%s)(R13*1)", x.offset/2, pointerRegs[slice])
	}
	return fmt.Sprintf("%d(%s)(DX*1)", x.offset, pointerRegs[slice])
}

func (x *x86) load(slice, r int) {
	switch {
	case !x.masked:
		x.ins("VMOVUPS %s, %s", x.address(slice), x.name(r))
	case x.wide:
		x.ins("VMOVUPS.Z %s, K1, %s", x.address(slice), x.name(r))
	default:
		x.ins("VMASKMOVPS %s, Y15, %s", x.address(slice), x.name(r))
	}
}

func (x *x86) store(slice, r int) {
	switch {
	case !x.masked:
		x.ins("VMOVUPS %s, %s", x.name(r), x.address(slice))
	case x.wide:
		x.ins("VMOVUPS %s, K1, %s", x.name(r), x.address(slice))
	default:
		x.ins("VMASKMOVPS %s, Y15, %s", x.name(r), x.address(slice))
	}
}

// accumulate leaves the sums of elements past the end alone.
func (x *x86) accumulate(v value, i int) {
	var temps []int
	acc := x.name(x.sumReg[v.imm] + x.turn*x.halves() + x.part)
	a := x.register(v.args[0], i, &temps)
	mask := ""
	if x.masked && x.wide {
		mask = "K1, "
	}
	switch {
	case v.op == opSum && x.masked && !x.wide:
		t := take(&x.free)
		x.ins("VANDPS Y15, %s, %s", x.name(a), x.name(t))
		x.ins("VADDPS %s, %s, %s", x.name(t), acc, acc)
		temps = append(temps, t)
	case v.op == opSum:
		x.ins("VADDPS %s, %s, %s%s", x.name(a), acc, mask, acc)
	case x.masked && !x.wide:
		t := take(&x.free)
		x.ins("VMAXPS %s, %s, %s", acc, x.name(a), x.name(t))
		x.ins("VBLENDVPS Y15, %s, %s, %s", x.name(t), acc, acc)
		temps = append(temps, t)
	default: // returns the accumulator when the element is NaN
		x.ins("VMAXPS %s, %s, %s%s", acc, x.name(a), mask, acc)
	}
	x.release(i, -1, temps)
}

// fused emits the form of a fused multiply-add that overwrites an operand which is not needed any more.
func (x *x86) fused(v value, i int) {
	var temps []int
	a, b, c := v.args[0], v.args[1], v.args[2]
	name := "VFMADD"
	if v.op == opFNMA {
		name = "VFNMADD"
	}
	if !x.dies(a, i) && x.dies(b, i) {
		a, b = b, a
	}
	var dst int
	switch {
	case x.dies(c, i) && c != a && c != b:
		dst = x.reg[c]
		if x.isBroadcast(a) {
			a, b = b, a
		}
		ra := x.register(a, i, &temps)
		rb, suffix := x.operand(b, i, &temps)
		x.ins("%s231PS%s %s, %s, %s", name, suffix, rb, x.name(ra), x.name(dst))
	case x.dies(a, i) && a != b && a != c:
		dst = x.reg[a]
		rb := x.register(b, i, &temps)
		rc, suffix := x.operand(c, i, &temps)
		x.ins("%s213PS%s %s, %s, %s", name, suffix, rc, x.name(rb), x.name(dst))
	default:
		dst = take(&x.free)
		if _, ok := x.fixed[c]; !ok && x.isBroadcast(c) {
			x.ins("VBROADCASTSS %s, %s", x.scalarAddress(c), x.name(dst))
		} else {
			x.ins("VMOVAPS %s, %s", x.name(x.register(c, i, &temps)), x.name(dst))
		}
		if x.isBroadcast(a) {
			a, b = b, a
		}
		ra := x.register(a, i, &temps)
		rb, suffix := x.operand(b, i, &temps)
		x.ins("%s231PS%s %s, %s, %s", name, suffix, rb, x.name(ra), x.name(dst))
	}
	x.release(i, dst, temps)
	x.reg[i] = dst
}

// scaled is a * 2^b. In two steps where there is no instruction: only the second one can leave the normal numbers, so it rounds once.
func (x *x86) scaled(v value, i int) {
	var temps []int
	a, b := x.register(v.args[0], i, &temps), x.register(v.args[1], i, &temps)
	if x.wide {
		x.release(i, -1, temps)
		dst := take(&x.free)
		x.ins("VSCALEFPS %s, %s, %s", x.name(b), x.name(a), x.name(dst))
		x.reg[i] = dst
		return
	}
	n, m := take(&x.free), take(&x.free)
	temps = append(temps, n, m)
	x.ins("VCVTPS2DQ %s, %s", x.name(b), x.name(n))
	x.ins("VPSRAD $1, %s, %s", x.name(n), x.name(m))
	x.ins("VPSUBD %s, %s, %s", x.name(m), x.name(n), x.name(n))
	for _, r := range []int{m, n} {
		x.ins("VPSLLD $23, %s, %s", x.name(r), x.name(r))
		x.ins("VPADDD %s, %s, %s", x.constAddress(0x3f800000), x.name(r), x.name(r))
	}
	x.ins("VMULPS %s, %s, %s", x.name(m), x.name(a), x.name(m))
	x.release(i, -1, temps)
	dst := take(&x.free)
	x.ins("VMULPS %s, %s, %s", x.name(n), x.name(m), x.name(dst))
	x.reg[i] = dst
}

func (x *x86) compare(v value, i int) {
	var temps []int
	a := x.register(v.args[0], i, &temps)
	b, suffix := x.operand(v.args[1], i, &temps)
	predicate := map[opcode]int{opLess: 0x11, opAtMostEq: 0x12}[v.op]
	x.release(i, -1, temps)
	if x.wide {
		k := take(&x.freeK)
		x.ins("VCMPPS%s $%d, %s, %s, K%d", suffix, predicate, b, x.name(a), k)
		x.reg[i] = k
		return
	}
	dst := take(&x.free)
	x.ins("VCMPPS $%d, %s, %s, %s", predicate, b, x.name(a), x.name(dst))
	x.reg[i] = dst
}

func (x *x86) choose(v value, i int) {
	var temps []int
	m := x.reg[v.args[0]]
	no := x.register(v.args[2], i, &temps)
	yes, suffix := x.operand(v.args[1], i, &temps)
	x.release(i, -1, temps)
	dst := take(&x.free)
	if x.wide {
		x.ins("VBLENDMPS%s %s, %s, K%d, %s", suffix, yes, x.name(no), m, x.name(dst))
	} else {
		x.ins("VBLENDVPS %s, %s, %s, %s", x.name(m), yes, x.name(no), x.name(dst))
	}
	x.reg[i] = dst
}
