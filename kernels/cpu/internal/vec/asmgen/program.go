package main

import (
	"fmt"
	"math"
)

// kind is the type of a value: a vector of 16 of these.
type kind uint8

const (
	number kind = iota // float32
	word               // uint32, the bits of a number
	truth              // a mask
)

// opcode names an operation. Every one of them rounds once, so all targets give the same bits.
type opcode uint8

const (
	opConst  opcode = iota // imm: bits
	opScalar               // imm: number of the scalar
	opLoad                 // imm: number of the slice
	opStore
	opLoadHalf  // imm: number of the slice, of bfloat16 numbers
	opStoreHalf // the lower 16 bits of a word
	opAdd
	opSub
	opMul
	opDiv
	opSqrt
	opFMA    // a*b + c
	opFNMA   // c - a*b
	opAtMost // the smaller of a and constant b, a if that is NaN
	opAtLeast
	opRound    // to the nearest integer, ties to even
	opPow2     // a * 2^b, b an integer in [-150,128]
	opFromInt  // of a signed word
	opAddWord  // modulo 2^32
	opAnd      // bit by bit
	opOr       //
	opXor      //
	opShiftL   // by imm
	opShiftR   // by imm, zeros come in
	opShiftA   // by imm, the sign comes in
	opLess     // a < b, false for NaN
	opAtMostEq // a <= b, false for NaN
	opSelect   // a ? b : c
	opSum      // imm: accumulator += a
	opMax      // imm: accumulator = a if that is larger
)

// value is an operation and its result.
type value struct {
	op   opcode
	kind kind
	args []int
	imm  uint32
}

// loop is a function over slices of equal length. The body is written for one element.
type loop struct {
	name    string   // field of Set; the functions are called after it
	slices  []string // parameters
	halves  int      // the first ones of them are bfloat16 numbers; for AVX-512 only
	scalars []string // float32 parameters, or fields of record
	record  string   // type of the parameter c that has the scalars; empty: they are parameters
	unroll  int      // vectors of 16 per turn, each with sums of its own
	body    func(b *body)

	values []value
	sums   []opcode // opSum or opMax, by accumulator
}

// body collects the operations of a loop.
type body struct {
	l      *loop
	consts map[uint32]int
	cached map[string]int
}

// build runs the body of l.
func (l *loop) build() {
	if l.unroll == 0 {
		l.unroll = 1
	}
	l.body(&body{l: l, consts: map[uint32]int{}, cached: map[string]int{}})
	l.prune()
}

// prune takes out operations whose results nobody uses.
func (l *loop) prune() {
	live := make([]bool, len(l.values))
	for i := len(l.values) - 1; i >= 0; i-- {
		v := l.values[i]
		live[i] = live[i] || v.op == opStore || v.op == opStoreHalf || v.op == opSum || v.op == opMax
		for _, a := range v.args {
			live[a] = live[a] || live[i]
		}
	}
	var kept []value
	at := make([]int, len(l.values))
	for i, v := range l.values {
		if !live[i] {
			continue
		}
		for n, a := range v.args {
			v.args[n] = at[a]
		}
		at[i] = len(kept)
		kept = append(kept, v)
	}
	l.values = kept
}

func (b *body) emit(k kind, op opcode, imm uint32, args ...int) int {
	b.l.values = append(b.l.values, value{op, k, args, imm})
	return len(b.l.values) - 1
}

// c is a constant.
func (b *body) c(v float64) int { return b.constant(number, math.Float32bits(float32(v))) }

// w is a constant word.
func (b *body) w(v uint32) int { return b.constant(word, v) }

func (b *body) constant(k kind, bits uint32) int {
	if v, ok := b.consts[bits]; ok {
		return v
	}
	v := b.emit(k, opConst, bits)
	b.consts[bits] = v
	return v
}

func find(list []string, name string) int {
	for i, s := range list {
		if s == name {
			return i
		}
	}
	panic(fmt.Sprintf("asmgen: no %q among %v", name, list))
}

func (b *body) once(key string, f func() int) int {
	v, ok := b.cached[key]
	if !ok {
		v = f()
		b.cached[key] = v
	}
	return v
}

// s is a scalar parameter.
func (b *body) s(name string) int {
	return b.once("s "+name, func() int { return b.emit(number, opScalar, uint32(find(b.l.scalars, name))) })
}

