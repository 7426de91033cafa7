// Package apart makes a backend out of another one that behaves as badly as a device may: the host does not reach its memory, ops run as late as the contract
// allows, and host writes show at once. Code that forgets a Sync or a copy, or that writes a table which a queued op still reads, computes other numbers on
// it than on the backend below, or panics.
package apart

import (
	"fmt"
	"reflect"
	"slices"
	"unsafe"

	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// Device is the state behind a backend.
type Device struct {
	// Syncs counts calls of Sync, Waits those of Wait, Uploads and Downloads copies from and to the process's memory.
	Syncs, Waits, Uploads, Downloads int

	inner  *kernels.Backend
	next   uint64
	memory map[uint64]*tensor.Storage
	shared []*tensor.Storage
	queue  []func()
	queued uint64 // ops so far: a ticket
	ran    uint64 // of them

	busy *busy // runs the queue, or nil
}

// New returns the backend on top of one that computes at once in host memory.
func New(inner *kernels.Backend) (*kernels.Backend, *Device) {
	d := &Device{inner: inner, next: 1 << 20, memory: map[uint64]*tensor.Storage{}}
	be := *inner
	be.Name, be.Apart, be.Alloc, be.AllocShared, be.Sync = "apart/"+inner.Name, true, d.alloc, d.allocShared, d.sync
	be.Submit, be.Wait = d.submit, d.wait
	be.Call = d.push
	be.Keep = func(*tensor.Storage, bool) {}
	v := reflect.ValueOf(&be).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Struct {
			for j := range f.NumField() {
				f.Field(j).Set(d.later(f.Field(j)))
			}
		}
	}
	be.Copy = d.copy(be.Copy)
	return &be, d
}

func (d *Device) address(bytes int) uint64 {
	a := d.next
	d.next += uint64(bytes+511) &^ 255
	return a
}

func (d *Device) alloc(t dtype.Type, n int) *tensor.Storage {
	a := d.address(n * t.Size())
	d.memory[a] = d.inner.Alloc(t, n)
	return tensor.Device(t, n, a)
}

func (d *Device) allocShared(t dtype.Type, n int) *tensor.Storage {
	st := d.inner.Alloc(t, n)
	d.shared = append(d.shared, st) // the address below does not keep it alive
	x := tensor.Of(st, 0, n)
	var p unsafe.Pointer
	switch t {
	case dtype.F32:
		p = unsafe.Pointer(unsafe.SliceData(x.F32()))
	case dtype.F64:
		p = unsafe.Pointer(unsafe.SliceData(x.F64()))
	case dtype.I32:
		p = unsafe.Pointer(unsafe.SliceData(x.I32()))
	default:
		panic(fmt.Sprintf("apart: shared memory of type %v", t))
	}
	return tensor.Shared(t, n, p, d.address(n*t.Size()))
}

// push appends an op.
func (d *Device) push(f func()) {
	d.queued++
	if d.busy != nil {
		d.busy.push(f)
		return
	}
	d.queue = append(d.queue, f)
}

// reach runs the ops before a ticket and nothing more, or waits for who runs them.
func (d *Device) reach(ticket uint64) {
	if d.busy != nil {
		d.busy.wait(ticket)
		return
	}
	if ticket > d.ran {
		n := int(ticket - d.ran)
		for _, f := range d.queue[:n] {
			f()
		}
		d.queue = slices.Delete(d.queue, 0, n)
		d.ran = ticket
	}
}

func (d *Device) sync() error {
	d.Syncs++
	d.reach(d.queued)
	return nil
}

func (d *Device) submit() uint64 { return d.queued }

func (d *Device) wait(ticket uint64) error {
	d.Waits++
	d.reach(ticket)
	return nil
}

// later returns an op that waits in the queue.
func (d *Device) later(op reflect.Value) reflect.Value {
	inner := reflect.ValueOf(op.Interface())
	return reflect.MakeFunc(op.Type(), func(args []reflect.Value) []reflect.Value {
		kept := make([]reflect.Value, len(args))
		for i, a := range args {
			kept[i] = d.keep(a)
		}
		d.push(func() { inner.Call(kept) })
		return nil
	})
}

// copy lets a copy wait too, unless it goes to the process's own memory; what comes from there is kept.
func (d *Device) copy(later func(kernels.Copy)) func(kernels.Copy) {
	own := func(t tensor.Tensor) bool { return t.Storage().Address() == 0 }
	return func(a kernels.Copy) {
		if own(a.Src) {
			kept := tensor.New(a.Src.Type, a.Src.Shape()...)
			d.inner.Copy(kernels.Copy{Dst: kept, Src: a.Src})
			a.Src = kept
		}
		later(a)
		if own(a.Dst) {
			d.Downloads++
			d.reach(d.queued)
		} else if own(a.Src) {
			d.Uploads++
		}
	}
}

// keep copies an argument, with tensors of the device laid over the memory behind it.
func (d *Device) keep(v reflect.Value) reflect.Value {
	if t, ok := v.Interface().(tensor.Tensor); ok {
		if t.Ok() && !t.Storage().OnHost() {
			t = t.On(d.memory[t.Storage().Address()])
		}
		return reflect.ValueOf(t)
	}
	switch v.Kind() {
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range out.NumField() {
			if f := out.Field(i); f.CanSet() {
				f.Set(d.keep(f))
			}
		}
		return out
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(d.keep(v.Elem()))
		return p
	}
	return v
}
