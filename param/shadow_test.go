package param_test

import (
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/rng"
	"artel/tensor"
)

// TestShadow: a backend apart that reads bfloat16 operands has the parameters rounded as well, from the start and after Refresh; others have not.
func TestShadow(t *testing.T) {
	here, _ := model(t, ref.BF16())
	if here.Half.Ok() || here.Lookup("w").Operand().Storage() != here.Flat.Storage() {
		t.Error("a copy where the host reaches the parameters")
	}
	be := ref.BF16()
	be.Apart = true
	set, bank := model(t, be)
	check := func(what string) {
		t.Helper()
		flat, half := set.Flat.F64(), set.Half.BF16()
		for i, v := range flat {
			if half[i] != dtype.ToBF16From64(v) {
				t.Fatalf("%s: element %d is %x, want %v rounded", what, i, half[i], v)
			}
		}
	}
	check("at the start")
	w := set.Lookup("w")
	if got := w.Operand(); got.Type != dtype.BF16 || got.Offset() != w.Off || !got.SameShape(w.Value) {
		t.Errorf("operand %v at %d", got, got.Offset())
	}
	v, o := bank.Value(), bank.Operand()
	if o.Type != dtype.BF16 || !o.SameShape(v) || o.Stride(0) != v.Stride(0) || o.Offset() != v.Offset() {
		t.Errorf("bank: operand %v, value %v", o, v)
	}
	s := rng.New(5)
	fresh := make([]float64, set.Flat.Len())
	for i := range fresh {
		fresh[i] = s.Normal()
	}
	be.Copy(kernels.Copy{Dst: set.Flat, Src: tensor.FromF64(fresh, len(fresh))})
	set.Refresh(0, 40)
	set.Refresh(40, len(fresh))
	check("after Refresh")
}
