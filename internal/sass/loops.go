package sass

import "slices"

// Loop is the main loop of a kernel.
type Loop struct {
	Kernel       string
	Instructions int
	Tensor       int // of these, tensor-core instructions
}

// block is a run of instructions that is entered at its first and left at its last one.
type block struct {
	first, end   int
	next, before []int
}

// MainLoops returns the main loop of every kernel of a listing that has tensor-core instructions in a loop, in the order of the listing.
func MainLoops(listing string) []Loop {
	var out []Loop
	for _, c := range parse(listing) {
		if l, ok := c.mainLoop(); ok {
			out = append(out, l)
		}
	}
	return out
}

// blocks cuts the code at labels and after branches. Block 0 is the entry; calls are taken to come back.
func (c *code) blocks() []block {
	starts := map[int]bool{0: true, len(c.list): true}
	for _, at := range c.labels {
		starts[at] = true
	}
	for i := range c.list {
		if in := &c.list[i]; in.target != "" || in.ends() {
			starts[i+1] = true
		}
	}
	var edges []int
	for at := range starts {
		edges = append(edges, at)
	}
	slices.Sort(edges)
	at := map[int]int{}
	var out []block
	for i := 0; i+1 < len(edges); i++ {
		at[edges[i]] = len(out)
		out = append(out, block{first: edges[i], end: edges[i+1]})
	}
	for i := range out {
		last := &c.list[out[i].end-1]
		if t, ok := c.labels[last.target]; ok && t < len(c.list) {
			out[i].next = append(out[i].next, at[t])
		}
		if !last.ends() && i+1 < len(out) {
			out[i].next = append(out[i].next, i+1)
		}
		for _, n := range out[i].next {
			out[n].before = append(out[n].before, i)
		}
	}
	return out
}

// mainLoop picks among the natural loops with tensor-core instructions that hold no other such loop.
func (c *code) mainLoop() (best Loop, ok bool) {
	if !slices.ContainsFunc(c.list, func(i instruction) bool { return i.tensor() }) {
		return best, false
	}
	blocks := c.blocks()
	var loops []map[int]bool
	for _, body := range bodies(blocks) {
		if _, tensor := c.count(blocks, body); tensor > 0 {
			loops = append(loops, body)
		}
	}
	for i, body := range loops {
		inner := true
		for j, other := range loops {
			inner = inner && (i == j || len(other) >= len(body) || !within(other, body))
		}
		if n, tensor := c.count(blocks, body); inner && (tensor > best.Tensor || tensor == best.Tensor && n < best.Instructions) {
			best, ok = Loop{c.name, n, tensor}, true
		}
	}
	return best, ok
}

func within(a, b map[int]bool) bool {
	for k := range a {
		if !b[k] {
			return false
		}
	}
	return true
}

func (c *code) count(blocks []block, body map[int]bool) (n, tensor int) {
	for b := range body {
		for i := blocks[b].first; i < blocks[b].end; i++ {
			n++
			if c.list[i].tensor() {
				tensor++
			}
		}
	}
	return n, tensor
}

// bodies returns the blocks of each natural loop; loops with one header are one loop.
func bodies(blocks []block) map[int]map[int]bool {
	dom := dominators(blocks)
	out := map[int]map[int]bool{}
	for b := range blocks {
		for _, head := range blocks[b].next {
			if dom[b] < 0 || !dominates(dom, head, b) {
				continue // no way back, or unreachable
			}
			body := out[head]
			if body == nil {
				body = map[int]bool{head: true}
				out[head] = body
			}
			work := []int{b}
			for len(work) > 0 {
				x := work[len(work)-1]
				work = work[:len(work)-1]
				if !body[x] {
					body[x] = true
					work = append(work, blocks[x].before...)
				}
			}
		}
	}
	return out
}

// dominators gives for every block the nearest block that every way to it passes, itself for the entry and -1 for unreachable ones (Cooper, Harvey, Kennedy 2001).
func dominators(blocks []block) []int {
	var order []int // in post-order
	number := make([]int, len(blocks))
	seen := make([]bool, len(blocks))
	var visit func(b int)
	visit = func(b int) {
		seen[b] = true
		for _, n := range blocks[b].next {
			if !seen[n] {
				visit(n)
			}
		}
		number[b] = len(order)
		order = append(order, b)
	}
	visit(0)
	dom := make([]int, len(blocks))
	for i := range dom {
		dom[i] = -1
	}
	dom[0] = 0
	for changed := true; changed; {
		changed = false
		for i := len(order) - 2; i >= 0; i-- {
			b, found := order[i], -1
			for _, p := range blocks[b].before {
				if dom[p] < 0 {
					continue
				}
				if found < 0 {
					found = p
					continue
				}
				for x := p; x != found; {
					if number[x] < number[found] {
						x = dom[x]
					} else {
						found = dom[found]
					}
				}
			}
			if dom[b] != found {
				dom[b], changed = found, true
			}
		}
	}
	return dom
}

// dominates reports whether every way to b passes a.
func dominates(dom []int, a, b int) bool {
	for b != a {
		if b == 0 {
			return false
		}
		b = dom[b]
	}
	return true
}
