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

// Tiles returns the names of the tiles.
func (w *Warpgroups) Tiles() (names []string) {
	for _, t := range warpTiles() {
		names = append(names, t.name)
	}
	return names
}

// Choose makes all products use one tile.
func (w *Warpgroups) Choose(tile int) { w.d.wgmma.tile = &warpTiles()[tile] }

// Units changes the number of multiprocessors, and so of blocks.
func (w *Warpgroups) Units(n int) { w.d.units = n }
