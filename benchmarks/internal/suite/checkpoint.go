package suite

import "artel/benchmarks/internal/bench"

// checkpointPeers write and read the same gigabyte.
var checkpointPeers = []struct{ name, system, way string }{
	{"safetensors (Python)", "safetensors", "safetensors"},
	{"torch.save, torch.load", "PyTorch", "torch"},
	{"plain write or read: the disk", "disk", "plain"},
}

// Checkpoint is one gigabyte to the disk that dir is on, and back, cold and warm.
func (t *Tools) Checkpoint(dir string, reps int) (groups []Group, err error) {
	for _, what := range []string{"save", "load cold", "load warm"} {
		ours, err := t.own("checkpoint", "Artel", map[string]any{"what": what, "dir": dir})
		if err != nil {
			return nil, err
		}
		g := Group{Part: "checkpoint", Title: what + ", 1 GB", Cases: []bench.Case{ours}, Plan: bench.Plan{Reps: reps, Burst: 1}}
		for _, p := range checkpointPeers {
			if t.Peers() {
				g.Cases = append(g.Cases, t.peer("checkpoint.py", p.name, p.system, map[string]any{"what": what, "dir": dir, "way": p.way, "warm": 1}))
			}
		}
		groups = append(groups, g)
	}
	return groups, nil
}
