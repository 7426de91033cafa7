package engine

import (
	"encoding/json"
	"math"
	"strconv"

	"artel/checkpoint"
	"artel/config"
	"artel/data"
	"artel/gradsurgery"
	"artel/kernels"
	"artel/param"
	"artel/tensor"

	"github.com/pkg/errors"
)

// runState is what a checkpoint holds beside tensors. Numbers that must come back bit for bit are written as hexadecimal floats.
type runState struct {
	Step    int64          `json:"step"`
	Cursor  data.Cursor    `json:"cursor"`
	Surgery []surgeryArray `json:"surgery,omitempty"`
	Seconds float64        `json:"seconds"`
}

// surgeryArray is one named piece of a surgery method's memory.
type surgeryArray struct {
	Name string   `json:"name"`
	Data []string `json:"data"`
}

// Snapshot describes the whole state of the engine for checkpoint.Save: parameters under their names, optimizer slots and the average of the
// parameters as flat tensors, and the rest as JSON. It shares the engine's memory.
func (e *Engine) Snapshot(seconds float64, version string) (*checkpoint.Snapshot, error) {
	if err := e.Finish(); err != nil {
		return nil, err
	}
	st := runState{Step: e.step, Cursor: e.cursor, Seconds: seconds}
	for _, a := range e.surgeryState() {
		s := surgeryArray{Name: a.Name}
		for _, v := range a.Data {
			s.Data = append(s.Data, strconv.FormatFloat(v, 'x', -1, 64))
		}
		st.Surgery = append(st.Surgery, s)
	}
	raw, err := json.MarshalIndent(&st, "", "  ")
	if err != nil {
		return nil, err
	}
	text, err := config.Encode(&e.Config)
	if err != nil {
		return nil, err
	}
	return &checkpoint.Snapshot{
		Step: e.step, Model: e.download(e.modelTensors()), Optim: e.download(e.optimTensors()), State: raw,
		Metadata: map[string]string{"version": version, "config": string(text)},
	}, nil
}

// surgeryState lists what surgery remembers beside tensors: the state of the methods and, where they are used again, the weights of every unit. It is the
// live state.
func (e *Engine) surgeryState() []gradsurgery.Array {
	var out []gradsurgery.Array
	for i, m := range e.methods {
		prefix := ""
		if i > 0 {
			prefix = "rules." + strconv.Itoa(i-1) + "."
		}
		for _, a := range m.State() {
			out = append(out, gradsurgery.Array{Name: prefix + a.Name, Data: a.Data})
		}
	}
	if e.Config.Surgery.Every > 1 {
		for i := range e.surgeon.units {
			out = append(out, gradsurgery.Array{Name: "unit." + strconv.Itoa(i), Data: e.surgeon.units[i].w.F64()})
		}
	}
	return out
}

// restoreArrays copies saved arrays into the live ones; nothing changes when names or lengths differ.
func restoreArrays(live, saved []gradsurgery.Array) error {
	if len(saved) != len(live) {
		return errors.Errorf("engine: state.json: %d arrays of surgery state, want %d", len(saved), len(live))
	}
	for i, a := range saved {
		if a.Name != live[i].Name || len(a.Data) != len(live[i].Data) {
			return errors.Errorf("engine: state.json: surgery state %q with %d numbers, want %q with %d", a.Name, len(a.Data), live[i].Name, len(live[i].Data))
		}
	}
	for i, a := range saved {
		copy(live[i].Data, a.Data)
	}
	return nil
}

// modelTensors lists the parameters under their names.
func (e *Engine) modelTensors() []checkpoint.Tensor { return paramTensors(e.Set, e.Set.Flat, "") }

// paramTensors lists the parameters' places in a flat tensor.
func paramTensors(set *param.Set, flat tensor.Tensor, prefix string) []checkpoint.Tensor {
	var out []checkpoint.Tensor
	for _, p := range set.Params {
		v := flat.Narrow(0, p.Off, p.Len()).Reshape(p.Shape()...)
		out = append(out, checkpoint.Tensor{Name: prefix + p.Name, Value: v})
	}
	return out
}

