package roofline

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Static is what the assembler says about a kernel.
type Static struct {
	Kernel, Arch                           string
	Registers                              int // of a thread
	Stack, SpillStores, SpillLoads, Shared int // bytes
}

// ParseAssembler reads the messages of ptxas -v, or the shorter list of kernels/cuda/zreport.txt, where "file.cu kernel" begins an entry. An entry whose registers are not told is an error.
func ParseAssembler(text string) ([]Static, error) {
	entry := regexp.MustCompile(`Compiling entry function '([^']+)' for '([^']+)'`)
	short := regexp.MustCompile(`^\S+\.cu (\S+)\s*$`)
	var out []Static
	for line := range strings.Lines(text) {
		if m := entry.FindStringSubmatch(line); m != nil {
			out = append(out, Static{Kernel: m[1], Arch: m[2]})
			continue
		}
		if m := short.FindStringSubmatch(line); m != nil {
			out = append(out, Static{Kernel: m[1]})
			continue
		}
		if len(out) == 0 {
			continue
		}
		s := &out[len(out)-1]
		for what, to := range map[string]*int{"bytes stack frame": &s.Stack, "bytes spill stores": &s.SpillStores, "bytes spill loads": &s.SpillLoads,
			"registers": &s.Registers, "bytes smem": &s.Shared} {
			if n, ok := numberBefore(line, what); ok {
				*to = n
			}
		}
	}
	for _, s := range out {
		if s.Registers == 0 {
			return out, fmt.Errorf("roofline: no register count for %s on %s", s.Kernel, s.Arch)
		}
	}
	return out, nil
}

// numberBefore returns the number that stands before a phrase.
func numberBefore(line, phrase string) (int, bool) {
	head, _, ok := strings.Cut(line, " "+phrase)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(head[strings.LastIndexAny(head, " \t,")+1:])
	return n, err == nil
}

// Occupancy returns how many blocks of a kernel fit a multiprocessor at a time, the share of its 64 warps they fill and what limits them; shared counts static and dynamic
// bytes of a block. Registers are given to warps in pieces of 256, shared memory to blocks in pieces of 128 bytes with 1 KiB on top.
func (m *Machine) Occupancy(registers, shared, threads int) (blocks int, filled float64, limit string) {
	warps := (threads + 31) / 32
	blocks, limit = 32, "blocks"
	at := func(n int, why string) {
		if n < blocks {
			blocks, limit = n, why
		}
	}
	at(64/warps, "warps")
	perWarp := (registers*32 + 255) / 256 * 256
	// Each of the four schedulers has a quarter of the registers.
	at(16384/perWarp*4/warps, "registers")
	at(m.SharedKiB*1024/((shared+127)/128*128+1024), "shared memory")
	return blocks, float64(blocks*warps) / 64, limit
}

// StaticReport writes what the assembler says about kernels, and how full they make a multiprocessor, as a Markdown table.
func StaticReport(w io.Writer, kernels []Resources) error {
	var b strings.Builder
	machines := Machines()
	b.WriteString("| kernel | registers | spilled bytes | shared bytes | threads |")
	for i := range machines {
		fmt.Fprintf(&b, " %s: blocks, warps %%, limit |", machines[i].Name)
	}
	b.WriteString("\n|---|---|---|---|---|" + strings.Repeat("---|", len(machines)) + "\n")
	for i := range kernels {
		k := &kernels[i]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |", k.Kernel, k.Registers, k.SpillStores+k.SpillLoads, k.BlockShared, k.Threads)
		for j := range machines {
			blocks, filled, limit := machines[j].Occupancy(k.Registers, k.BlockShared, k.Threads)
			fmt.Fprintf(&b, " %d, %.0f, %s |", blocks, 100*filled, limit)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Resources is what a launch of a kernel takes.
type Resources struct {
	Static
	Threads     int // of a block
	BlockShared int // bytes of a block, static and dynamic
}
