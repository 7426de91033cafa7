package param

import (
	"fmt"

	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// Sink is where a backward pass puts parameter gradients.
//
// A plain Sink has one row for all tasks: the gradient of the sum of the losses. A per-task Sink has one row per task for
// every group that more than one task reaches; groups of a single task have one row there too. Nothing has to be zeroed:
// flags tell which destinations hold a gradient, the first write of a step overwrites.
type Sink struct {
	Set   *Set
	Tasks int           // rows per shared group, 1 for a plain sink
	Grad  tensor.Tensor // [P]: plain gradients, gradients of single-task groups, and room for the combined gradient
	Jac   tensor.Tensor // [M,PJ]: task gradients of the shared groups, none for a plain sink

	Cols    int           // columns of the task gradients of all shared groups, whether Jac keeps them or not
	jacOff  []int         // by group: first column in Jac, or -1 when the group's gradient goes to Grad
	touched tensor.Tensor // I32 [params, Tasks]: whether (parameter, task) holds a gradient
	places  places
	whole   places     // of all of Grad, in a streaming sink
	stream  *stream    // short-lived rows instead of Jac, or nil
	hold    []bool     // by group: gradients that stay operands; or nil
	keep    func(Held) // takes these
}

// NewPlain returns a sink that sums all tasks.
func NewPlain(be *kernels.Backend, s *Set) *Sink {
	return NewPlainInto(be, s, be.New(be.Float, s.Flat.Len()))
}

// NewPlainInto is NewPlain with memory that the caller owns, grad [P].
func NewPlainInto(be *kernels.Backend, s *Set, grad tensor.Tensor) *Sink {
	return NewPlainOf(be, s, grad, nil)
}

// NewPlainOf is NewPlainInto that settles some groups only: those with of, or all for nil.
func NewPlainOf(be *kernels.Backend, s *Set, grad tensor.Tensor, of []bool) *Sink {
	k := &Sink{Set: s, Tasks: 1, Grad: grad, jacOff: make([]int, len(s.Groups))}
	for i := range k.jacOff {
		k.jacOff[i] = -1
	}
	k.touched = be.NewShared(dtype.I32, len(s.Params), 1)
	k.places = newPlaces(be, s, func(p *Param) (column, offset int) {
		if of != nil && !of[p.Group.Index] {
			return -1, -1
		}
		return -1, p.Off
	})
	return k
}

// NewPerTask returns a sink with one row per task for the groups that several tasks reach. reach[g] is the set of tasks
// (bit t for task t) that reach group g, as found by autograd.Tape.Reach.
func NewPerTask(be *kernels.Backend, s *Set, tasks int, reach []uint64) (*Sink, error) {
	k, err := newSink(be, s, tasks, reach, nil)
	if err != nil {
		return nil, err
	}
	k.Jac = be.New(be.Float, tasks, k.Cols)
	k.places = newPlaces(be, s, k.place)
	return k, nil
}

// newSink makes a per-task sink without rows, for which Cols columns are needed.
func newSink(be *kernels.Backend, s *Set, tasks int, reach []uint64, hold []bool) (k *Sink, err error) {
	if len(reach) != len(s.Groups) {
		return nil, fmt.Errorf("param: reach of %d groups, want %d", len(reach), len(s.Groups))
	}
	k = &Sink{Set: s, Tasks: tasks, Grad: be.New(be.Float, s.Flat.Len()), jacOff: make([]int, len(s.Groups)), hold: hold}
	for i, g := range s.Groups {
		k.jacOff[i] = -1
		if Several(reach[i]) && !k.Holds(g) {
			k.jacOff[i] = k.Cols
			k.Cols += g.Len
		}
	}
	k.touched = be.NewShared(dtype.I32, len(s.Params), tasks)
	return k, nil
}

// MaxTasks is the largest number of rows that a sink can have.
const MaxTasks = 64

// Several reports whether a set of tasks has more than one member: such a group has one row per task.
func Several(reach uint64) bool { return reach&(reach-1) != 0 }

// PerTask reports whether group g has a gradient per task: a row each, or operands.
func (k *Sink) PerTask(g *Group) bool { return k.jacOff[g.Index] >= 0 || k.Holds(g) }

// Begin forgets the gradients of the last step.
func (k *Sink) Begin(be *kernels.Backend) {
	be.Fill(k.touched, 0)
	if s := k.stream; s != nil {
		clear(s.left)
		s.lent, s.used = s.lent[:0], 0
	}
}

// Rows returns the destination of p's gradient as [1,M,shape...] and its flags as I32 [1,M] for M tasks. Where all
// tasks share one row the stride along M is 0.
func (k *Sink) Rows(p *Param) (dst, touched tensor.Tensor) {
	return k.rows(p, 1, 0, 0)
}

// BankRows is Rows for a bank: [E,M,rows,cols] and [E,M].
func (k *Sink) BankRows(b *Bank) (dst, touched tensor.Tensor) {
	e := len(b.Experts)
	flags := 0
	if e > 1 {
		flags = b.Experts[1].Index - b.Experts[0].Index
	}
	return k.rows(b.Experts[0], e, b.distance(), flags)
}

// rows describes e destinations that start dist elements (and flagDist parameters) apart.
func (k *Sink) rows(p *Param, e, dist, flagDist int) (dst, touched tensor.Tensor) {
	m := k.Tasks
	base, taskStride, flagStride := k.Grad.Narrow(0, p.Off, p.Len()), 0, 0
	if off := k.jacOff[p.Group.Index]; off >= 0 && k.stream != nil {
		l := k.lend(p, e, flagDist)
		base, dist = l.rows.At(0).Narrow(0, 0, p.Len()), l.pitch
		taskStride, flagStride = l.rows.Stride(0), 1
	} else if off >= 0 {
		base = k.Jac.At(0).Narrow(0, off+p.Off-p.Group.Off, p.Len())
		taskStride, flagStride = k.Jac.Stride(0), 1
	}
	shape, stride := [4]int{e, m}, [4]int{dist, taskStride}
	n := copy(shape[2:], p.shape)
	for i, s := n-1, 1; i >= 0; i-- {
		stride[2+i] = s
		s *= p.shape[i]
	}
	dst = base.Strided(shape[:2+n], stride[:2+n])
	flags := k.touched.At(p.Index).Strided([]int{e, m}, []int{flagDist * k.Tasks, flagStride})
	return dst, flags
}

// GroupRows returns the rows of a per-task group, [M,Len]. It panics for others.
func (k *Sink) GroupRows(g *Group) tensor.Tensor { return k.GroupOf(k.Jac, g) }

// GroupOf returns the columns of a per-task group in a matrix that is laid out like Jac, [M,Len]. It panics for other groups.
func (k *Sink) GroupOf(rows tensor.Tensor, g *Group) tensor.Tensor {
	return rows.Narrow(1, k.jacOff[g.Index], g.Len)
}

// GroupGrad returns the group's slice of Grad, [Len].
func (k *Sink) GroupGrad(g *Group) tensor.Tensor { return k.Grad.Narrow(0, g.Off, g.Len) }
