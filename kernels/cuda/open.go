package cuda

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu"
	"artel/kernels/cuda/emu/provider"

	"github.com/pkg/errors"
)

// Open returns the backend of a device: "cuda" is device 0, "cuda:1" device 1 of those that CUDA_VISIBLE_DEVICES leaves, "emu" the emulator with all
// its checks. why says what was found.
func Open(name string, products dtype.Type) (be *kernels.Backend, why string, err error) {
	ordinal, err := ordinal(name)
	if err != nil {
		return nil, "", err
	}
	var api *driver.API
	if name == "emu" {
		api = provider.New(emu.Options{Sanitize: true}).API()
	} else if api, err = system(); err != nil {
		return nil, "", err
	}
	return OpenOn(api, driver.Device(ordinal), products)
}

// OpenOn is Open on a given driver.
func OpenOn(api *driver.API, id driver.Device, products dtype.Type) (be *kernels.Backend, why string, err error) {
	if products != dtype.F32 && products != dtype.BF16 {
		return nil, "", errors.Errorf("products of %v; want f32 or bf16", products)
	}
	if err := api.Init(); err != nil {
		return nil, "", errors.Wrap(err, api.Name)
	}
	n, err := api.DeviceCount()
	if err != nil {
		return nil, "", errors.Wrap(err, api.Name)
	}
	if int(id) >= n {
		return nil, "", errors.Errorf("%s: device %d: there are %d (of those that CUDA_VISIBLE_DEVICES leaves)", api.Name, id, n)
	}
	code, err := fs.Sub(ptx, "ptx")
	if err != nil {
		return nil, "", err
	}
	d, err := open(api, id, code)
	if err != nil {
		return nil, "", err
	}
	version, err := api.Version()
	if err != nil {
		return nil, "", err
	}
	why = fmt.Sprintf("%s, compute capability %v, %d multiprocessors, driver for CUDA %d.%d through %s", d.name, d.capability, d.units, version/1000, version%1000/10, api.Name)
	return d.backend(products), why, nil
}

// ordinal reads the number in "cuda:N"; it is 0 for other names.
func ordinal(name string) (int, error) {
	_, n, ok := strings.Cut(name, ":")
	if !ok {
		return 0, nil
	}
	v, err := strconv.Atoi(n)
	if err != nil || v < 0 {
		return 0, errors.Errorf("device %q: want cuda or cuda:N with a number N of a device", name)
	}
	return v, nil
}

// Probe describes the devices that are there, a line each, or says why there are none.
func Probe() string {
	api, err := system()
	if err != nil {
		return err.Error()
	}
	return probe(api)
}

// probe is Probe on a given driver. It loads all kernels on every device, and tells what the driver's compiler says.
func probe(api *driver.API) string {
	if err := api.Init(); err != nil {
		return fmt.Sprintf("%s: %v", api.Name, err)
	}
	n, err := api.DeviceCount()
	if err != nil {
		return fmt.Sprintf("%s: %v", api.Name, err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d devices", api.Name, n)
	for i := range n {
		fmt.Fprintf(&b, "\n  cuda:%d  %s", i, describe(api, driver.Device(i)))
	}
	return b.String()
}

// describe is what Probe says of one device.
func describe(api *driver.API, id driver.Device) string {
	name, err := api.DeviceName(id)
	if err != nil {
		return err.Error()
	}
	c, err := api.CapabilityOf(id)
	if err != nil {
		return fmt.Sprintf("%s: %v", name, err)
	}
	total, err := api.DeviceTotalMem(id)
	if err != nil {
		return fmt.Sprintf("%s: %v", name, err)
	}
	s := fmt.Sprintf("%s, compute capability %v, %d MiB", name, c, total>>20)
	if c < LowestCapability {
		return s + fmt.Sprintf(": too old, the kernels need %v", LowestCapability)
	}
	kernels := ": sm_80 kernels"
	if c == 90 {
		kernels = ": sm_90a kernels"
	}
	return s + kernels + loaded(api, id)
}

// loaded loads all kernels on a device and says how that went.
func loaded(api *driver.API, id driver.Device) string {
	code, err := fs.Sub(ptx, "ptx")
	if err != nil {
		return "; " + err.Error()
	}
	d, err := open(api, id, code)
	if err != nil {
		return "; " + err.Error()
	}
	defer d.close()
	files, err := fs.Glob(code, "*.ptx")
	if err != nil {
		return "; " + err.Error()
	}
	var names []string
	for _, file := range files {
		name, capability, _ := strings.Cut(file, ".")
		if !slices.Contains(names, name) && (capability == "sm_80.ptx" || d.capability == 90) {
			names = append(names, name)
		}
	}
	leave := d.enter()
	defer leave()
	var b strings.Builder
	n := 0
	for _, name := range names {
		if _, err := d.module(name); err != nil {
			fmt.Fprintf(&b, "\n    %v", err)
		} else {
			n++
		}
	}
	for _, note := range d.notes {
		fmt.Fprintf(&b, "\n    %s", strings.ReplaceAll(note, "\n", "\n    "))
	}
	return fmt.Sprintf("; %d of %d modules load%s", n, len(names), b.String())
}

// ptx is the code of the kernels.
//
//go:embed all:ptx
var ptx embed.FS
