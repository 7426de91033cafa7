package data

import (
	"artel/data/fashion"
	"artel/rng"

	"github.com/pkg/errors"
)

func init() {
	Register(Entry{
		Name: "multifashion",
		Ref:  "two Fashion-MNIST garments in one image, after the MultiMNIST/MultiFashion sets of Lin et al. 2019 (arXiv 1912.12854); images: Zalando SE, MIT",
		Doc: "18 x 18 pixels: one garment at the top left, one at an offset of (4,4), (4,0), (0,4) or (2,4), overlaid by maximum. Tasks: left class, right class, " +
			"same super-class, placement. Training pairs are drawn without end; test pairs come from test images only and are the same for every seed",
		Config: func() any { return &MultiFashionConfig{TestRows: 8000, Augment: Augment{Shift: 1}} },
		New:    func(cfg any) (Source, error) { return newMultiFashion(cfg.(*MultiFashionConfig)) },
	})
}

// MultiFashionConfig holds the options of multifashion.
type MultiFashionConfig struct {
	TestRows  int     `yaml:"test_rows" doc:"pairs of the test split" range:"1..1000000"`
	ValImages int     `yaml:"val_images" doc:"training images held out for the validation split" range:"0..9000"`
	Augment   Augment `yaml:"augment" doc:"random changes of training garments before they are overlaid"`
}

// Augment describes random changes of a garment.
type Augment struct {
	Shift int     `yaml:"shift" doc:"largest shift in pixels, each way" range:"0..4"`
	Moved float64 `yaml:"moved" doc:"probability that a garment is shifted at all" range:"0..1"`
	Flip  float64 `yaml:"flip" doc:"probability of mirroring left and right" range:"0..1"`
	Erase float64 `yaml:"erase" doc:"probability of erasing a square of 3 to 6 pixels" range:"0..1"`
}

// canvas is the side of a pair's image.
const canvas = 18

// places are the offsets (rows, columns) of the right garment.
var places = [4][2]int{{4, 4}, {4, 0}, {0, 4}, {2, 4}}

// super groups the classes: tops, trousers, dresses, shoes, bags.
var super = [10]uint8{0, 1, 0, 2, 0, 3, 0, 3, 4, 3}

type multiFashion struct {
	cfg         MultiFashionConfig
	train, test *fashion.Images
	images      [3]int // by split
}

func newMultiFashion(cfg *MultiFashionConfig) (Source, error) {
	train, test, err := fashion.Load()
	if err != nil {
		return nil, err
	}
	if cfg.ValImages > fashion.Train-1000 {
		return nil, errors.Errorf("val_images = %d, want at most %d", cfg.ValImages, fashion.Train-1000)
	}
	return &multiFashion{cfg: *cfg, train: train, test: test, images: [3]int{fashion.Train - cfg.ValImages, cfg.ValImages, fashion.Test}}, nil
}

func (m *multiFashion) Spec() Spec {
	return Spec{Name: "multifashion", Dense: canvas * canvas, Image: [2]int{canvas, canvas}, Tasks: []TaskSpec{
		{Name: "left", Classes: fashion.Names, Weight: 1.5}, // the two hard tasks count more
		{Name: "right", Classes: fashion.Names, Weight: 2},
		{Name: "same", Classes: []string{"different", "same"}},
		{Name: "placement", Classes: []string{"low-right", "low", "right", "mid-right"}},
	}}
}

func (m *multiFashion) Len(s Split) int {
	if s == Train {
		return m.images[Train]
	}
	if m.images[s] == 0 {
		return 0
	}
	return m.cfg.TestRows
}

// Endless: the number of pairs times their augmentations has no practical end.
func (m *multiFashion) Endless() bool { return true }

func (m *multiFashion) Fill(split Split, i uint64, s rng.Stream, r *Row) {
	set, first := m.train, 0
	switch split {
	case Test:
		set = m.test
	case Val:
		first = m.images[Train]
	}
	if split != Train { // the same pairs whatever the run's seed is
		s = rng.New(999).Sub("multifashion", uint64(split)).At(i)
	}
	a, b, p := first+s.Intn(m.images[split]), first+s.Intn(m.images[split]), s.Intn(len(places))
	clear(r.Dense)
	m.draw(r.Dense, set.Image(a), 0, 0, split == Train, &s)
	m.draw(r.Dense, set.Image(b), places[p][0], places[p][1], split == Train, &s)
	la, lb := set.Labels[a], set.Labels[b]
	same := int32(0)
	if super[la] == super[lb] {
		same = 1
	}
	r.Labels[0], r.Labels[1], r.Labels[2], r.Labels[3] = int32(la), int32(lb), same, int32(p)
}

// draw overlays a garment on the canvas with its top left corner at (row, col). Parts that a shift moves out of the garment's own square are cut.
func (m *multiFashion) draw(dst []float32, img []uint8, row, col int, augment bool, s *rng.Stream) {
	dr, dc, flip := 0, 0, false
	er, ec, size := 0, 0, 0
	if augment {
		a := &m.cfg.Augment
		if a.Shift > 0 && s.Float64() < a.Moved {
			dr, dc = s.Intn(2*a.Shift+1)-a.Shift, s.Intn(2*a.Shift+1)-a.Shift
		}
		flip = a.Flip > 0 && s.Float64() < a.Flip
		if a.Erase > 0 && s.Float64() < a.Erase {
			size = 3 + s.Intn(4)
			er, ec = s.Intn(fashion.Side-size+1), s.Intn(fashion.Side-size+1)
		}
	}
	for y := max(0, dr); y < min(fashion.Side, fashion.Side+dr); y++ {
		src := img[(y-dr)*fashion.Side:]
		out := dst[(row+y)*canvas+col:]
		for x := max(0, dc); x < min(fashion.Side, fashion.Side+dc); x++ {
			if y >= er && y < er+size && x >= ec && x < ec+size {
				continue
			}
			from := x - dc
			if flip {
				from = fashion.Side - 1 - from
			}
			if v := float32(src[from]) / fashion.Level; v > out[x] {
				out[x] = v
			}
		}
	}
}
