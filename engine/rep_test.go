package engine_test

import (
	"math"
	"testing"

	"artel/engine"
	"artel/rng"
)

// TestRepGradient: what two shifted passes give is the gradient of the losses on task gradients, with respect to all parameters above and below the activation.
func TestRepGradient(t *testing.T) {
	blocks := "model.blocks=[{mlp: {hidden: 8, gate: gelu}}, {mlp: {hidden: 8, gate: gelu}}]"
	for name, args := range map[string][]string{
		"below a block": {"surgery.at=blocks.0", blocks},
		"at the heads":  {"surgery.at=final", blocks},
		"contrast":      {"surgery.at=blocks.0", blocks, "surgery.method.entropy=0"},
		"entropy":       {"surgery.at=blocks.0", blocks, "surgery.method.align=0"},
		"two domains":   {"surgery.at=blocks.0", blocks, "data.domains=[{source: multifashion, rows: shared}, {source: wordnet, rows: shared}]"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, append([]string{"device=ref", "model.dropout=0", "surgery.method.name=rep_mtl", "surgery.method.step=1e-5", "surgery.method.window=5"}, args...)...)
			steps(t, e, 1)
			grad, h := engine.RepGradient(t, e)
			p := e.Set.Flat.F64()
			start := append([]float64(nil), p...)
			for n := range uint64(3) {
				s := rng.New(n)
				dir, slope := make([]float64, len(p)), 0.0
				for i := range dir {
					dir[i] = s.Normal()
					slope += dir[i] * grad[i]
				}
				at := func(step float64) float64 {
					for i := range p {
						p[i] = start[i] + step*dir[i]
					}
					return h()
				}
				const step = 1e-6
				want := (at(step) - at(-step)) / (2 * step)
				copy(p, start)
				if math.Abs(slope-want) > 1e-4*math.Abs(want)+1e-7 {
					t.Errorf("slope %v, by differences of the losses %v", slope, want)
				}
			}
		})
	}
}

// TestRepMTL: the losses on task gradients go down when they are trained for, and training goes on beside them.
func TestRepMTL(t *testing.T) {
	run := func(weights string) (rep, loss float64) {
		e := newEngine(t, "batch=96", "surgery.at=final", "surgery.method={name: rep_mtl, "+weights+"}", "model.blocks=[{mlp: {hidden: 16}}]", "optimizer.lr=3e-3")
		steps(t, e, 150)
		for range 20 {
			steps(t, e, 1)
			for _, l := range engine.Losses(e) {
				loss += l / 20
			}
			rep += engine.RepLoss(e) / 20
		}
		return rep, loss
	}
	with, loss := run("entropy: 0.3, align: 0.3")
	without, plain := run("entropy: 1e-6, align: 1e-6")
	with, without = with/0.3, without/1e-6
	if !(with < without-0.02) {
		t.Errorf("entropy and contrast %v when trained for, %v when not", with, without)
	}
	if loss > 1.3*plain {
		t.Errorf("losses %v with, %v without", loss, plain)
	}
}
