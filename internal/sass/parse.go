// Package sass finds the main loops of kernels in what nvdisasm -c writes: the innermost loop with the most tensor-core instructions of each.
package sass

import (
	"regexp"
	"strings"
)

// instruction is one machine instruction.
type instruction struct {
	opcode string
	always bool   // no predicate
	target string // label of a branch
}

// code is the instructions of a kernel, and where its labels are.
type code struct {
	name   string
	list   []instruction
	labels map[string]int
}

// parse splits a listing into kernels.
func parse(listing string) []code {
	section := regexp.MustCompile(`^\.text\.(\S+):`)
	label := regexp.MustCompile(`^(\.L_x_\d+):`)
	line := regexp.MustCompile(`^\s*/\*[0-9a-f]+\*/\s+(@!?U?P\d+\s+)?([A-Z][A-Z0-9_.]*)([^;]*);`)
	target := regexp.MustCompile("`\\((\\.L_x_\\d+)\\)")
	var out []code
	for text := range strings.Lines(listing) {
		if m := section.FindStringSubmatch(text); m != nil {
			out = append(out, code{name: m[1], labels: map[string]int{}})
			continue
		}
		if len(out) == 0 {
			continue
		}
		c := &out[len(out)-1]
		if m := label.FindStringSubmatch(text); m != nil {
			c.labels[m[1]] = len(c.list)
			continue
		}
		m := line.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		in := instruction{opcode: m[2], always: m[1] == ""}
		if base, _, _ := strings.Cut(m[2], "."); base == "BRA" {
			// A second predicate may stand before the target: "BRA P1, `(.L_x_2)" or "BRA.DIV UR4, `(.L_x_3)".
			if t := target.FindStringSubmatch(m[3]); t != nil {
				in.target = t[1]
				in.always = in.always && strings.HasPrefix(strings.TrimSpace(m[3]), "`")
			}
		}
		c.list = append(c.list, in)
	}
	return out
}

// ends reports whether nothing follows an instruction but at its target.
func (i *instruction) ends() bool {
	if !i.always {
		return false
	}
	base, _, _ := strings.Cut(i.opcode, ".")
	switch base {
	case "BRA", "EXIT", "RET", "BRX", "JMX", "JMP", "KILL":
		return true
	}
	return false
}

// tensor reports whether an instruction is of tensor cores.
func (i *instruction) tensor() bool {
	base, _, _ := strings.Cut(i.opcode, ".")
	switch base {
	case "HMMA", "IMMA", "DMMA", "BMMA", "QMMA", "HGMMA", "IGMMA", "QGMMA", "BGMMA":
		return true
	}
	return false
}
