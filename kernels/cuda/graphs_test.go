package cuda

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/driver/fake"
	"artel/tensor"
)

// TestGraphShapes checks what becomes of a graph when sizes change (an update), when other kernels come (a new graph), when those of an earlier shape come back (an update
// of that one), and that old ones go when there are too many.
func TestGraphShapes(t *testing.T) {
	t.Setenv(GraphsEnv, "")
	f := fake.New()
	ran, called := 0, 0
	f.Kernel = func(string, *driver.Launch) error {
		ran++
		return nil
	}
	be, _, err := OpenOn(f.API(), 0, dtype.F32)
	if err != nil {
		t.Fatal(err)
	}
	x, y, rows := be.New(dtype.F32, 100000), be.New(dtype.F32, 100000), tensor.New(dtype.F32, 5000)
	step := func(n int, ops string) (made, updated, launched, destroyed int) {
		calls := len(f.Calls)
		for _, op := range ops {
			switch op {
			case 'f':
				be.Fill(x.Narrow(0, 0, n), 1)
			case 'a':
				be.Axpy(kernels.Axpy{Dst: y.Narrow(0, 0, n), Src: x.Narrow(0, 0, n), Alpha: float64(n)})
			case 'c':
				be.Call(func() { called++ })
			case 'u':
				be.Copy(kernels.Copy{Dst: x.Narrow(0, 0, n), Src: rows.Narrow(0, 0, n)})
			}
		}
		ticket := be.Submit()
		if err := be.Wait(ticket); err != nil {
			t.Fatal(err)
		}
		g := *f
		g.Calls = f.Calls[calls:]
		return g.Count("cuGraphInstantiate"), g.Count("cuGraphExecUpdate"), g.Count("cuGraphLaunch"), g.Count("cuGraphExecDestroy")
	}
	be.Fill(x, 0) // loads the modules of the ops
	be.Axpy(kernels.Axpy{Dst: y, Src: x, Alpha: 1})
	if err := be.Sync(); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		n             int
		ops           string
		made, updated int
	}{{10, "ufa", 1, 0}, {10, "ufa", 0, 1}, {4000, "ufa", 0, 1}, {4000, "fau", 1, 0}, {7, "faaa", 1, 0}, {7, "ufa", 0, 1}, {9, "faaa", 0, 1}, {9, "fcacc", 1, 0}, {3, "fcacc", 0, 1}, {3, "ffaff", 1, 0}} {
		ran, called = 0, 0
		made, updated, launched, destroyed := step(c.n, c.ops)
		if made != c.made || updated != c.updated || launched != 1 || destroyed != 0 || ran != strings.Count(c.ops, "f")+strings.Count(c.ops, "a") || called != strings.Count(c.ops, "c") {
			t.Errorf("step %d: %d made, %d updated, %d launched, %d destroyed, %d kernels ran, %d functions called; want %d, %d, 1 and none", i, made, updated, launched, destroyed, ran, called, c.made, c.updated)
		}
	}
	gone := 0
	for i := range mostGraphs {
		_, _, _, destroyed := step(5, strings.Repeat("f", i+5))
		gone += destroyed
	}
	if gone != 7 {
		t.Errorf("%d graphs destroyed, want the 7 oldest: five of steps, two of loading", gone)
	}
	if made, _, _, _ := step(10, "ufa"); made != 1 {
		t.Error("a graph that was destroyed is used again")
	}
}

// TestGraphsOff checks the switch.
func TestGraphsOff(t *testing.T) {
	t.Setenv(GraphsEnv, "0")
	f := fake.New()
	d, err := open(f.API(), 0, fstest.MapFS{"m.sm_80.ptx": image("x")})
	if err != nil {
		t.Fatal(err)
	}
	d.fresh()
	d.run1(d.kernel("m", "f"), 10, 10)
	if err := d.sync(); err != nil || f.Count("cuStreamBeginCapture") != 0 || f.Count("cuLaunchKernel") != 1 {
		t.Errorf("%v, calls %v", err, f.Calls)
	}
}

// TestCallLost checks that a function which an error kept from being called is not called later in the place of another one.
func TestCallLost(t *testing.T) {
	f := fake.New()
	be, _, err := OpenOn(f.API(), 0, dtype.F32)
	if err != nil {
		t.Fatal(err)
	}
	f.Fail["cuGraphInstantiate"] = driver.OutOfMemory
	var got []int
	note := func(i int) func() { return func() { got = append(got, i) } }
	be.Call(note(1))
	if err := be.Sync(); !driver.Is(err, driver.OutOfMemory) {
		t.Fatalf("got %v", err)
	}
	delete(f.Fail, "cuGraphInstantiate")
	be.Call(note(2))
	be.Call(note(3))
	if err := be.Sync(); err != nil || !slices.Equal(got, []int{2, 3}) {
		t.Errorf("called %v, %v", got, err)
	}
}

// TestProbe checks that doctor loads every module and passes on what the driver's compiler says, and that a run can tell too.
func TestProbe(t *testing.T) {
	f := fake.New()
	api := *f.API()
	load := api.ModuleLoad
	api.ModuleLoad = func(code []byte) (driver.Module, string, error) {
		if strings.Contains(string(code), "source: norms.cu") {
			return 0, "", fmt.Errorf("ptxas fatal : too new")
		}
		m, _, err := load(code)
		log := ""
		if strings.Contains(string(code), "source: moves.cu") {
			log = "ptxas warning : slow\n"
		}
		return m, log, err
	}
	got := probe(&api)
	for _, want := range []string{"1 devices", "Fake H100", "sm_90a kernels", "moves.sm_80.ptx: ptxas warning : slow", "norms.sm_80.ptx", "too new"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if f.Live() != 0 || f.Count("cuModuleUnload") != f.Count("cuModuleLoadDataEx") {
		t.Errorf("%d allocations live, %d of %d modules unloaded", f.Live(), f.Count("cuModuleUnload"), f.Count("cuModuleLoadDataEx"))
	}
	be, _, err := OpenOn(&api, 0, dtype.F32)
	if err != nil {
		t.Fatal(err)
	}
	be.Fill(be.New(dtype.F32, 5), 1)
	if notes := be.Notes(); len(notes) != 1 || notes[0] != "moves.sm_80.ptx: ptxas warning : slow" || len(be.Notes()) != 0 {
		t.Errorf("notes %q", notes)
	}
}
