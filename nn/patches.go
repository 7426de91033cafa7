package nn

import (
	"artel/dtype"
	"fmt"

	"artel/autograd"
	"artel/kernels"
	"artel/param"

	"github.com/pkg/errors"
)

// Patch describes one layer of Patches.
type Patch struct {
	Side     int `yaml:"side" doc:"side of a patch in pixels, or in patches of the layer before" range:"1..1024"`
	Stride   int `yaml:"stride" doc:"pixels from one patch to the next" range:"1..1024"`
	Channels int `yaml:"channels" doc:"features of a patch" range:"1..65536"`
}

// Patches is the input layer of images: layers of overlapping square patches, each through the same linear map with ReLU, then one projection of the
// last layer's patches. It is a stack of convolutions (LeCun et al. 1989) without padding followed by a full connection.
type Patches struct {
	layers  []patchLayer
	project *Linear
}

type patchLayer struct {
	index  []int32
	count  int // patches of an image
	linear *Linear
}

// NewPatches declares name.patch0, name.patch1, ... (side*side*channels before to channels) and name.project (patches*channels to width) for images of
// size [height, width] with one channel.
func NewPatches(b *param.Builder, key param.Key, name string, image [2]int, layers []Patch, width int) (*Patches, error) {
	p := &Patches{}
	h, w, c := image[0], image[1], 1
	for i, l := range layers {
		if l.Side < 1 || l.Side > h || l.Side > w || l.Stride < 1 || l.Channels < 1 {
			return nil, errors.Errorf("layer %d: side %d, stride %d, channels %d do not fit %d x %d", i, l.Side, l.Stride, l.Channels, h, w)
		}
		var next patchLayer
		for y := 0; y+l.Side <= h; y += l.Stride {
			for x := 0; x+l.Side <= w; x += l.Stride {
				next.count++
				for r := 0; r < l.Side; r++ {
					for k := 0; k < l.Side*c; k++ {
						next.index = append(next.index, int32(((y+r)*w+x)*c+k))
					}
				}
			}
		}
		in := l.Side * l.Side * c
		next.linear = NewLinear(b, key, fmt.Sprintf("%s.patch%d", name, i), in, l.Channels, true, KaimingUniform(in, 0))
		p.layers = append(p.layers, next)
		h, w, c = (h-l.Side)/l.Stride+1, (w-l.Side)/l.Stride+1, l.Channels
	}
	p.project = NewLinear(b, key, name+".project", h*w*c, width, true, XavierUniform(h*w*c, width))
	return p, nil
}

// Forward maps images [N,height*width] to rows [N,width].
func (p *Patches) Forward(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	s := x.Space
	for i := range p.layers {
		if t.Err() != nil {
			return t.Bad()
		}
		l := &p.layers[i]
		index := t.NewShared(dtype.I32, len(l.index))
		copy(index.I32(), l.index)
		h := l.linear.ForwardMap(t, autograd.Patches(t, x, index, l.count), kernels.ReLU)
		x = autograd.Join(t, h, s)
	}
	return p.project.Forward(t, x)
}
