package nn

import (
	"artel/autograd"
	"artel/kernels"
	"artel/param"

	"github.com/pkg/errors"
)

// Patches is the input layer of images: overlapping square patches, each through the same small layer with ReLU, then one projection of all of them. It is
// a convolution (LeCun et al. 1989) without padding followed by a full connection.
type Patches struct {
	index   []int32
	patches int
	small   *Linear
	project *Linear
}

// NewPatches declares name.patch (side*side to channels) and name.project (patches*channels to width) for images of size [height, width].
func NewPatches(b *param.Builder, key param.Key, name string, image [2]int, side, stride, channels, width int) (*Patches, error) {
	h, w := image[0], image[1]
	if side < 1 || side > h || side > w || stride < 1 || channels < 1 {
		return nil, errors.Errorf("side %d, stride %d, channels %d do not fit images of %d x %d", side, stride, channels, h, w)
	}
	p := &Patches{}
	for y := 0; y+side <= h; y += stride {
		for x := 0; x+side <= w; x += stride {
			p.patches++
			for r := 0; r < side; r++ {
				for c := 0; c < side; c++ {
					p.index = append(p.index, int32((y+r)*w+x+c))
				}
			}
		}
	}
	p.small = NewLinear(b, key, name+".patch", side*side, channels, true, KaimingUniform(side*side, 0))
	p.project = NewLinear(b, key, name+".project", p.patches*channels, width, true, XavierUniform(p.patches*channels, width))
	return p, nil
}

// Forward maps images [N,height*width] to rows [N,width].
func (p *Patches) Forward(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	if t.Err() != nil {
		return t.Bad()
	}
	index := t.NewI32(len(p.index))
	copy(index.I32(), p.index)
	h := autograd.Map(t, kernels.ReLU, p.small.Forward(t, autograd.Patches(t, x, index, p.patches)))
	if t.Err() != nil {
		return t.Bad()
	}
	return p.project.Forward(t, autograd.Join(t, h, x.Space))
}
