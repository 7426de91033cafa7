package moe

import (
	"math"

	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// Stats counts what a mixture layer did over any number of forward passes.
type Stats struct {
	Layer   string
	Experts int
	Tasks   int
	Rows    int64   // rows routed
	Picks   int64   // picks asked for
	Dropped int64   // picks dropped by the capacity limit
	Load    []int64 // [E] picks by expert, before drops
	// TaskLoad is [M*E]: picks of rows owned by a task, by expert. Rows shared by tasks are in Load only.
	TaskLoad []int64
	// Entropy is the sum over rows of the entropy of the routing probabilities, in nats; 0 for routers without probabilities.
	Entropy float64
	// GateMass is [E]: sum over rows of the routing probabilities.
	GateMass []float64
}

// NewStats returns empty statistics of l.
func (l *Layer) NewStats() *Stats {
	e := l.Config.Experts
	return &Stats{Layer: l.Name, Experts: e, Tasks: l.tasks, Load: make([]int64, e), TaskLoad: make([]int64, l.tasks*e), GateMass: make([]float64, e)}
}

// Observe adds the latest forward pass to s. Call it before the tape begins anew.
func (l *Layer) Observe(be *kernels.Backend, s *Stats) {
	p := l.last.plan
	if p == nil {
		return
	}
	e := l.Config.Experts
	s.Rows += int64(p.T)
	for i, n := range hostInts(be, p.Count) {
		if i == e {
			s.Dropped += int64(n)
			continue
		}
		s.Load[i] += int64(n)
		s.Picks += int64(n)
	}
	if l.last.space.Owned {
		idx := hostInts(be, l.last.sel.Index)
		for i, task := range l.last.space.Task.I32() {
			for _, x := range idx[i*p.K : (i+1)*p.K] {
				if x >= 0 {
					s.TaskLoad[int(task)*e+int(x)]++
				}
			}
		}
	}
	if l.last.sel.Probs == nil {
		return
	}
	probs := tensor.New(dtype.F64, p.T, e)
	be.Copy(kernels.Copy{Dst: probs, Src: l.last.sel.Probs.Value})
	for i, v := range probs.F64() {
		s.GateMass[i%e] += v
		if v > 0 {
			s.Entropy -= v * math.Log(v)
		}
	}
}

// hostInts returns the elements of an I32 tensor, once all ops have finished.
func hostInts(be *kernels.Backend, x tensor.Tensor) []int32 {
	if !be.Apart {
		return x.I32()
	}
	h := tensor.New(dtype.I32, x.Shape()...)
	be.Copy(kernels.Copy{Dst: h, Src: x})
	return h.I32()
}

// Reset empties s.
func (s *Stats) Reset() {
	s.Rows, s.Picks, s.Dropped, s.Entropy = 0, 0, 0, 0
	clear(s.Load)
	clear(s.TaskLoad)
	clear(s.GateMass)
}

// MaxLoad is the largest load of an expert as a multiple of the mean load; 1 is perfect balance.
func (s *Stats) MaxLoad() float64 {
	var most int64
	for _, n := range s.Load {
		most = max(most, n)
	}
	if s.Picks == 0 {
		return 0
	}
	return float64(most) * float64(s.Experts) / float64(s.Picks)
}

// Dead is the number of experts that no row picked.
func (s *Stats) Dead() (n int) {
	for _, c := range s.Load {
		if c == 0 {
			n++
		}
	}
	return n
}

// MeanEntropy is the mean entropy of the routing probabilities per row, in nats; log(E) is uniform.
func (s *Stats) MeanEntropy() float64 {
	if s.Rows == 0 {
		return 0
	}
	return s.Entropy / float64(s.Rows)
}

// MutualInformation is I(task; expert) in nats over the picks of task-owned rows: 0 when all tasks use the experts alike, at most
// min(log M, log E) when the expert tells the task.
func (s *Stats) MutualInformation() float64 {
	var total float64
	byTask, byExpert := make([]float64, s.Tasks), make([]float64, s.Experts)
	for i, n := range s.TaskLoad {
		byTask[i/s.Experts] += float64(n)
		byExpert[i%s.Experts] += float64(n)
		total += float64(n)
	}
	var info float64
	for i, n := range s.TaskLoad {
		if n > 0 {
			p := float64(n) / total
			info += p * math.Log(p*total*total/(byTask[i/s.Experts]*byExpert[i%s.Experts]))
		}
	}
	return info
}
