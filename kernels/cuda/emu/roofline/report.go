package roofline

import (
	"fmt"
	"io"
	"strings"

	"artel/kernels/cuda/emu"
)

// Assumptions is what every report rests on, in words.
const Assumptions = "Assumptions: the busiest unit's time, all others overlap it; blocks spread evenly, at least one resident per multiprocessor; device memory moves each touched 32-byte sector once " +
	"(perfect second-level cache); that cache gives 64 bytes a clock to a multiprocessor; shared memory serves one wavefront a clock; no latency, no launch overhead, launches one after another; " +
	"counts are of PTX, before the assembler's optimisation."

// Rates says in words what the machines are taken for.
func Rates() string {
	var b strings.Builder
	for _, m := range Machines() {
		fmt.Fprintf(&b, "%s: %d multiprocessors at %.2f GHz, %.0f GB/s, %.0f TFLOP/s of bf16. ", m.Name, m.SMs, m.Clock, m.Memory, m.Tensor)
	}
	return strings.TrimSpace(b.String())
}

// Report writes counts and estimates of kernels as three Markdown tables.
func Report(w io.Writer, kernels []Work) error {
	var b strings.Builder
	counts(&b, kernels)
	b.WriteByte('\n')
	classes(&b, kernels)
	b.WriteByte('\n')
	bounds(&b, kernels)
	_, err := io.WriteString(w, b.String())
	return err
}

// counts is the table of work and traffic.
func counts(b *strings.Builder, kernels []Work) {
	b.WriteString("| op | kernel | launches | blocks | thread instructions | tensor GFLOP, of these useful % | global MB asked | sectors/request | touched MB / minimum | bank conflicts % |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for i := range kernels {
		k := &kernels[i]
		c := &k.Counters
		tensor := "-"
		if c.TensorFLOPs > 0 {
			tensor = fmt.Sprintf("%.3g", float64(c.TensorFLOPs)/1e9)
			if k.FLOPs > 0 {
				tensor += fmt.Sprintf(", %.0f", 100*ratio(k.FLOPs, c.TensorFLOPs))
			}
		}
		fmt.Fprintf(b, "| %s | %s | %d | %d | %.3g | %s | %.3g | %.1f | %s | %.1f |\n", k.Op, k.Label(), k.Launches, c.Blocks, float64(c.Threads), tensor, float64(c.GlobalBytes)/1e6,
			ratio(c.GlobalSectors, c.GlobalRequests), k.againstMinimum(), 100*ratio(c.BankConflicts(), c.SharedWavefronts))
	}
}

// classes is the table of instructions.
func classes(b *strings.Builder, kernels []Work) {
	var total emu.Counters
	for i := range kernels {
		total.Add(kernels[i].Counters)
	}
	var used []int
	for class, n := range total.ByClass {
		if n > 0 {
			used = append(used, class)
		}
	}
	b.WriteString("| thread instructions, thousands: op | kernel |")
	for _, class := range used {
		fmt.Fprintf(b, " %v |", emu.Class(class))
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(used)) + "\n")
	for i := range kernels {
		fmt.Fprintf(b, "| %s | %s |", kernels[i].Op, kernels[i].Label())
		for _, class := range used {
			if n := kernels[i].Counters.ByClass[class]; n == 0 {
				b.WriteString(" |")
			} else {
				fmt.Fprintf(b, " %.3g |", float64(n)/1e3)
			}
		}
		b.WriteByte('\n')
	}
}

// bounds is the table of times.
func bounds(b *strings.Builder, kernels []Work) {
	machines := Machines()
	b.WriteString("| op | kernel |")
	for i := range machines {
		fmt.Fprintf(b, " %s us | bound by | of tensor peak %% |", machines[i].Name)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|---|---|", len(machines)) + "\n")
	sums := make([]float64, len(machines))
	for i := range kernels {
		fmt.Fprintf(b, "| %s | %s |", kernels[i].Op, kernels[i].Label())
		for j := range machines {
			p := kernels[i].Bound(j)
			sums[j] += p.Seconds
			fmt.Fprintf(b, " %.3g | %s |", p.Seconds*1e6, p.Unit)
			if share := kernels[i].TensorShare(j); share > 0 {
				fmt.Fprintf(b, " %.1f |", 100*share)
			} else {
				b.WriteString(" |")
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString("| all | |")
	for _, s := range sums {
		fmt.Fprintf(b, " %.3g | | |", s*1e6)
	}
	b.WriteByte('\n')
}

// Label is the kernel with its file.
func (k *Work) Label() string { return strings.TrimSuffix(k.File, ".cu") + "." + k.Kernel }

func ratio(a, b uint64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func (k *Work) againstMinimum() string {
	if k.Minimum == 0 {
		return fmt.Sprintf("%.3g / -", float64(k.Counters.Footprint)/1e6)
	}
	return fmt.Sprintf("%.3g / %.2f", float64(k.Counters.Footprint)/1e6, float64(k.Touched)/float64(k.Minimum))
}
