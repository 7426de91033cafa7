package cuda

import (
	"io/fs"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda/driver"
)

// Warpgroups is a backend whose products run on warpgroups at any size.
type Warpgroups struct {
	*kernels.Backend
	d *device
}

// OpenWarpgroups opens a device of compute capability 9.0; code is the shipped one when nil.
func OpenWarpgroups(api *driver.API, code fs.FS) (*Warpgroups, error) {
	if code == nil {
		var err error
		if code, err = fs.Sub(ptx, "ptx"); err != nil {
			return nil, err
		}
	}
	d, err := open(api, 0, code)
	if err != nil {
		return nil, err
	}
	d.wgmma.smallest = wgmmaLimits{}
	return &Warpgroups{d.backend(dtype.BF16), d}, nil
}

// Tiles returns the numbers of rows and columns of the tiles.
func (w *Warpgroups) Tiles() (sizes [][2]int) {
	for _, t := range warpTiles() {
		sizes = append(sizes, [2]int{t.rows, t.cols})
	}
	return sizes
}

// Choose makes all products use one tile.
func (w *Warpgroups) Choose(tile int) { w.d.wgmma.tiles = warpTiles()[tile : tile+1] }

// Units changes the number of multiprocessors, and so of blocks.
func (w *Warpgroups) Units(n int) { w.d.units = n }
