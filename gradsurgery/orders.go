package gradsurgery

import "github.com/pkg/errors"

// orders says in which order each task meets the others.
type orders struct {
	kind  string
	self  bool    // the task itself is in its order
	given [][]int // kind given: per task, all ids
	ids   []int   // [tasks] the order of one row, over all ids
	pos   []int   // [tasks] index among the present tasks, or -1
	out   []int   // [m-1], or [m] with self
}

// newOrders checks an order option: random, index, or given with one permutation of the task ids per task.
func newOrders(kind string, given [][]int, self bool, tasks int) (*orders, error) {
	if err := oneOf("order", kind, "random", "index", "given"); err != nil {
		return nil, err
	}
	if kind != "given" {
		if len(given) > 0 {
			return nil, errors.Errorf("given is set, but order is %q", kind)
		}
	} else if err := checkOrders(given, tasks); err != nil {
		return nil, err
	}
	return &orders{kind: kind, self: self, given: given, ids: make([]int, tasks), pos: make([]int, tasks), out: make([]int, 0, tasks)}, nil
}

// begin notes who is present; it must precede row in every Weights call.
func (o *orders) begin(in *Input) {
	for k := range o.pos {
		o.pos[k] = -1
	}
	for i, id := range in.Tasks {
		o.pos[id] = i
	}
}

// row returns the present tasks other than i (all, with self), as indices 0..m-1, in the order in which task i meets them; valid until the next
// call. A random order is drawn over all tasks, so the order of the present ones does not depend on who else is present.
func (o *orders) row(in *Input, i int) []int {
	ids := o.ids
	switch o.kind {
	case "given":
		ids = o.given[in.Tasks[i]]
	case "random":
		s := in.RNG.Sub("row", uint64(in.Tasks[i]))
		s.Perm(ids)
	default:
		for k := range ids {
			ids[k] = k
		}
	}
	o.out = o.out[:0]
	for _, id := range ids {
		if j := o.pos[id]; j >= 0 && (j != i || o.self) {
			o.out = append(o.out, j)
		}
	}
	return o.out
}

// checkOrders makes sure that given holds one order per task with every other task once; the task itself may be listed.
func checkOrders(given [][]int, tasks int) error {
	if len(given) != tasks {
		return errors.Errorf("given has %d orders, want %d, one per task", len(given), tasks)
	}
	for i, order := range given {
		seen := make([]bool, tasks)
		for _, j := range order {
			if j < 0 || j >= tasks || seen[j] {
				return errors.Errorf("given[%d] is %v, want each of the ids 0..%d at most once", i, order, tasks-1)
			}
			seen[j] = true
		}
		seen[i] = true
		for j, ok := range seen {
			if !ok {
				return errors.Errorf("given[%d] is %v, which lacks task %d", i, order, j)
			}
		}
	}
	return nil
}
