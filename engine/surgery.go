package engine

import (
	"strconv"
	"strings"

	"artel/autograd"
	"artel/data"
	"artel/gradsurgery"
	"artel/param"
	"artel/rng"

	"github.com/pkg/errors"
)

// newSurgery builds the methods, and the destinations of gradients that they need.
func (e *Engine) newSurgery(cfg *Config, seed rng.Stream) error {
	c := &cfg.Surgery
	if err := c.check(e.Set); err != nil {
		return err
	}
	own := c.Aux == "own-row"
	rows := len(e.tasks)
	if own {
		rows++
	}
	probe, err := gradsurgery.Build(&c.Method, rows, 1)
	if err != nil {
		return err
	}
	if probe.Needs.Saliency != nil && c.At == "" {
		return errors.Errorf("surgery.at: %s works at an activation that tasks share; want one of %s", probe.Entry.Name, strings.Join(e.Model.Activations(), ", "))
	}
	reach, err := e.reach(own, cfg.Batch)
	if err != nil {
		return err
	}
	if c.Sparse < 1 {
		e.mask = newMask(e.be, e.Set, reach, c.Sparse)
	}
	if probe.Needs.Level == gradsurgery.Losses {
		// Weights come before the backward pass: one plain pass, one row.
		if err := c.plainOnly(probe.Entry.Name); err != nil {
			return err
		}
		e.methods, e.sinks = []*gradsurgery.Surgery{probe}, []*param.Sink{param.NewPlain(e.be, e.Set)}
		e.method, e.sink = probe, e.sinks[0]
		e.surgeon = newSurgeon(e.be, e.sinks, nil, e.Set.Groups, seed)
		return nil
	}
	if c.At != "" {
		return e.newAt(cfg, probe, rows, seed)
	}
	units, plain := c.sortGroups(e.Set, reach)
	if err := e.buildMethods(c, units, rows); err != nil {
		return err
	}
	hold, faster := e.holdable(reach, rows)
	if err := e.be.Require("CellGram"); err != nil {
		if c.Memory == "operands" {
			return errors.Wrap(err, "surgery.memory: operands")
		}
		faster = false
	}
	if err := c.resolveMemory(e.methods, cfg.Accumulate, e.rowBytes(reach, rows), hold != nil, faster); err != nil {
		return err
	}
	if c.Memory == "operands" {
		e.held = e.newOperands(hold)
	}
	for range e.method.Needs.Batches {
		s, err := e.newRows(c, rows, reach)
		if err != nil {
			return err
		}
		e.sinks = append(e.sinks, s)
	}
	e.sink = e.sinks[len(e.sinks)-1]
	e.surgeon = newSurgeon(e.be, e.sinks, units, plain, seed)
	e.blend = newBlend(e, cfg, reach)
	return nil
}

// plainOnly refuses options that mean nothing to a method that reads losses.
func (c *Surgery) plainOnly(name string) error {
	switch {
	case len(c.Rules) > 0:
		return errors.Errorf("surgery.rules: the method %s reads losses only, and weighs all parameters alike", name)
	case c.Every > 1:
		return errors.Errorf("surgery.every: the method %s reads losses only; it chooses weights in every step", name)
	case c.At != "":
		return errors.Errorf("surgery.at: the method %s reads losses only; there are no task gradients to take", name)
	case c.Memory == "gram":
		return errors.Errorf("surgery.memory: the method %s reads losses only; there are no task gradients to keep", name)
	}
	c.Memory = "rows"
	return nil
}

