package engine

import (
	"fmt"
	"os"
	"strings"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/kernels/cuda"
	"artel/kernels/ref"

	"github.com/pkg/errors"
)

// DeviceEnv is the environment variable that chooses the device of runs whose config leaves it open.
const DeviceEnv = "ARTEL_DEVICE"

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
	from := "asked for"
	if env := os.Getenv(DeviceEnv); name == "auto" && env != "" {
		name, from = env, "asked for by "+DeviceEnv
	}
	switch {
	case name == "auto":
		return automatic(variant, products)
	case name == "cpu":
		be, err = cpu.NewPrecision(variant, products)
		return be, from, err
	case name == "ref":
		be, why = ref.New(), from+"; float64 loops that define the kernels"
		if products == dtype.BF16 {
			be, why = ref.BF16(), why+", operands of products rounded to bfloat16"
		}
		return be, why, nil
	case name == "cuda" || name == "emu" || strings.HasPrefix(name, "cuda:"):
		be, why, err = cuda.Open(name, products)
		return be, from + "; " + why, errors.Wrapf(err, "device %s", name)
	}
	return nil, "", errors.Errorf("device %q is unknown; want auto, cpu, ref, cuda, cuda:N or emu", name)
}

// automatic is the first GPU when the backend can do everything on it, else the CPU.
func automatic(variant string, products dtype.Type) (*kernels.Backend, string, error) {
	gpu, why, err := cuda.Open("cuda", products)
	if err == nil {
		lacking := gpu.Lacking()
		if len(lacking) == 0 {
			return gpu, why, nil
		}
		why = fmt.Sprintf("%s, but it lacks %d ops, the first is %s", why, len(lacking), lacking[0])
	} else {
		why, _, _ = strings.Cut(err.Error(), "\n")
		why = "no GPU: " + strings.TrimSuffix(why, ":")
	}
	be, err := cpu.NewPrecision(variant, products)
	return be, why, err
}
