package main

import (
	"fmt"
	"strings"
)

// emitter is what targets with registers have in common.
type emitter struct {
	l      *loop
	out    *strings.Builder
	consts *table
	last   []int       // by value: the operation that uses it last
	fixed  map[int]int // register of a broadcast that stays in one
	sumReg []int       // first register of an accumulator
	free   []int       // vector registers for temporaries
	reg    map[int]int // register of a live temporary
}

func newEmitter(l *loop, consts *table) emitter {
	return emitter{l: l, out: &strings.Builder{}, consts: consts, last: l.lastUse(), fixed: map[int]int{}}
}

func (x *emitter) ins(format string, args ...any) { fmt.Fprintf(x.out, "\t"+format+"\n", args...) }

type outOfRegisters struct{}

// take reserves a register.
func take(list *[]int) int {
	if len(*list) == 0 {
		panic(outOfRegisters{})
	}
	r := (*list)[len(*list)-1]
	*list = (*list)[:len(*list)-1]
	return r
}

// withRegisters calls emit with fewer and fewer broadcasts of l that keep a register of their own, until there are enough for all else.
func withRegisters(l *loop, emit func(keep int) string) string {
	for keep := len(l.broadcasts()); keep >= 0; keep-- {
		if text, ok := try(func() string { return emit(keep) }); ok {
			return text
		}
	}
	panic("asmgen: " + l.name + " needs too many registers")
}

// try reports whether there were registers enough.
func try(emit func() string) (text string, ok bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, short := r.(outOfRegisters); !short {
				panic(r)
			}
			ok = false
		}
	}()
	return emit(), true
}

func (x *emitter) isBroadcast(v int) bool {
	op := x.l.values[v].op
	return op == opConst || op == opScalar
}

// dies says that temporary v is used for the last time by operation i.
func (x *emitter) dies(v, i int) bool { return !x.isBroadcast(v) && x.last[v] == i }
