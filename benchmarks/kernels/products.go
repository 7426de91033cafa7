package main

import (
	"fmt"
	"log"

	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// source makes operands.
type source = func(shape ...int) tensor.Tensor

// products times C = A*B.
func products(be *kernels.Backend, operand source, shapes, orders []string) (jobs []*job) {
	for _, shape := range shapes {
		var m, n, k int
		if _, err := fmt.Sscanf(shape, "%dx%dx%d", &m, &n, &k); err != nil || m < 1 || n < 1 || k < 1 {
			log.Fatalf("-shapes: %q is no shape; want for example 512x512x512", shape)
		}
		for _, order := range orders {
			g := kernels.GEMM{A: operand(m, k), B: operand(k, n), C: tensor.New(dtype.F32, m, n)}
			switch order {
			case "NN":
			case "NT":
				g.B = operand(n, k).T()
			case "TN":
				g.A = operand(k, m).T()
			default:
				log.Fatalf("-orders: %q is unknown; want NN, NT or TN", order)
			}
			jobs = append(jobs, &job{group: "gemm " + order, name: shape, flops: 2 * float64(m*n*k), run: func() { be.GEMM(g) }})
		}
	}
	return jobs
}

// bank is the shape of a bank of experts whose weight gradients are timed.
const (
	experts = 16
	width   = 256
	hidden  = 512
)

// weightGradients times the gradient of a bank, cut for 1, 2, 4 and 8 tasks: the arithmetic is the same, the destinations are more.
func weightGradients(be *kernels.Backend, operand source) (jobs []*job) {
	for _, rows := range []int{128, 256, 512, 1024} {
		x, dy := operand(experts*rows, width), operand(experts*rows, hidden)
		for _, tasks := range []int{1, 2, 4, 8} {
			segs := tensor.New(dtype.I32, experts*tasks, kernels.SegCols)
			for i := 0; i < experts*tasks; i++ {
				e, t, n := i/tasks, i%tasks, rows/tasks
				copy(segs.At(i).I32(), []int32{int32(e), int32(t), int32(i * n), int32(i * n), int32(n)})
			}
			dst, touched := tensor.New(dtype.F32, experts, tasks, width, hidden), tensor.New(dtype.I32, experts, tasks)
			g := kernels.GradW{X: x, DY: dy, Segs: segs, Dst: dst, Touched: touched}
			jobs = append(jobs, &job{
				group: "gradw", name: fmt.Sprintf("%d rows per expert, %d tasks", rows, tasks), flops: 2 * float64(experts*rows*width*hidden),
				run: func() {
					clear(touched.I32())
					be.GradW(g)
				},
			})
		}
	}
	return jobs
}

// grouped times the products of a bank over rows sorted by expert, of which one has none and one twice as many.
func grouped(be *kernels.Backend, operand source) (jobs []*job) {
	for _, rows := range []int{16, 64, 256} {
		off, total := []int32{0}, 0
		for e := 0; e < experts; e++ {
			n := rows
			switch e {
			case 3:
				n = 0
			case 5:
				n = 2 * rows
			}
			total += n
			off = append(off, int32(total))
		}
		a, b, c := operand(total, width), operand(experts, width, hidden), tensor.New(dtype.F32, total, hidden)
		index := make([]int32, total)
		for i := range index {
			index[i] = int32((i * 7919) % total)
		}
		flops := 2 * float64(total*width*hidden)
		g := kernels.GroupedGEMM{A: a, B: b, C: c, Off: tensor.FromI32(off, len(off))}
		jobs = append(jobs, &job{group: "grouped", name: fmt.Sprintf("%d rows per expert", rows), flops: flops, run: func() { be.GroupedGEMM(g) }})
		h := g
		h.Index = tensor.FromI32(index, total)
		jobs = append(jobs, &job{group: "grouped", name: fmt.Sprintf("%d rows per expert, gathered", rows), flops: flops, run: func() { be.GroupedGEMM(h) }})
		back := kernels.GroupedGEMM{A: operand(total, hidden), B: b.Swap(1, 2), C: tensor.New(dtype.F32, total, width), Off: g.Off}
		jobs = append(jobs, &job{group: "grouped", name: fmt.Sprintf("%d rows per expert, back", rows), flops: flops, run: func() { be.GroupedGEMM(back) }})
	}
	return jobs
}
