package main

import (
	"fmt"
	"math"
	"strings"
)

// symbol is the name of the loop's functions, less the ending.
func (l *loop) symbol() string {
	for _, word := range []string{"GELU", "ReLU", "SiLU", "SGD", "BCE"} {
		if rest, ok := strings.CutPrefix(l.name, word); ok {
			return strings.ToLower(word) + rest
		}
	}
	return strings.ToLower(l.name[:1]) + l.name[1:]
}

func (l *loop) result(i int) string {
	if len(l.sums) == 1 {
		return "ret"
	}
	return fmt.Sprintf("ret%d", i)
}

// scalarOffset is where scalar i lies in the arguments of the assembly.
func (l *loop) scalarOffset(i int) int { return 8*len(l.slices) + 8 + 4*i }

// frame is the size of the arguments and results of the assembly.
func (l *loop) frame() int {
	n := 8*len(l.slices) + 8
	if l.record != "" {
		n += 8
	} else {
		n += 4 * len(l.scalars)
	}
	if len(l.sums) > 0 {
		n = (n+7)/8*8 + 4*len(l.sums)
	}
	return n
}

func (l *loop) results() string {
	switch len(l.sums) {
	case 0:
		return ""
	case 1:
		return " float32"
	}
	var names []string
	for i := range l.sums {
		names = append(names, l.result(i))
	}
	return " (" + strings.Join(names, ", ") + " float32)"
}

// scalarParams is the end of a parameter list.
func (l *loop) scalarParams() string {
	switch {
	case l.record != "":
		return ", c *" + l.record
	case len(l.scalars) > 0:
		return ", " + strings.Join(l.scalars, ", ") + " float32"
	}
	return ""
}

func (l *loop) asmSignature() string {
	return fmt.Sprintf("(%s, n int%s)%s", l.sliceParams("*"), l.scalarParams(), l.results())
}

func (l *loop) signature() string {
	return fmt.Sprintf("(%s%s)%s", l.sliceParams("[]"), l.scalarParams(), l.results())
}

// sliceParams lists the slices as parameters; kind comes before the type of an element.
func (l *loop) sliceParams(kind string) string {
	list := strings.Join(l.slices[l.halves:], ", ") + " " + kind + "float32"
	if l.halves > 0 {
		list = strings.Join(l.slices[:l.halves], ", ") + " " + kind + "uint16, " + list
	}
	return list
}

// scalarArgs passes the scalars on.
func (l *loop) scalarArgs() string {
	switch {
	case l.record != "":
		return ", c"
	case len(l.scalars) > 0:
		return ", " + strings.Join(l.scalars, ", ")
	}
	return ""
}

// empty is what the function returns for no elements.
func (l *loop) empty() string {
	var zero []string
	for _, op := range l.sums {
		if op == opMax {
			zero = append(zero, "fromBits(0xff800000)")
		} else {
			zero = append(zero, "0")
		}
	}
	return strings.Join(zero, ", ")
}

// stubs are the declarations of assembly and the functions over slices that call it.
func stubs(b *strings.Builder, loops []*loop, suffix string) {
	for _, l := range loops {
		name := l.symbol() + suffix
		fmt.Fprintf(b, "//go:noescape\nfunc %s%s\n\n", name, l.asmSignature())
		var args []string
		for i, s := range l.slices {
			if i == 0 {
				args = append(args, fmt.Sprintf("&%s[0]", s))
			} else {
				args = append(args, fmt.Sprintf("&%s[:n][0]", s))
			}
		}
		ret := ""
		if len(l.sums) > 0 {
			ret = "return "
		}
		fmt.Fprintf(b, "func %sSlices%s {\n\tn := len(%s)\n\tif n == 0 {\n\t\treturn %s\n\t}\n\t%s%s(%s, n%s)\n}\n\n",
			name, l.signature(), l.slices[0], l.empty(), ret, name, strings.Join(args, ", "), l.scalarArgs())
	}
}

// setOf assigns the functions of one target to the fields of a Set.
func setOf(b *strings.Builder, loops []*loop, variable, suffix string) {
	fmt.Fprintf(b, "// fill%s sets the generated fields of a set.\nfunc fill%s(s *Set) {\n", variable, variable)
	for _, l := range loops {
		fmt.Fprintf(b, "\ts.%s = %s%s\n", l.name, l.symbol(), suffix)
	}
	b.WriteString("}\n\n")
}

