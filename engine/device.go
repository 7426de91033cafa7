package engine

import (
	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/kernels/ref"

	"github.com/pkg/errors"
)

// Open returns the backend for a config's device and precision, and why it was chosen. variant names kernels of the CPU; empty: the best ones.
func Open(c *Config, variant string) (be *kernels.Backend, why string, err error) {
	return openBackend(c.Device, c.Precision, variant)
}

// OpenDevice is Open for a device with products in the precision of its elements.
func OpenDevice(name, variant string) (be *kernels.Backend, why string, err error) {
	return openBackend(name, "f32", variant)
}

func openBackend(name, precision, variant string) (be *kernels.Backend, why string, err error) {
	products := dtype.F32
	switch precision {
	case "", "f32": // runs of older versions do not tell
	case "bf16":
		products = dtype.BF16
	default:
		return nil, "", errors.Errorf("precision %q is unknown; want f32 or bf16", precision)
	}
	switch name {
	case "auto", "cpu":
		be, err = cpu.NewPrecision(variant, products)
		if err != nil {
			return nil, "", err
		}
		if name == "auto" {
			return be, "no GPU backend is built in", nil
		}
		return be, "asked for", nil
	case "ref":
		if products == dtype.BF16 {
			return ref.BF16(), "asked for; float64 loops that define the kernels, operands of products rounded to bfloat16", nil
		}
		return ref.New(), "asked for; float64 loops that define the kernels", nil
	case "cuda", "emu":
		return nil, "", errors.Errorf("device %q is not built in yet; want auto, cpu or ref", name)
	}
	return nil, "", errors.Errorf("device %q is unknown; want auto, cpu or ref", name)
}
