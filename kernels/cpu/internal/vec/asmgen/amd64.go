package main

import (
	"fmt"
	"sort"
)

// x86 emits a loop for AVX-512 (wide) or for AVX2 with FMA, which takes a vector of 16 in two halves.
type x86 struct {
	emitter
	wide   bool
	freeK  []int // mask registers
	pinned map[int]bool
	offset int  // bytes from the index to the vector in hand
	masked bool // the last, incomplete vector
	part   int  // which half
	turn   int  // which vector of a turn
}

// table collects constants for the data section.
type table struct {
	bits []uint32
	at   map[uint32]int
}

func (t *table) index(bits uint32) int {
	i, ok := t.at[bits]
	if !ok {
		i = len(t.bits)
		t.at[bits] = i
		t.bits = append(t.bits, bits)
	}
	return i
}

var pointerRegs = []string{"DI", "SI", "BX", "R8", "R9", "R10"}

func (x *x86) width() int {
	if x.wide {
		return 16
	}
	return 8
}

func (x *x86) halves() int { return 16 / x.width() }

func (x *x86) name(r int) string {
	if x.wide {
		return fmt.Sprintf("Z%d", r)
	}
	return fmt.Sprintf("Y%d", r)
}

// suffix is the ending of a function's name.
func (x *x86) suffix() string {
	if x.wide {
		return "AVX512"
	}
	return "AVX2"
}

// x86Loop returns the assembly of l.
func x86Loop(l *loop, wide bool, consts *table) string {
	return withRegisters(l, func(keep int) string { return newX86(l, wide, consts, keep).function() })
}

func newX86(l *loop, wide bool, consts *table, keep int) *x86 {
	x := &x86{emitter: newEmitter(l, consts), wide: wide}
	n := 32
	if !wide {
		n = 15 // Y15 has the mask of the last vector
	}
	for range l.sums {
		n -= l.unroll * x.halves()
		x.sumReg = append(x.sumReg, n)
	}
	list := l.broadcasts()
	for _, v := range list[:keep] {
		n--
		x.fixed[v] = n
	}
	if n < 1 {
		panic(outOfRegisters{})
	}
	for r := n - 1; r >= 0; r-- {
		x.free = append(x.free, r)
	}
	x.freeK = []int{7, 6, 5, 4, 3, 2}
	return x
}

func (x *x86) function() string {
	l := x.l
	name := l.symbol() + x.suffix()
	size := l.frame()
	fmt.Fprintf(x.out, "// func %s%s\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", name, l.asmSignature(), name, size)
	at := 0
	for i, s := range l.slices {
		x.ins("MOVQ %s+%d(FP), %s", s, at, pointerRegs[i])
		at += 8
	}
	x.ins("MOVQ n+%d(FP), CX", at)
	if l.record != "" {
		x.ins("MOVQ c+%d(FP), R11", at+8)
	}
	var order []int
	for v := range x.fixed {
		order = append(order, v)
	}
	sort.Ints(order)
	for _, v := range order {
		x.ins("VBROADCASTSS %s, %s", x.scalarAddress(v), x.name(x.fixed[v]))
	}
	for a, r := range x.sumReg {
		for i := 0; i < l.unroll*x.halves(); i++ {
			if l.sums[a] == opMax {
				x.ins("VBROADCASTSS %s, %s", x.constAddress(0xff800000), x.name(r+i))
			} else {
				x.ins("VXORPS %s, %s, %s", x.name(r+i), x.name(r+i), x.name(r+i))
			}
		}
	}
	x.ins("XORQ DX, DX")
	if l.halves > 0 {
		x.ins("XORQ R13, R13")
	}
	u := l.unroll
	x.ins("SUBQ $%d, CX", 16*u)
	x.ins("JL rest")
	x.ins("PCALIGN $32")
	fmt.Fprintf(x.out, "loop:\n")
	for j := 0; j < u; j++ {
		x.vector(j, 64*j, false)
	}
	x.advance(u)
	x.ins("SUBQ $%d, CX", 16*u)
	x.ins("JGE loop")
	fmt.Fprintf(x.out, "rest:\n")
	x.ins("ADDQ $%d, CX", 16*u)
	x.ins("JLE done")
	if u > 1 && len(l.sums) == 0 { // any number of whole vectors, one after the other
		fmt.Fprintf(x.out, "single:\n")
		x.ins("CMPQ CX, $16")
		x.ins("JL last0")
		x.vector(0, 0, false)
		x.advance(1)
		x.ins("SUBQ $16, CX")
		x.ins("JG single")
		x.ins("JMP done")
		u = 1
	} else {
		for j := 0; j < u-1; j++ { // whole vectors go to the sums in turn
			x.ins("CMPQ CX, $16")
			x.ins("JL last%d", j)
			x.vector(j, 0, false)
			x.advance(1)
			x.ins("SUBQ $16, CX")
			x.ins("JZ done")
		}
	}
	for j := u - 1; j >= 0; j-- {
		fmt.Fprintf(x.out, "last%d:\n", j)
		x.tailMask()
		x.vector(j, 0, true)
		if j > 0 {
			x.ins("JMP done")
		}
	}
	fmt.Fprintf(x.out, "done:\n")
	x.results(size)
	x.ins("VZEROUPPER")
	fmt.Fprintf(x.out, "\tRET\n\n")
	return x.out.String()
}