// optimTensors lists optimizer slots, the average, and what surgery remembers of task gradients, parameter by parameter.
func (e *Engine) optimTensors() []checkpoint.Tensor {
	var out []checkpoint.Tensor
	for _, s := range e.opt.State() {
		out = append(out, paramTensors(e.Set, s.Value, s.Name+"/")...)
	}
	if e.ema.Ok() {
		out = append(out, paramTensors(e.Set, e.ema, "average/")...)
	}
	if y := e.surgeon.memory; y != nil {
		out = append(out, y.tensors(e.sink, e.taskName)...)
	}
	return out
}

// Restore continues from a checkpoint, bit for bit. It returns the seconds of training spent before.
func (e *Engine) Restore(l *checkpoint.Loaded) (seconds float64, err error) {
	if err := e.be.Sync(); err != nil {
		return 0, err
	}
	e.forget()
	var st runState
	if err := json.Unmarshal(l.State, &st); err != nil {
		return 0, errors.Wrap(err, "engine: state.json")
	}
	saved := make([]gradsurgery.Array, 0, len(st.Surgery))
	for _, s := range st.Surgery {
		a := gradsurgery.Array{Name: s.Name, Data: make([]float64, len(s.Data))}
		for i, text := range s.Data {
			if a.Data[i], err = strconv.ParseFloat(text, 64); err != nil || math.IsNaN(a.Data[i]) {
				return 0, errors.Errorf("engine: state.json: surgery state %s[%d] is %q, want a number", s.Name, i, text)
			}
		}
		saved = append(saved, a)
	}
	if err := e.fillModel(l); err != nil {
		return 0, err
	}
	if err := e.fill(l.CopyOptimInto, e.optimTensors()); err != nil {
		return 0, err
	}
	if err := restoreArrays(e.surgeryState(), saved); err != nil {
		return 0, err
	}
	if err := e.loader.Seek(st.Cursor); err != nil {
		return 0, err
	}
	e.step, e.cursor = st.Step, st.Cursor
	e.opt.SetSteps(st.Step)
	return st.Seconds, nil
}

// LoadWeights takes the parameters of a checkpoint, and their average when it has one, for evaluation.
func (e *Engine) LoadWeights(l *checkpoint.Loaded) error {
	if err := e.fillModel(l); err != nil {
		return err
	}
	if e.ema.Ok() {
		return e.fill(l.CopyOptimInto, e.optimTensors())
	}
	return nil
}

// download returns the tensors where the host reaches them: copies of those of a device.
func (e *Engine) download(list []checkpoint.Tensor) []checkpoint.Tensor {
	if !e.be.Apart {
		return list
	}
	out := make([]checkpoint.Tensor, len(list))
	for i, t := range list {
		out[i] = checkpoint.Tensor{Name: t.Name, Value: tensor.New(t.Value.Type, t.Value.Shape()...)}
		e.be.Copy(kernels.Copy{Dst: out[i].Value, Src: t.Value})
	}
	return out
}

// fillModel takes the parameters of a checkpoint.
func (e *Engine) fillModel(l *checkpoint.Loaded) error {
	err := e.fill(l.CopyInto, e.modelTensors())
	e.Set.Refresh(0, e.Set.Flat.Len())
	return err
}

// fill has the tensors filled from a checkpoint, those of a device by way of the host.
func (e *Engine) fill(from func([]checkpoint.Tensor) error, list []checkpoint.Tensor) error {
	host := e.download(list)
	if err := from(host); err != nil || !e.be.Apart {
		return err
	}
	for i, t := range list {
		e.be.Copy(kernels.Copy{Dst: t.Value, Src: host[i].Value})
	}
	return e.be.Sync()
}
