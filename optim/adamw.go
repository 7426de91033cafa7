package optim

func init() {
	Register(Entry{
		Name: "adamw", Ref: "Loshchilov & Hutter 2019 (arXiv 1711.05101), algorithm 2; order of torch.optim.AdamW", Doc: "p *= 1 - lr*decay; " + adamDoc,
		Ops: []string{"Adam"}, Golden: []string{"adamw"},
		Config: newAdamConfig, New: func(cfg any) (Rule, error) { return newAdam(cfg, true) },
	})
}