// in is the element of a slice.
func (b *body) in(name string) int {
	i := find(b.l.slices, name)
	return b.once("in "+name, func() int { return b.emit(number, opLoad, uint32(i)) })
}

// out stores the element of a slice.
func (b *body) out(name string, v int) {
	i := find(b.l.slices, name)
	b.emit(number, opStore, uint32(i), v)
}

// inHalf is the element of a slice of bfloat16 numbers, widened.
func (b *body) inHalf(name string) int {
	i := find(b.l.slices, name)
	return b.once("in "+name, func() int { return b.emit(number, opLoadHalf, uint32(i)) })
}

// outHalf stores a word as the element of a slice of bfloat16 numbers.
func (b *body) outHalf(name string, w int) {
	b.emit(number, opStoreHalf, uint32(find(b.l.slices, name)), w)
}

// sum adds v to a result of the function.
func (b *body) sum(v int) { b.accumulate(opSum, v) }

// largest makes the largest v a result of the function.
func (b *body) largest(v int) { b.accumulate(opMax, v) }

func (b *body) accumulate(op opcode, v int) {
	b.l.sums = append(b.l.sums, op)
	b.emit(number, op, uint32(len(b.l.sums)-1), v)
}

func (b *body) add(x, y int) int           { return b.emit(number, opAdd, 0, x, y) }
func (b *body) sub(x, y int) int           { return b.emit(number, opSub, 0, x, y) }
func (b *body) mul(x, y int) int           { return b.emit(number, opMul, 0, x, y) }
func (b *body) div(x, y int) int           { return b.emit(number, opDiv, 0, x, y) }
func (b *body) sqrt(x int) int             { return b.emit(number, opSqrt, 0, x) }
func (b *body) fma(x, y, z int) int        { return b.emit(number, opFMA, 0, x, y, z) }
func (b *body) fnma(x, y, z int) int       { return b.emit(number, opFNMA, 0, x, y, z) }
func (b *body) round(x int) int            { return b.emit(number, opRound, 0, x) }
func (b *body) pow2(x, n int) int          { return b.emit(number, opPow2, 0, x, n) }
func (b *body) atMost(x, limit int) int    { return b.emit(number, opAtMost, 0, x, limit) }
func (b *body) atLeast(x, limit int) int   { return b.emit(number, opAtLeast, 0, x, limit) }
func (b *body) fromInt(x int) int          { return b.emit(number, opFromInt, 0, x) }
func (b *body) addWord(x, y int) int       { return b.emit(word, opAddWord, 0, x, y) }
func (b *body) shiftL(x int, n uint32) int { return b.emit(word, opShiftL, n, x) }
func (b *body) shiftR(x int, n uint32) int { return b.emit(word, opShiftR, n, x) }
func (b *body) and(x, y int) int           { return b.emit(word, opAnd, 0, x, y) }
func (b *body) or(x, y int) int            { return b.emit(word, opOr, 0, x, y) }
func (b *body) xor(x, y int) int           { return b.emit(word, opXor, 0, x, y) }
func (b *body) less(x, y int) int          { return b.emit(truth, opLess, 0, x, y) }
func (b *body) atMostEq(x, y int) int      { return b.emit(truth, opAtMostEq, 0, x, y) }
func (b *body) choose(m, x, y int) int     { return b.emit(number, opSelect, 0, m, x, y) }

// lastUse returns, by value, the index of the last operation that uses it.
func (l *loop) lastUse() []int {
	last := make([]int, len(l.values))
	for i, v := range l.values {
		for _, a := range v.args {
			last[a] = i
		}
	}
	return last
}

// broadcasts lists the constants and scalars in the order in which it pays to keep them in registers: the most used first.
func (l *loop) broadcasts() []int {
	uses := make([]int, len(l.values))
	var list []int
	for i, v := range l.values {
		if v.op == opConst || v.op == opScalar {
			list = append(list, i)
		}
		for _, a := range v.args {
			uses[a]++
		}
	}
	for i := range list { // stable insertion sort: scalars first, they have no operand form
		for j := i; j > 0 && l.rank(list[j], uses) > l.rank(list[j-1], uses); j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
	return list
}

func (l *loop) rank(v int, uses []int) int {
	if l.values[v].op == opScalar {
		return 1000 + uses[v]
	}
	return uses[v]
}