// buildMethods builds the run's method and those of its rules, each for as many units as it has.
func (e *Engine) buildMethods(c *Surgery, units []unit, rows int) error {
	for rule := -1; rule < len(c.Rules); rule++ {
		member, key, n := &c.Method, "surgery", 0
		if rule >= 0 {
			member, key = &c.Rules[rule].Method, "surgery.rules."+strconv.Itoa(rule)
		}
		for i := range units {
			if units[i].rule == rule {
				n++
			}
		}
		if rule >= 0 && n == 0 {
			return errors.Errorf("%s: it matches no parameters that several tasks share", key)
		}
		m, err := gradsurgery.Build(member, rows, max(1, n))
		if err != nil {
			return errors.Wrap(err, key)
		}
		if needs := m.Needs; rule >= 0 && (needs.Batches > 1 || needs.AfterStep) {
			return errors.Errorf("%s: %s needs several batches or a look at the losses after the step; it can only be the method of a whole run", key, m.Entry.Name)
		}
		if m.Needs.Level == gradsurgery.Losses && n > 1 {
			return errors.Errorf("%s: %s reads losses only, which are the same everywhere; want groups: global", key, m.Entry.Name)
		}
		if n := m.Needs; c.Every > 1 && (n.Level == gradsurgery.TaskGradients || n.Batches > 1 || n.Track || n.Squares || n.AfterStep) {
			return errors.Errorf("surgery.every: %s has to see every step", m.Entry.Name)
		}
		for i := range units {
			if units[i].rule == rule {
				units[i].method = m
			}
		}
		e.methods = append(e.methods, m)
	}
	e.method = e.methods[0]
	return nil
}

// rowLimit is the most memory that task gradients take where surgery.memory is auto.
const rowLimit = 4 << 30

// rowBytes is the memory that kept task gradients take.
func (e *Engine) rowBytes(reach []uint64, rows int) int64 {
	n := 0
	for i, g := range e.Set.Groups {
		if param.Several(reach[i]) {
			n += g.Len
		}
	}
	return int64(n) * int64(rows) * int64(e.be.Float.Size())
}

// resolveMemory turns auto into what the run will do, once and for all, and refuses what cannot be.
func (c *Surgery) resolveMemory(methods []*gradsurgery.Surgery, accumulate int, bytes int64, holdable, faster bool) error {
	why := ""
	for _, m := range methods {
		switch n := m.Needs; {
		case n.Level == gradsurgery.TaskGradients:
			why = m.Entry.Name + " reads every coordinate of the task gradients"
		case n.Track || n.Squares:
			why = m.Entry.Name + " remembers task gradients"
		case n.Batches > 1:
			why = m.Entry.Name + " compares independent batches"
		case accumulate > 1:
			why = "accumulate adds task gradients up over several passes"
		}
	}
	switch {
	case why != "" && (c.Memory == "gram" || c.Memory == "operands"):
		return errors.Errorf("surgery.memory: %s: %s; want rows", c.Memory, why)
	case c.Memory == "operands" && c.Sparse < 1:
		return errors.New("surgery.memory: operands: sparse training masks task gradients, which are never made there; want rows or gram")
	case c.Memory == "operands" && !holdable:
		return errors.New("surgery.memory: operands: no mixture has rows of which each belongs to one task; want rows or gram")
	case c.Memory != "auto":
	case why == "" && c.Sparse == 1 && holdable && faster:
		c.Memory = "operands"
	case why == "" && bytes > rowLimit:
		c.Memory = "gram"
	default:
		c.Memory = "rows"
	}
	return nil
}

// newRows makes the destination of task gradients.
func (e *Engine) newRows(c *Surgery, rows int, reach []uint64) (*param.Sink, error) {
	if c.Memory == "gram" {
		return param.NewStreaming(e.be, e.Set, rows, reach, e.drain)
	}
	if e.held != nil {
		return param.NewHolding(e.be, e.Set, rows, reach, e.held.hold, e.held.keep)
	}
	return param.NewPerTask(e.be, e.Set, rows, reach)
}

// reach finds which tasks depend on which groups of parameters, from a look at a few rows of every domain.
func (e *Engine) reach(own bool, batch int) ([]uint64, error) {
	out := make([]uint64, len(e.Set.Groups))
	var err error
	data.Sample(e.mixture, 4, func(b *data.Batch) {
		e.tape.Begin(autograd.PerTask, own)
		if e.at != nil {
			e.at.prepare(e.tape)
		}
		h := e.forward(b)
		for i := range b.Segments {
			e.recordLoss(h, &b.Segments[i], 1)
		}
		if err == nil {
			err = e.tape.Err()
		}
		e.look(b.Rows, batch)
		for g, r := range e.tape.Reach(e.Set) {
			out[g] |= r
		}
	})
	return out, err
}
