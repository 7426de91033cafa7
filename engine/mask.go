package engine

import (
	"math"
	"slices"

	"artel/dtype"
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

// mask is sparse training (Zhang et al. 2024, arXiv 2411.18615): of every neuron of the shared part only the input connections with the largest weights at
// the start are trained. It composes with every surgery method, since it only shortens the task gradients.
type mask struct {
	keep   tensor.Tensor // I32 [P]: 1 for what trains
	origin tensor.Tensor // [P]: where the rest stays
	one    tensor.Tensor // I32 [1]
	all    tensor.Tensor // I32 [M]
}

// newMask chooses share of the inputs of every neuron, at least one, in the weight matrices that several tasks reach. Ties go to the lower input.
func newMask(be *kernels.Backend, set *param.Set, reach []uint64, share float64) *mask {
	m := &mask{keep: be.New(dtype.I32, set.Flat.Len()), origin: be.New(be.Float, set.Flat.Len()), one: be.New(dtype.I32, 1), all: be.New(dtype.I32, param.MaxTasks)}
	train := tensor.New(dtype.I32, set.Flat.Len())
	for i := range train.I32() {
		train.I32()[i] = 1
	}
	be.Fill(m.one, 1)
	be.Fill(m.all, 1)
	be.Copy(kernels.Copy{Dst: m.origin, Src: set.Flat})
	for _, p := range set.Params {
		kind := p.Group.Kind
		if !param.Several(reach[p.Group.Index]) || len(p.Shape()) != 2 || !p.Decay || kind != param.Shared && kind != param.Expert {
			continue // norms, biases, embeddings, routers and heads train as a whole
		}
		in, out := p.Shape()[0], p.Shape()[1]
		values := tensor.New(dtype.F64, in, out)
		be.Copy(kernels.Copy{Dst: values, Src: p.Value})
		w, keep := values.F64(), train.I32()[p.Off:p.Off+p.Len()]
		order := make([]int, in)
		for j := range out {
			for i := range order {
				order[i] = i
			}
			slices.SortStableFunc(order, func(a, b int) int {
				x, y := math.Abs(w[a*out+j]), math.Abs(w[b*out+j])
				switch {
				case x > y:
					return -1
				case x < y:
					return 1
				}
				return 0
			})
			for _, i := range order[max(1, int(math.Round(share*float64(in)))):] {
				keep[i*out+j] = 0
			}
		}
	}
	be.Copy(kernels.Copy{Dst: m.keep, Src: train})
	return m
}

// rows masks the task gradients that a sink keeps.
func (m *mask) rows(be *kernels.Backend, k *param.Sink) {
	for _, g := range k.Set.Groups {
		if k.PerTask(g) {
			be.MaskRows(kernels.MaskRows{J: k.GroupRows(g), Mask: m.keep.Narrow(0, g.Off, g.Len), Present: m.all.Narrow(0, 0, k.Tasks)})
		}
	}
}

// gradient masks one gradient [P].
func (m *mask) gradient(be *kernels.Backend, grad tensor.Tensor) {
	be.MaskRows(kernels.MaskRows{J: grad.Reshape(1, grad.Len()), Mask: m.keep, Present: m.one})
}

// restore takes back what an update did to parameters that do not train: weight decay.
func (m *mask) restore(be *kernels.Backend, flat tensor.Tensor) {
	be.Select(kernels.Select{Dst: flat, Src: m.origin, Mask: m.keep})
}