// plainGo writes the loop in Go.
func plainGo(b *strings.Builder, l *loop) {
	fmt.Fprintf(b, "func %sGo%s {\n", l.symbol(), l.signature())
	first := l.slices[0]
	for _, s := range l.slices[1:] {
		fmt.Fprintf(b, "\t%s = %s[:len(%s)]\n", s, s, first)
	}
	w := 16 * l.unroll
	for i, op := range l.sums {
		fmt.Fprintf(b, "\tvar acc%d [%d]float32\n", i, w)
		if op == opMax {
			fmt.Fprintf(b, "\tfor i := range acc%d {\n\t\tacc%d[i] = fromBits(0xff800000)\n\t}\n", i, i)
		}
	}
	fmt.Fprintf(b, "\tfor i := range %s {\n", first)
	for i := range l.values {
		l.statement(b, i)
	}
	b.WriteString("\t}\n")
	var rets []string
	for i, op := range l.sums {
		rets = append(rets, fmt.Sprintf("%s(acc%d[:])", map[opcode]string{opSum: "tree", opMax: "largest"}[op], i))
	}
	if rets != nil {
		fmt.Fprintf(b, "\treturn %s\n", strings.Join(rets, ", "))
	}
	b.WriteString("}\n\n")
}

// text is a value as an operand in Go.
func (l *loop) text(v int) string {
	val := l.values[v]
	switch {
	case val.op == opConst && val.kind == word:
		return fmt.Sprintf("%#x", val.imm)
	case val.op == opConst:
		f := float64(math.Float32frombits(val.imm))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Sprintf("fromBits(%#x)", val.imm)
		}
		return fmt.Sprintf("%v", f)
	case val.op == opScalar && l.record != "":
		return "c." + l.scalars[val.imm]
	case val.op == opScalar:
		return l.scalars[val.imm]
	}
	return fmt.Sprintf("v%d", v)
}

// as is a value as an operand of the given kind.
func (l *loop) as(v int, k kind) string {
	t, have := l.text(v), l.values[v].kind
	switch {
	case l.values[v].op == opConst && k == word:
		return fmt.Sprintf("%#x", l.values[v].imm)
	case have == number && k == word:
		return "bits(" + t + ")"
	case have == word && k == number:
		return "fromBits(" + t + ")"
	}
	return t
}

func (l *loop) statement(b *strings.Builder, i int) {
	v := l.values[i]
	arg := func(n int) string { return l.as(v.args[n], number) }
	bit := func(n int) string { return l.as(v.args[n], word) }
	set := func(format string, args ...any) { fmt.Fprintf(b, "\t\tv%d := %s\n", i, fmt.Sprintf(format, args...)) }
	if sign, ok := map[opcode]string{opAdd: "+", opSub: "-", opMul: "*", opDiv: "/"}[v.op]; ok {
		set("float32(%s %s %s)", arg(0), sign, arg(1)) // the conversion forbids to fuse
		return
	}
	if sign, ok := map[opcode]string{opAddWord: "+", opAnd: "&", opOr: "|", opXor: "^"}[v.op]; ok {
		set("%s %s %s", bit(0), sign, bit(1))
		return
	}
	switch v.op {
	case opLoad:
		set("%s[i]", l.slices[v.imm])
	case opStore:
		fmt.Fprintf(b, "\t\t%s[i] = %s\n", l.slices[v.imm], arg(0))
	case opSum:
		fmt.Fprintf(b, "\t\tacc%d[i%%%d] += %s\n", v.imm, 16*l.unroll, arg(0))
	case opMax:
		fmt.Fprintf(b, "\t\tif %s > acc%d[i%%%d] {\n\t\t\tacc%d[i%%%d] = %s\n\t\t}\n", arg(0), v.imm, 16*l.unroll, v.imm, 16*l.unroll, arg(0))
	case opSqrt:
		set("float32(math.Sqrt(float64(%s)))", arg(0))
	case opFMA:
		set("fma(%s, %s, %s)", arg(0), arg(1), arg(2))
	case opFNMA:
		set("fma(-%s, %s, %s)", arg(0), arg(1), arg(2))
	case opAtMost:
		set("%s\n\t\tif v%d > %s {\n\t\t\tv%d = %s\n\t\t}", arg(0), i, arg(1), i, arg(1))
	case opAtLeast:
		set("%s\n\t\tif v%d < %s {\n\t\t\tv%d = %s\n\t\t}", arg(0), i, arg(1), i, arg(1))
	case opRound:
		set("round(%s)", arg(0))
	case opPow2:
		set("pow2(%s, %s)", arg(0), arg(1))
	case opFromInt:
		set("float32(int32(%s))", bit(0))
	case opShiftL:
		set("%s << %d", bit(0), v.imm)
	case opShiftR:
		set("%s >> %d", bit(0), v.imm)
	case opShiftA:
		set("uint32(int32(%s) >> %d)", bit(0), v.imm)
	case opLess:
		set("%s < %s", arg(0), arg(1))
	case opAtMostEq:
		set("%s <= %s", arg(0), arg(1))
	case opSelect:
		set("float32(%s)\n\t\tif %s {\n\t\t\tv%d = %s\n\t\t}", arg(2), l.text(v.args[0]), i, arg(1))
	}
}
