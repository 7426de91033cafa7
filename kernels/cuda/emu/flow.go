package emu

import "artel/kernels/cuda/emu/ptx"

// joins returns for every instruction that branches where its lanes meet again: the first instruction of the immediate post-dominator of its
// basic block, or len(code), the exit. (Cooper, Harvey, Kennedy, "A simple, fast dominance algorithm", 2001, on the reversed graph.)
func joins(code []ptx.Inst) []int32 {
	n := len(code)
	leader := make([]bool, n+1)
	leader[0], leader[n] = true, true
	for i := range code {
		if ends(&code[i]) {
			leader[i+1] = true
			if t, ok := target(&code[i]); ok {
				leader[t] = true
			}
		}
	}
	block := make([]int, n+1) // of an instruction
	var starts []int
	for i := range leader {
		if leader[i] {
			starts = append(starts, i)
		}
		block[i] = len(starts) - 1
	}
	exit := len(starts) - 1 // the block at n, empty
	succ := make([][]int, exit+1)
	pred := make([][]int, exit+1)
	for b := range exit {
		last := &code[starts[b+1]-1]
		t, jumps := target(last)
		if jumps {
			succ[b] = append(succ[b], block[t])
		}
		if leaves(last) {
			succ[b] = append(succ[b], exit)
		}
		if !ends(last) || last.Guard >= 0 {
			succ[b] = append(succ[b], b+1)
		}
		for _, s := range succ[b] {
			pred[s] = append(pred[s], b)
		}
	}
	idom := postDominators(succ, pred, exit)
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(n)
		if d := idom[block[i]]; d >= 0 {
			out[i] = int32(starts[d])
		}
	}
	return out
}

// postDominators returns the immediate post-dominator of each block, -1 for the exit and for blocks that never reach it.
func postDominators(succ, pred [][]int, exit int) []int {
	order := make([]int, len(succ)) // post-order number on the reversed graph
	for i := range order {
		order[i] = -1
	}
	var list []int
	type frame struct{ b, next int }
	stack := []frame{{exit, 0}}
	seen := make([]bool, len(succ))
	seen[exit] = true
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		if f.next < len(pred[f.b]) {
			p := pred[f.b][f.next]
			f.next++
			if !seen[p] {
				seen[p] = true
				stack = append(stack, frame{p, 0})
			}
			continue
		}
		order[f.b] = len(list)
		list = append(list, f.b)
		stack = stack[:len(stack)-1]
	}
	idom := make([]int, len(succ))
	for i := range idom {
		idom[i] = -1
	}
	idom[exit] = exit
	for changed := true; changed; {
		changed = false
		for i := len(list) - 2; i >= 0; i-- {
			b, d := list[i], -1
			for _, s := range succ[b] {
				if idom[s] < 0 {
					continue
				}
				if d < 0 {
					d = s
					continue
				}
				for x := s; x != d; {
					if order[x] < order[d] {
						x = idom[x]
					} else {
						d = idom[d]
					}
				}
			}
			if d != idom[b] {
				idom[b], changed = d, true
			}
		}
	}
	idom[exit] = -1
	return idom
}

func target(in *ptx.Inst) (int, bool) {
	if in.Op == "bra" && len(in.Args) == 1 && in.Args[0].Kind == ptx.KLabel {
		return in.Args[0].Target, true
	}
	return 0, false
}

func leaves(in *ptx.Inst) bool { return in.Op == "ret" || in.Op == "exit" || in.Op == "trap" }

func ends(in *ptx.Inst) bool { return in.Op == "bra" || leaves(in) }
