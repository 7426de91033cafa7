package cuda_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda"
	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu"
	"artel/kernels/cuda/emu/provider"
	"artel/kernels/kerneltest"
	"artel/tensor"
)

// emulated opens the emulator, and returns how to move between it and the host.
func emulated(t *testing.T, o emu.Options, products dtype.Type) (*kernels.Backend, func(dst, src *tensor.Storage) error) {
	t.Helper()
	drv := provider.New(o)
	drv.Defer() // a missing wait gives wrong numbers
	return opened(t, drv.API(), products)
}

// narrow is emulated for a device of one multiprocessor, which the largest tiles occupy already.
func narrow(t *testing.T, o emu.Options, products dtype.Type) (*kernels.Backend, func(dst, src *tensor.Storage) error) {
	t.Helper()
	drv := provider.New(o)
	drv.Defer()
	api := *drv.API()
	attribute := api.DeviceAttribute
	api.DeviceAttribute = func(a driver.Attribute, d driver.Device) (int, error) {
		if a == driver.Multiprocessors {
			return 1, nil
		}
		return attribute(a, d)
	}
	return opened(t, &api, products)
}

func opened(t *testing.T, api *driver.API, products dtype.Type) (*kernels.Backend, func(dst, src *tensor.Storage) error) {
	t.Helper()
	be, _, err := cuda.OpenOn(api, 0, products)
	if err != nil {
		t.Fatal(err)
	}
	return be, func(dst, src *tensor.Storage) error {
		be.Copy(kernels.Copy{Dst: tensor.Of(dst, 0, dst.Len), Src: tensor.Of(src, 0, src.Len)})
		return be.Sync()
	}
}

// onlyProducts is a backend with the products of be and no other ops.
func onlyProducts(be *kernels.Backend) *kernels.Backend {
	only := &kernels.Backend{Name: be.Name, Float: be.Float, Products: be.Products, Halves: be.Halves, Apart: be.Apart, Alloc: be.Alloc, AllocShared: be.AllocShared, Sync: be.Sync, Submit: be.Submit, Wait: be.Wait, Call: be.Call}
	only.Moves, only.GEMM, only.GroupedGEMM, only.GradW, only.CellGram, only.Experts = be.Moves, be.GEMM, be.GroupedGEMM, be.GradW, be.CellGram, be.Experts
	only.Gated, only.GatedGrad = be.Gated, be.GatedGrad
	return only
}

// sample returns one case in so many, all with ARTEL_EVERY=1.
func sample(every int) int {
	if os.Getenv("ARTEL_EVERY") == "1" {
		return 1
	}
	return every
}

// TestConformance runs the shipped PTX of every op in the emulator and compares with the definitions. ARTEL_EVERY=1 runs all cases that fit instead of one in six.
func TestConformance(t *testing.T) {
	be, transfer := emulated(t, emu.Options{Capability: 80}, dtype.F32)
	kerneltest.RunWith(t, be, kerneltest.Options{Transfer: transfer, RequireAll: true, MaxWork: 20000, Every: sample(6)})
}

// TestLarge is TestConformance of products in large tiles.
func TestLarge(t *testing.T) {
	be, transfer := narrow(t, emu.Options{Capability: 80}, dtype.F32)
	kerneltest.RunWith(t, onlyProducts(be), kerneltest.Options{Transfer: transfer, MaxWork: 60000, Every: sample(13)})
}

// TestSanitized runs some cases of every op under the emulator's detectors of uninitialised reads and races.
func TestSanitized(t *testing.T) {
	be, transfer := emulated(t, emu.Options{Sanitize: true, GlobalRaces: true}, dtype.F32)
	kerneltest.RunWith(t, be, kerneltest.Options{Transfer: transfer, RequireAll: true, MaxWork: 3000, Every: 23})
	be, transfer = narrow(t, emu.Options{Sanitize: true, GlobalRaces: true}, dtype.F32)
	kerneltest.RunWith(t, onlyProducts(be), kerneltest.Options{Transfer: transfer, MaxWork: 20000, Every: sample(41)})
}

// TestHalves is TestConformance and TestSanitized of products on tensor cores, whose operands are rounded to bfloat16. ARTEL_EVERY=1 runs all cases that fit.
func TestHalves(t *testing.T) {
	be, transfer := emulated(t, emu.Options{Capability: 80}, dtype.BF16)
	kerneltest.RunWith(t, onlyProducts(be), kerneltest.Options{Transfer: transfer, MaxWork: 60000, Every: sample(9)})
	be, transfer = emulated(t, emu.Options{Sanitize: true, GlobalRaces: true}, dtype.BF16)
	kerneltest.RunWith(t, onlyProducts(be), kerneltest.Options{Transfer: transfer, MaxWork: 20000, Every: sample(17)})
}

// TestManifest checks that the committed PTX was made from the committed sources; scripts/cuda-build makes it.
func TestManifest(t *testing.T) {
	text, err := os.ReadFile("zmanifest.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 && len(f[0]) == 64 {
			want[f[1]] = f[0]
		}
	}
	sources, err := filepath.Glob("src/*")
	if err != nil {
		t.Fatal(err)
	}
	ptx, err := filepath.Glob("ptx/*.ptx")
	if err != nil || len(sources) == 0 || len(ptx) == 0 {
		t.Fatalf("%d sources, %d PTX files: %v", len(sources), len(ptx), err)
	}
	for _, name := range append(sources, ptx...) {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(raw)); got != want[filepath.ToSlash(name)] {
			t.Errorf("%s is not what zmanifest.txt was made from; run scripts/cuda-build", name)
		}
		delete(want, filepath.ToSlash(name))
	}
	for name := range want {
		t.Errorf("zmanifest.txt names %s, which is not there", name)
	}
}

// TestReport checks that no kernel spills registers.
func TestReport(t *testing.T) {
	text, err := os.ReadFile("zreport.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "spill stores") {
			n++
			if !strings.Contains(line, " 0 bytes spill stores, 0 bytes spill loads") {
				t.Errorf("spills: %s", line)
			}
		}
	}
	if n < 50 {
		t.Errorf("a report on %d kernels", n)
	}
}

// TestHostTensor: memory that only the host reaches is an error that the next Sync returns, once.
func TestHostTensor(t *testing.T) {
	be, _ := emulated(t, emu.Options{}, dtype.F32)
	be.Fill(tensor.New(dtype.F32, 3), 1)
	if err := be.Sync(); err == nil || !strings.Contains(err.Error(), "only the host reaches") {
		t.Errorf("a host tensor: %v", err)
	}
	if err := be.Sync(); err != nil {
		t.Errorf("the error stays: %v", err)
	}
}
