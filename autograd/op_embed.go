package autograd

import (
	"artel/dtype"
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

type embed struct {
	y        *Var
	table    *param.Param
	ids, off tensor.Tensor
	mean     bool
}

var embedKind = NewKind[embed]("embed")

// Embed sums (or averages) the table rows of each row's bag of ids; without off every row has one id.
//
//	table [V,D]  ids I32 [L]  off I32 [N+1] or none  y [N,D]
func Embed(t *Tape, table *param.Param, ids, off tensor.Tensor, mean bool, s *Space) *Var {
	if t.err != nil {
		return t.Bad()
	}
	n := ids.Dim(0)
	if off.Ok() {
		n = off.Dim(0) - 1
	}
	if n != s.N || len(table.Shape()) != 2 {
		t.Failf("embed: %s: %d bags for %d rows", table.Name, n, s.N)
		return t.Bad()
	}
	op := embedKind.New(t)
	y := t.NewVar(t.New(s.N, table.Shape()[1]), s)
	*op = embed{y: y, table: table, ids: ids, off: off, mean: mean}
	t.be.Embed(kernels.Embed{Table: table.Value, IDs: ids, Off: off, Dst: y.Value, Mean: mean})
	return t.Record("embed", op, y, true)
}

func (o *embed) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	dst, touched := t.sink.Rows(o.table)
	t.be.EmbedGrad(kernels.EmbedGrad{IDs: o.ids, Off: o.off, DY: dy, Segs: o.y.Space.Segs, Dst: dst, Touched: touched, Mean: o.mean})
}

func (o *embed) Uses(visit func(*param.Param, uint64)) { visit(o.table, o.y.reach) }

// TaskTable puts a table with one row per task on the tape as M rows, row t owned by task t.
//
//	table [M,D]  y [M,D]
func TaskTable(t *Tape, table *param.Param) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if s := table.Shape(); len(s) != 2 || s[0] != t.tasks {
		t.Failf("task table: %s: shape %v, want one row for each of %d tasks", table.Name, s, t.tasks)
		return t.Bad()
	}
	s := t.spaces.next()
	s.N, s.Owned = t.tasks, true
	start := len(t.blocks)
	ids := t.NewShared(dtype.I32, t.tasks)
	for i := 0; i < t.tasks; i++ {
		t.blocks = append(t.blocks, Block{Task: i, Act0: i, N: 1, share: 1})
		ids.I32()[i] = int32(i)
	}
	s.Blocks = t.blocks[start:len(t.blocks):len(t.blocks)]
	t.layout(s)
	return Embed(t, table, ids, tensor.Tensor{}, false, s)
}

type addByTask struct{ x, table, y *Var }

var addByTaskKind = NewKind[addByTask]("add by task")

// AddByTask adds to every task-owned row the row of its task: y[i,:] = x[i,:] + table[task(i),:].
//
//	x [N,D] with owned rows  table [M,D] with rows by task, as from TaskTable
func AddByTask(t *Tape, x, table *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if !x.Space.Owned || table.Rows() != t.tasks || table.Cols() != x.Cols() {
		t.Failf("add by task: want task-owned rows (put 'expand' before this layer) and a table [%d,%d], got owned %v and %v", t.tasks, x.Cols(), x.Space.Owned, table.Value)
		return t.Bad()
	}
	op := addByTaskKind.New(t)
	y := t.NewVar(t.New(x.Rows(), x.Cols()), x.Space)
	*op = addByTask{x: x, table: table, y: y}
	t.be.AddByRow(kernels.AddByRow{Dst: y.Value, X: x.Value, Table: table.Value, Row: x.Space.Task})
	return t.Record("add by task", op, y, false, x, table)
}

func (o *addByTask) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	if dt, acc, ok := t.Into(o.table); ok {
		if !acc {
			t.be.Fill(dt, 0)
		}
		s, ts := o.x.Space, o.table.Space
		index := t.NewShared(dtype.I32, s.C)
		ix := index.I32()
		for _, b := range s.Blocks {
			for r := 0; r < b.N; r++ {
				ix[b.Cot0+r] = int32(ts.Blocks[b.Task].Cot0)
				if s.aux0 >= 0 {
					ix[s.aux0+b.Act0+r] = int32(ts.aux0 + b.Task)
				}
			}
		}
		t.be.ScatterRows(kernels.ScatterRows{Dst: dt, Src: dy, Index: index})
	}
	t.Give(o.x, dy)
}
