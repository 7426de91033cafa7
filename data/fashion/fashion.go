// Package fashion embeds a subset of Fashion-MNIST: the first 10,000 training and the first 2,000 test images, reduced to 14 x 14
// pixels of 4 bits. The images are by Zalando SE under the MIT licence (see LICENSE in this directory).
package fashion

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"io"
	"sync"

	"github.com/pkg/errors"
)

//go:generate go run ./gen -out fashion.bin

// Sizes of the subset.
const (
	Side  = 14          // pixels per side
	Size  = Side * Side // pixels per image
	Train = 10000
	Test  = 2000
	Level = 15 // brightest pixel
)

// Names are the classes.
var Names = []string{"t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"}

// Images is a set of labelled images.
type Images struct {
	Pixels []uint8 // [N*Size], 0..Level, row by row
	Labels []uint8 // [N], 0..9
}

// Image returns the pixels of image i.
func (s *Images) Image(i int) []uint8 { return s.Pixels[i*Size : (i+1)*Size] }

//go:embed fashion.bin
var blob []byte

// Load returns the training and the test images, decoded once. The caller must not change them.
func Load() (train, test *Images, err error) {
	both, err := load()
	if err != nil {
		return nil, nil, err
	}
	return both[0], both[1], nil
}

var load = sync.OnceValues(func() ([2]*Images, error) {
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(blob)))
	if err != nil {
		return [2]*Images{}, errors.Wrap(err, "fashion: embedded blob")
	}
	const n = Train + Test
	if len(raw) != n+n*Size/2 {
		return [2]*Images{}, errors.Errorf("fashion: embedded blob has %d bytes, want %d", len(raw), n+n*Size/2)
	}
	labels, packed := raw[:n], raw[n:]
	pixels := make([]uint8, n*Size)
	for i, b := range packed {
		pixels[2*i], pixels[2*i+1] = b>>4, b&15
	}
	return [2]*Images{
		{Pixels: pixels[:Train*Size], Labels: labels[:Train]},
		{Pixels: pixels[Train*Size:], Labels: labels[Train:]},
	}, nil
})
