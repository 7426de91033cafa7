package engine

import (
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/kernels/ref"

	"github.com/pkg/errors"
)

// OpenDevice returns the backend that a config's device key names, and why it was chosen.
func OpenDevice(name, variant string) (be *kernels.Backend, why string, err error) {
	switch name {
	case "auto", "cpu":
		be, err = cpu.NewVariant(variant)
		if err != nil {
			return nil, "", err
		}
		if name == "auto" {
			return be, "no GPU backend is built in", nil
		}
		return be, "asked for", nil
	case "ref":
		return ref.New(), "asked for; float64 loops that define the kernels", nil
	case "cuda", "emu":
		return nil, "", errors.Errorf("device %q is not built in yet; want auto, cpu or ref", name)
	}
	return nil, "", errors.Errorf("device %q is unknown; want auto, cpu or ref", name)
}
