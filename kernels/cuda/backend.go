package cuda

import (
	"fmt"

	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// backend is the table of ops.
func (d *device) backend(products dtype.Type) *kernels.Backend {
	d.products = products
	name := fmt.Sprintf("cuda:%d/%s", d.id, d.name)
	if products == dtype.BF16 {
		name += "+bf16"
	}
	return &kernels.Backend{
		Name:        name,
		Float:       dtype.F32,
		Products:    products,
		Halves:      products == dtype.BF16,
		Apart:       true,
		Alloc:       d.alloc,
		AllocShared: d.allocShared,
		Sync:        d.sync,
		Submit:      d.submit,
		Wait:        d.wait,
		Call:        d.call,
		Notes:       d.told,
		Keep:        func(*tensor.Storage, bool) {}, // products read weights where they lie
		Moves:       d.moves(),
		Linear:      d.linear(),
		Experts:     d.experts(),
		Elementwise: d.elementwise(),
		Norms:       d.norms(),
		Losses:      d.losses(),
		Routing:     d.routing(),
		Training:    d.training(),
		Steps:       d.steps(),
		Surgery:     d.surgery(),
	}
}
