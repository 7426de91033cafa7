package gpumodel

import (
	"fmt"
	"io"

	"artel/kernels/cuda"
	"artel/kernels/cuda/emu/roofline"
)

// Report is sections with what the assembler said of their kernels.
type Report struct {
	Capability int // ten times the compute capability of the emulated device
	Sections   []Section
}

// Markdown writes the report as tables.
func (r *Report) Markdown(w io.Writer) error {
	said, err := roofline.ParseAssembler(cuda.AssemblerReport())
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Counted by the emulator for compute capability %d.%d; times are lower bounds from these counts, not measurements.\n\n%s\n\n%s\n", r.Capability/10, r.Capability%10, roofline.Assumptions, roofline.Rates())
	var all []roofline.Work
	for i := range r.Sections {
		s := &r.Sections[i]
		fmt.Fprintf(w, "\n### %s\n\n", s.Title)
		if err := roofline.Report(w, s.Work); err != nil {
			return err
		}
		all = append(all, s.Work...)
	}
	fmt.Fprintf(w, "\n### What the assembler says of these kernels\n\nRegisters of a thread, blocks that fit a multiprocessor at a time, and of the innermost loop with the most tensor-core instructions how many of its machine instructions they are, all paths through it counted.\n\n")
	return roofline.StaticReport(w, all, said)
}

// Line is one kernel of an op for programs.
type Line struct {
	Section           string            `json:"section"`
	Op                string            `json:"op"`
	Kernel            string            `json:"kernel"`
	Launches          int               `json:"launches"`
	Blocks            uint64            `json:"blocks"`
	Instructions      uint64            `json:"thread_instructions"`
	WarpInstructions  uint64            `json:"warp_instructions"`
	Classes           map[string]uint64 `json:"thread_instructions_by_class"`
	TensorFLOPs       uint64            `json:"tensor_flops"`
	FLOPs             uint64            `json:"product_flops"`
	GlobalBytes       uint64            `json:"global_bytes_asked"`
	SectorsPerRequest float64           `json:"sectors_per_request"`
	Touched           uint64            `json:"bytes_touched"`
	OpTouched         uint64            `json:"op_bytes_touched,omitempty"`
	OpMinimum         uint64            `json:"op_bytes_minimum,omitempty"`
	SharedWavefronts  uint64            `json:"shared_wavefronts"`
	BankConflicts     uint64            `json:"bank_conflicts"`
	Bounds            []Bound           `json:"bounds"`
	Registers         int               `json:"registers,omitempty"`
	SpilledBytes      int               `json:"spilled_bytes"`
	SharedBytes       int               `json:"shared_bytes"`
	Threads           int               `json:"threads"`
	LoopInstructions  int               `json:"main_loop_instructions,omitempty"`
	LoopTensor        int               `json:"main_loop_tensor_instructions,omitempty"`
}

// Bound is a time and an occupancy on one machine.
type Bound struct {
	Machine     string  `json:"machine"`
	Seconds     float64 `json:"seconds"`
	Unit        string  `json:"bound_by"`
	TensorShare float64 `json:"of_tensor_peak,omitempty"`
	Occupancy   float64 `json:"occupancy,omitempty"`
}

// Lines gives the report's figures, one line for each kernel of an op.
func (r *Report) Lines() ([]Line, error) {
	said, err := roofline.ParseAssembler(cuda.AssemblerReport())
	if err != nil {
		return nil, err
	}
	var out []Line
	for i := range r.Sections {
		for j := range r.Sections[i].Work {
			out = append(out, line(r.Sections[i].Title, &r.Sections[i].Work[j], said))
		}
	}
	return out, nil
}

func line(section string, k *roofline.Work, said []roofline.Static) Line {
	c := &k.Counters
	l := Line{
		Section: section, Op: k.Op, Kernel: k.Label(), Launches: k.Launches, Blocks: c.Blocks, Instructions: c.Threads, WarpInstructions: c.Warps, Classes: c.Classes(),
		TensorFLOPs: c.TensorFLOPs, FLOPs: k.FLOPs, GlobalBytes: c.GlobalBytes, Touched: c.Footprint, OpTouched: k.Touched, OpMinimum: k.Minimum,
		SharedWavefronts: c.SharedWavefronts, BankConflicts: c.BankConflicts(), SharedBytes: k.BlockShared, Threads: k.Threads,
	}
	if c.GlobalRequests > 0 {
		l.SectorsPerRequest = float64(c.GlobalSectors) / float64(c.GlobalRequests)
	}
	s := k.Static(said)
	if s != nil {
		l.Registers, l.SpilledBytes, l.LoopInstructions, l.LoopTensor = s.Registers, s.SpillStores+s.SpillLoads, s.Loop, s.Tensor
	}
	for i, m := range roofline.Machines() {
		p := k.Bound(i)
		b := Bound{Machine: m.Name, Seconds: p.Seconds, Unit: p.Unit, TensorShare: k.TensorShare(i)}
		if s != nil {
			_, b.Occupancy, _ = m.Occupancy(s.Registers, k.BlockShared, k.Threads)
		}
		l.Bounds = append(l.Bounds, b)
	}
	return l
}
