package kerneltest

import (
	"os"
	"reflect"
	"slices"
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/rng"
	"artel/tensor"
)

// intercept puts around in front of an op of b; call runs the op.
func intercept(b *kernels.Backend, op string, around func(args any, call func(args any))) {
	field := reflect.ValueOf(b).Elem().FieldByName(op)
	old := reflect.ValueOf(field.Interface())
	field.Set(reflect.MakeFunc(field.Type(), func(in []reflect.Value) []reflect.Value {
		around(in[0].Interface(), func(args any) { old.Call([]reflect.Value{reflect.ValueOf(args)}) })
		return nil
	}))
}

// argumentOps lists the ops that take one argument struct of floats and whose tensors are of the backend's type.
func argumentOps() (ops []string) {
	for _, e := range opTests() {
		if !slices.Contains([]string{"Alloc", "AllocShared", "Sync", "Submit", "Wait", "Call", "Keep", "Notes", "Fill", "Copy"}, e.op) {
			ops = append(ops, e.op)
		}
	}
	return ops
}

// storages lists the storages that args view.
func storages(args any) (out []*tensor.Storage) {
	twin(args, func(st *tensor.Storage) *tensor.Storage {
		if !slices.Contains(out, st) {
			out = append(out, st)
		}
		return st
	})
	return out
}

// rounded returns an F32 backend whose results are those of the reference, rounded once: the best that float32 can do.
func rounded() *kernels.Backend {
	b := ref.New()
	b.Name, b.Float = "rounded", dtype.F32
	for _, op := range argumentOps() {
		intercept(b, op, func(args any, call func(any)) {
			images := map[*tensor.Storage]*tensor.Storage{}
			for _, st := range storages(args) {
				d := st.Type
				if d == dtype.F32 {
					d = dtype.F64
				}
				images[st] = tensor.NewHost(d, st.Len)
				convert(images[st], st)
			}
			call(twin(args, func(st *tensor.Storage) *tensor.Storage { return images[st] }))
			for st, image := range images {
				convert(st, image)
			}
		})
	}
	return b
}

// TestRounded checks that the suite asks an F32 backend for no more than float32 can hold.
func TestRounded(t *testing.T) {
	if testing.Short() {
		t.Skip("a second pass over the whole suite")
	}
	RunWith(t, rounded(), Options{RequireAll: true})
}

// imprecise returns the reference with the results of one op rounded to float32: far too coarse for an F64 backend.
func imprecise(op string) *kernels.Backend {
	b := ref.New()
	intercept(b, op, func(args any, call func(any)) {
		before := map[*tensor.Storage]*tensor.Storage{}
		for _, st := range storages(args) {
			before[st] = tensor.NewHost(st.Type, st.Len)
			convert(before[st], st)
		}
		call(args)
		for st, was := range before {
			if st.Type != dtype.F64 {
				continue
			}
			set, now, old := setter(tensor.Of(st, 0, st.Len)), whole(st), whole(was)
			for i := 0; i < st.Len; i++ {
				if now(i) != old(i) {
					set(i, float64(float32(now(i))))
				}
			}
		}
	})
	return b
}

// TestImpreciseIsFound runs the suite on backends that lose digits in one op, in a second process, where it must fail every time.
func TestImpreciseIsFound(t *testing.T) {
	var ops []string
	for _, op := range argumentOps() {
		if !slices.Contains([]string{"Metrics", "RoutePlan", "CountPicks", "MaskRows", "Settle"}, op) { // integers, and ops that write nothing but zeros
			ops = append(ops, op)
		}
	}
	if os.Getenv(faultyRun) == "" {
		expectFailures(t, len(ops))
		return
	}
	for _, op := range ops {
		t.Run(op, func(t *testing.T) { testOp(t, imprecise(op), op) })
	}
}

// testOp runs the test of one op.
func testOp(t *testing.T, b *kernels.Backend, op string) {
	for _, e := range opTests() {
		if e.op == op {
			e.run(&suite{t: t, b: b, stream: rng.New(20).Sub(op)})
		}
	}
}