// advance moves the index by n vectors.
func (x *x86) advance(n int) {
	x.ins("ADDQ $%d, DX", 64*n)
	if x.l.halves > 0 {
		x.ins("ADDQ $%d, R13", 32*n)
	}
}

// tailMask prepares the mask of the CX < 16 elements that remain: K1, or R12 with the address of 16 words.
func (x *x86) tailMask() {
	if x.wide {
		x.ins("MOVL $1, AX")
		x.ins("SHLL CX, AX")
		x.ins("DECL AX")
		x.ins("KMOVW AX, K1")
		return
	}
	x.ins("MOVQ $16, AX")
	x.ins("SUBQ CX, AX")
	x.ins("LEAQ ones<>(SB), R12")
	x.ins("LEAQ (R12)(AX*4), R12")
}

// vector emits the body for the 16 elements at byte offset off from the index.
func (x *x86) vector(turn, off int, masked bool) {
	for h := 0; h < x.halves(); h++ {
		x.offset, x.masked, x.part, x.turn = off+32*h, masked, h, turn
		if masked && !x.wide {
			x.ins("VMOVUPS %d(R12), Y15", 32*h)
		}
		x.reg = map[int]int{}
		free, freeK := append([]int(nil), x.free...), append([]int(nil), x.freeK...)
		for i := range x.l.values {
			x.pinned = map[int]bool{}
			x.value(i)
		}
		x.free, x.freeK = free, freeK
	}
}

// constAddress is the operand of a constant: 32 bytes of copies each.
func (x *x86) constAddress(bits uint32) string {
	return fmt.Sprintf("consts<>+%d(SB)", 32*x.consts.index(bits))
}

// scalarAddress is where a constant or scalar lies in memory.
func (x *x86) scalarAddress(v int) string {
	val := x.l.values[v]
	if val.op == opConst {
		return x.constAddress(val.imm)
	}
	if x.l.record != "" {
		return fmt.Sprintf("%d(R11)", 4*val.imm)
	}
	return fmt.Sprintf("%s+%d(FP)", x.l.scalars[val.imm], x.l.scalarOffset(int(val.imm)))
}

func (x *x86) results(size int) {
	l := x.l
	// The sums of a turn are added pairwise, then the halves of a vector.
	op := map[opcode]string{opSum: "VADD", opMax: "VMAX"}
	for a, r := range x.sumReg {
		o, h := op[l.sums[a]], x.halves()
		for step := 1; step < l.unroll; step *= 2 {
			for j := 0; j+step < l.unroll; j += 2 * step {
				for p := 0; p < h; p++ {
					x.ins("%sPS %s, %s, %s", o, x.name(r+(j+step)*h+p), x.name(r+j*h+p), x.name(r+j*h+p))
				}
			}
		}
		t := 0 // no temporary is alive here
		if x.wide {
			x.ins("VEXTRACTF64X4 $1, Z%d, Y%d", r, t)
			x.ins("%sPS Y%d, Y%d, Y%d", o, t, r, r)
		} else {
			x.ins("%sPS Y%d, Y%d, Y%d", o, r+1, r, r)
		}
		// Registers over 15 need AVX-512VL forms; move to a low one first.
		low := 1
		x.ins("VMOVAPS Y%d, Y%d", r, low)
		x.ins("VEXTRACTF128 $1, Y%d, X%d", low, t)
		x.ins("%sPS X%d, X%d, X%d", o, t, low, low)
		x.ins("VPSHUFD $0xee, X%d, X%d", low, t)
		x.ins("%sPS X%d, X%d, X%d", o, t, low, low)
		x.ins("VPSHUFD $0x55, X%d, X%d", low, t)
		x.ins("%sSS X%d, X%d, X%d", o, t, low, low)
		x.ins("VMOVSS X%d, %s+%d(FP)", low, l.result(a), size-4*(len(l.sums)-a))
	}
}
