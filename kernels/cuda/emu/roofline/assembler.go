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
	File, Kernel, Arch                     string
	Registers                              int // of a thread
	Stack, SpillStores, SpillLoads, Shared int // bytes
	// Loop is the number of machine instructions in the kernel's main loop, the innermost one with most instructions of tensor cores, and Tensor how many of them are; 0 for kernels without.
	Loop, Tensor int
}

// ParseAssembler reads the messages of ptxas -v, or the shorter list of kernels/cuda/zreport.txt, where "file.cu kernel" begins an entry. An entry whose registers are not told is an error.
func ParseAssembler(text string) ([]Static, error) {
	entry := regexp.MustCompile(`Compiling entry function '([^']+)' for '([^']+)'`)
	short := regexp.MustCompile(`^(\S+\.cu) (\S+)\s*$`)
	var out []Static
	for line := range strings.Lines(text) {
		if m := entry.FindStringSubmatch(line); m != nil {
			out = append(out, Static{Kernel: m[1], Arch: m[2]})
			continue
		}
		if m := short.FindStringSubmatch(line); m != nil {
			out = append(out, Static{File: m[1], Kernel: m[2]})
			continue
		}
		if len(out) == 0 {
			continue
		}
		s := &out[len(out)-1]
		for what, to := range map[string]*int{"bytes stack frame": &s.Stack, "bytes spill stores": &s.SpillStores, "bytes spill loads": &s.SpillLoads,
			"registers": &s.Registers, "bytes smem": &s.Shared, "instructions in the main loop": &s.Loop, "of tensor cores": &s.Tensor} {
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

// StaticReport writes what the assembler says about the kernels that did the work, each once, and how full they make a multiprocessor, as a Markdown table. Kernels that it says nothing of are left out.
func StaticReport(w io.Writer, kernels []Work, said []Static) error {
	var b strings.Builder
	machines := Machines()
	b.WriteString("| kernel | registers | spilled bytes | shared bytes | threads | tensor instructions in the main loop |")
	for i := range machines {
		fmt.Fprintf(&b, " %s: blocks, warps %%, limit |", machines[i].Name)
	}
	b.WriteString("\n|---|---|---|---|---|---|" + strings.Repeat("---|", len(machines)) + "\n")
	seen := map[string]bool{}
	for i := range kernels {
		k := &kernels[i]
		s := k.Static(said)
		if s == nil || seen[k.Label()] {
			continue
		}
		seen[k.Label()] = true
		loop := "-"
		if s.Loop > 0 {
			loop = fmt.Sprintf("%d of %d, %.0f %%", s.Tensor, s.Loop, 100*float64(s.Tensor)/float64(s.Loop))
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %s |", k.Label(), s.Registers, s.SpillStores+s.SpillLoads, k.BlockShared, k.Threads, loop)
		for j := range machines {
			blocks, filled, limit := machines[j].Occupancy(s.Registers, k.BlockShared, k.Threads)
			fmt.Fprintf(&b, " %d, %.0f, %s |", blocks, 100*filled, limit)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Static finds what the assembler said about the kernel, nil for nothing.
func (k *Work) Static(said []Static) *Static {
	for i := range said {
		if said[i].Kernel == k.Kernel && (said[i].File == k.File || said[i].File == "") {
			return &said[i]
		}
	}
	return nil
}
