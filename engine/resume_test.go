package engine_test

import (
	"runtime"
	"testing"

	"artel/data"
	"artel/gradsurgery"
	"artel/kernels/cpu"
	"artel/moe"
	"artel/optim"
)

// variants are all registered members, each once against the defaults, as config arguments.
func variants() map[string][]string {
	v := map[string][]string{
		"defaults":              nil,
		"average":               {"ema=0.9"},
		"accumulate":            {"accumulate=4"},
		"accumulate, losses":    {"accumulate=3", "surgery.method=uncertainty"},
		"auxiliary row":         {"surgery.aux=own-row"},
		"units by layer":        {"surgery.groups=layer"},
		"units by expert":       {"surgery.groups=expert", "surgery.method=gradvac"},
		"gradnorm, last layer":  {"surgery.method=gradnorm", "surgery.method.layers=last"},
		"m_config, rotating":    {"surgery.method=m_config", "surgery.method.rotate=true", "surgery.groups=layer"},
		"cr_mogm of gradvac":    {"surgery.method={name: cr_mogm, base: gradvac}", "surgery.groups=layer"},
		"famo, accumulate":      {"surgery.method=famo", "accumulate=3"},
		"cr_mogm of famo":       {"surgery.method={name: cr_mogm, base: famo}", "ema=0.9"},
		"inner products only":   {"surgery.memory=gram", "surgery.groups=layer"},
		"operands":              {"surgery.memory=operands", "data.domains.0.rows=owned", "surgery.groups=layer"},
		"weights used again":    {"surgery.every=4", "surgery.method=upgrad"},
		"used again, by expert": {"surgery.every=4", "surgery.groups=expert"},
		"mgda at a block":       {"surgery.at=blocks.0", "surgery.method=mgda"},
		"graddrop at a block":   {"surgery.at=inputs", "surgery.method=graddrop"},
		"alignment":             {"model.blocks=[{mlp: {hidden: 8}}, {expand: {}}, {align: {}}, {mlp: {hidden: 8}}]"},
		"rotograd":              {"surgery.method={name: rotograd, burn_in: 3}", "surgery.at=blocks.0", "model.blocks=[{mlp: {hidden: 8}}, {expand: {}}, {rotate: {}}, {mlp: {hidden: 8}}]"},
		"sparse training":       {"surgery.sparse=0.3"},
		"rules":                 {"surgery.rules=[{kinds: [expert], method: graddrop}, {kinds: [router], method: gradvac, groups: layer}]"},
		"excluded routers":      {"surgery.exclude=[router]"},
		"owned rows":            {"data.domains.0.rows=owned"},
		"no prefetch":           {"data.prefetch=0"},
		"capacity":              {"model.blocks.0.moe.capacity=1"},
		"auxiliary router-only": {"model.blocks.0.moe.aux_path=router-only"},
		"layer norm":            {"model.norm=layernorm"},
	}
	for _, e := range gradsurgery.Entries() {
		v["surgery "+e.Name] = []string{"surgery.method=" + e.Name}
		if e.Name == "rep_mtl" { // works at an activation alone
			v["surgery "+e.Name] = []string{"surgery.method=rep_mtl", "surgery.at=final", "model.blocks=[{moe: {experts: 4, hidden: 8}}]"}
		}
	}
	for _, e := range optim.Entries() {
		v["optimizer "+e.Name] = []string{"optimizer.rule=" + e.Name}
	}
	for _, e := range optim.Schedules() {
		v["schedule "+e.Name] = []string{"optimizer.schedule=" + e.Name}
	}
	for _, e := range moe.Entries() {
		v["router "+e.Name] = []string{"model.blocks.2.moe.router=" + e.Name}
	}
	for _, e := range data.Samplers() {
		v["sampler "+e.Name] = []string{"data.sampler=" + e.Name, "data.domains.0.rows=owned"}
	}
	return v
}

// TestResume checks that stopping after half of the steps and continuing from the checkpoint gives the bits of a run that never stopped.
func TestResume(t *testing.T) {
	for name, args := range variants() {
		t.Run(name, func(t *testing.T) {
			n := 10
			if testing.Short() {
				n = 3
			}
			whole := newEngine(t, args...)
			steps(t, whole, n)
			f := saveAndLoad(t, whole, args...)
			steps(t, whole, n)
			steps(t, f, n)
			sameBits(t, params(f), params(whole))
		})
	}
}

// TestWorkers checks that GOMAXPROCS, and with it the number of workers, does not change a bit, through a checkpoint too.
func TestWorkers(t *testing.T) {
	procs := runtime.GOMAXPROCS(0)
	defer func() {
		runtime.GOMAXPROCS(procs)
		cpu.SetWorkers(0)
	}()
	var want []float64
	for _, n := range []int{1, 2, 3, 8} {
		runtime.GOMAXPROCS(n)
		cpu.SetWorkers(0)
		e := newEngine(t)
		steps(t, e, 3)
		e = saveAndLoad(t, e)
		steps(t, e, 3)
		if want == nil {
			want = params(e)
			continue
		}
		sameBits(t, params(e), want)
	}
}
