package cuda

import (
	"fmt"

	"artel/dtype"
	"artel/kernels"
)

// backend is the table of ops. An op that is missing here has no kernel yet, and the engine refuses the device by its name.
func (d *device) backend(products dtype.Type) *kernels.Backend {
	return &kernels.Backend{
		Name:        fmt.Sprintf("cuda:%d/%s", d.id, d.name),
		Float:       dtype.F32,
		Products:    products,
		Apart:       true,
		Alloc:       d.alloc,
		AllocShared: d.allocShared,
		Sync:        d.sync,
		Moves:       kernels.Moves{Copy: d.copy},
	}
}

// copy moves between the host and the device.
func (d *device) copy(a kernels.Copy) {
	if crosses(a.Dst, a.Src) {
		d.transfer(a.Dst, a.Src)
		return
	}
	d.fail(fmt.Errorf("cuda: no kernel copies %v to %v inside the device", a.Src, a.Dst))
}
