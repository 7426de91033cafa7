package main

import (
	"fmt"
	"sort"
)

// neon emits a loop for arm64. A vector of 16 is four registers; a loop without sums takes one register at a time.
//
// Registers: R0 to R5 the slices, R6 elements left, R19 the record, R20 and R22 scratch, R21 the constants, V31 the mask of the last elements.
type neon struct {
	emitter
	partial bool // fewer than four elements
	acc     int  // which register of an accumulator
	labels  int
}

// neonLoop returns the assembly of l.
func neonLoop(l *loop, consts *table) string {
	return withRegisters(l, func(keep int) string { return newNeon(l, consts, keep).function() })
}

func newNeon(l *loop, consts *table, keep int) *neon {
	x := &neon{emitter: newEmitter(l, consts)}
	n := 31
	for range l.sums {
		n -= 4 * l.unroll
		x.sumReg = append(x.sumReg, n)
	}
	for _, v := range l.broadcasts()[:keep] {
		n--
		x.fixed[v] = n
	}
	if n < 1 {
		panic(outOfRegisters{})
	}
	for r := n - 1; r >= 0; r-- {
		x.free = append(x.free, r)
	}
	return x
}

// op3 and op2 are instructions that the assembler does not know, on four lanes.
func (x *neon) op3(name string, dst, a, b int) {
	code := map[string]uint32{
		"FADD": 0x4E20D400, "FSUB": 0x4EA0D400, "FMUL": 0x6E20DC00, "FDIV": 0x6E20FC00, "FMLA": 0x4E20CC00, "FMLS": 0x4EA0CC00,
		"FMAX": 0x4E20F400, "FMIN": 0x4EA0F400, "FMAXNM": 0x4E20C400, "FCMGT": 0x6EA0E400, "FCMGE": 0x6E20E400,
		"ADD": 0x4EA08400, "SUB": 0x6EA08400, "AND": 0x4E201C00, "ORR": 0x4EA01C00, "EOR": 0x6E201C00, "BSL": 0x6E601C00,
	}[name]
	x.ins("WORD $0x%08X // %s V%d, V%d, V%d", code|uint32(b)<<16|uint32(a)<<5|uint32(dst), name, b, a, dst)
}

func (x *neon) op2(name string, dst, a int) {
	code := map[string]uint32{"FSQRT": 0x6EA1F800, "FRINTN": 0x4E218800, "FCVTNS": 0x4E21A800, "SCVTF": 0x4E21D800}[name]
	x.ins("WORD $0x%08X // %s V%d, V%d", code|uint32(a)<<5|uint32(dst), name, a, dst)
}

func (x *neon) shift(op opcode, dst, a int, n uint32) {
	code := map[opcode]uint32{opShiftL: 0x4F005400 | (32+n)<<16, opShiftR: 0x6F000400 | (64-n)<<16, opShiftA: 0x4F000400 | (64-n)<<16}[op]
	x.ins("WORD $0x%08X // shift by %d: V%d, V%d", code|uint32(a)<<5|uint32(dst), n, a, dst)
}

func (x *neon) move(dst, a int) { x.ins("VMOV V%d.B16, V%d.B16", a, dst) }

// broadcast loads a constant or scalar.
func (x *neon) broadcast(v, dst int) {
	val := x.l.values[v]
	switch {
	case val.op == opConst:
		x.ins("MOVWU %d(R21), R22", 4*x.consts.index(val.imm))
	case x.l.record != "":
		x.ins("MOVWU %d(R19), R22", 4*val.imm)
	default:
		x.ins("MOVWU %s+%d(FP), R22", x.l.scalars[val.imm], x.l.scalarOffset(int(val.imm)))
	}
	x.ins("VDUP R22, V%d.S4", dst)
}

