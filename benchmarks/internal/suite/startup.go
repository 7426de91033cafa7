package suite

import (
	"encoding/json"
	"os"
	"runtime"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/binary"
)

// Startup is processes from their start: to the first step of the benchmark's model and of the default one, and a default run of 300 steps for its memory.
func (t *Tools) Startup(reps int) (groups []Group, err error) {
	starter, err := t.Own("startup")
	if err != nil {
		return nil, err
	}
	step, err := t.Own("step")
	if err != nil {
		return nil, err
	}
	train, err := binary.Train(t.Dir)
	if err != nil {
		return nil, err
	}
	size, err := os.Stat(train)
	if err != nil {
		return nil, err
	}
	t.Binary = float64(size.Size()) / (1 << 20)
	process := func(name, system, until string, command ...string) bench.Case {
		return bench.Case{Name: name, System: system, Command: []string{starter}, Config: map[string]any{"command": command, "until": until}}
	}
	like := Group{Part: "startup", Title: "process start to the end of the first step, the model of the step benchmark, 4 tasks", Plan: bench.Plan{Reps: reps, Burst: 1}}
	like.Cases = []bench.Case{process("Artel", "Artel", "step 1", step, "-first-step", `{"tasks":4,"method":"sum","few":true}`)}
	if t.Peers() {
		for _, way := range []string{"sum", "torchjd"} {
			raw, _ := json.Marshal(map[string]any{"tasks": 4, "way": way, "threads": runtime.GOMAXPROCS(0)})
			name := map[string]string{"sum": "PyTorch", "torchjd": "TorchJD, PCGrad"}[way]
			like.Cases = append(like.Cases, process(name, name, "step 1", t.Python, t.script("train_step.py"), "-first-step", string(raw)))
		}
	}
	first := Group{Part: "startup", Title: "process start to the end of the first step, the default run of train", Plan: bench.Plan{Reps: reps, Burst: 1}}
	first.Cases = []bench.Case{process("Artel", "Artel", "step ", train, "out=OUT", "steps=1000", "log.every=1")}
	whole := Group{Part: "startup", Title: "300 steps of the default run, evaluation and checkpoint", Plan: bench.Plan{Reps: min(reps, 3), Burst: 1}}
	whole.Cases = []bench.Case{process("Artel", "Artel", "", train, "out=OUT", "steps=300")}
	return []Group{like, first, whole}, nil
}