func (x *neon) function() string {
	l := x.l
	name, size := l.symbol()+"Neon", l.frame()
	fmt.Fprintf(x.out, "// func %s%s\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", name, l.asmSignature(), name, size)
	at := 0
	for i, s := range l.slices {
		x.ins("MOVD %s+%d(FP), R%d", s, at, i)
		at += 8
	}
	x.ins("MOVD n+%d(FP), R6", at)
	if l.record != "" {
		x.ins("MOVD c+%d(FP), R19", at+8)
	}
	x.ins("MOVD $consts<>(SB), R21")
	var order []int
	for v := range x.fixed {
		order = append(order, v)
	}
	sort.Ints(order)
	for _, v := range order {
		x.broadcast(v, x.fixed[v])
	}
	for a, r := range x.sumReg {
		for i := range 4 * l.unroll {
			if l.sums[a] == opMax {
				x.ins("MOVD $0xff800000, R22")
				x.ins("VDUP R22, V%d.S4", r+i)
			} else {
				x.ins("VEOR V%d.B16, V%d.B16, V%d.B16", r+i, r+i, r+i)
			}
		}
	}
	parts := 1
	if len(l.sums) > 0 {
		parts = 4 * l.unroll
	}
	x.ins("SUBS $%d, R6", 4*parts)
	x.ins("BLT rest")
	fmt.Fprintf(x.out, "loop:\n")
	for p := range parts {
		x.part(p, false)
	}
	x.ins("SUBS $%d, R6", 4*parts)
	x.ins("BGE loop")
	fmt.Fprintf(x.out, "rest:\n")
	x.ins("ADDS $%d, R6", 4*parts)
	x.ins("BEQ done")
	for p := range parts - 1 { // whole registers go to the sums in turn
		x.ins("SUBS $4, R6")
		x.ins("BLT last%d", p)
		x.part(p, false)
		x.ins("CBZ R6, done")
	}
	for p := parts - 1; p >= 0; p-- {
		fmt.Fprintf(x.out, "last%d:\n", p)
		x.part(p, true)
		if p > 0 {
			x.ins("B done")
		}
	}
	fmt.Fprintf(x.out, "done:\n")
	x.results(size)
	fmt.Fprintf(x.out, "\tRET\n\n")
	return x.out.String()
}

// part emits the body for four elements, or for the R6 modulo 4 ones that remain.
func (x *neon) part(p int, partial bool) {
	x.acc, x.partial, x.reg = p, partial, map[int]int{}
	if partial {
		x.ins("AND $3, R6, R20")
		if len(x.l.sums) > 0 { // the mask: words of ones, then zeros
			x.ins("MOVD $ones<>+16(SB), R22")
			x.ins("SUB R20<<2, R22, R22")
			x.ins("VLD1 (R22), [V31.S4]")
		}
	}
	free := append([]int(nil), x.free...)
	for i := range x.l.values {
		x.value(i)
	}
	x.free = free
	if !partial {
		for i := range x.l.slices {
			x.ins("ADD $16, R%d", i)
		}
	}
}

// results adds up the registers of every accumulator in the order of the other targets.
func (x *neon) results(size int) {
	l := x.l
	for a, r := range x.sumReg {
		op := map[opcode]string{opSum: "FADD", opMax: "FMAXNM"}[l.sums[a]]
		for step := 1; step < l.unroll; step *= 2 {
			for j := 0; j+step < l.unroll; j += 2 * step {
				for p := range 4 {
					x.op3(op, r+4*j+p, r+4*j+p, r+4*(j+step)+p)
				}
			}
		}
		x.op3(op, r, r, r+2)
		x.op3(op, r+1, r+1, r+3)
		x.op3(op, r, r, r+1)
		for _, bytes := range []int{8, 4} {
			x.ins("VEXT $%d, V%d.B16, V%d.B16, V0.B16", bytes, r, r)
			x.op3(op, r, r, 0)
		}
		x.ins("FMOVS F%d, %s+%d(FP)", r, l.result(a), size-4*(len(l.sums)-a))
	}
}
