package param_test

import (
	"slices"
	"strings"
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

func normal(s rng.Stream, _ int) float64 { return s.Normal() }

// model declares a shared layer, two experts of two matrices, and two heads.
func model(t *testing.T, be *kernels.Backend) (*param.Set, *param.Bank) {
	t.Helper()
	b := param.NewBuilder()
	shared := param.Key{Kind: param.Shared, Layer: "layer"}
	b.Add(shared, "w", true, normal, 3, 5)
	b.Add(shared, "b", false, normal, 5)
	bank := &param.Bank{}
	for e := 0; e < 3; e++ {
		key := param.Key{Kind: param.Expert, Layer: "layer", Expert: e}
		bank.Experts = append(bank.Experts, b.Add(key, "up"+string(rune('0'+e)), true, normal, 5, 7))
		b.Add(key, "down"+string(rune('0'+e)), true, normal, 7, 5)
	}
	b.Add(param.Key{Kind: param.Head, Layer: "head"}, "head", true, normal, 5, 2)
	set, err := b.Build(be, rng.New(1))
	if err != nil {
		t.Fatal(err)
	}
	return set, bank
}

// TestLayout: groups are contiguous and aligned, values depend on names alone, a bank sees its experts.
func TestLayout(t *testing.T) {
	be := ref.New()
	set, bank := model(t, be)
	end := 0
	for _, g := range set.Groups {
		if g.Off != end || g.Off%16 != 0 {
			t.Errorf("group %s at %d, want %d on a multiple of 16", g.Name(), g.Off, end)
		}
		end = g.Off + g.Len
		for _, p := range g.Params {
			if p.Off < g.Off || p.Off+p.Len() > end || p.Group != g {
				t.Errorf("%s at %d lies outside %s", p.Name, p.Off, g.Name())
			}
		}
	}
	if end != set.Flat.Len() || set.Count() != 3*5+5+3*2*35+10 || set.Lookup("up1") == nil || set.Lookup("none") != nil {
		t.Errorf("flat %d of %d, %d numbers", end, set.Flat.Len(), set.Count())
	}
	v := bank.Value()
	for e, p := range bank.Experts {
		for i := 0; i < 5; i++ {
			for j := 0; j < 7; j++ {
				if got := v.At(e).At(i).Narrow(0, j, 1).F64()[0]; got != p.Value.F64()[i*7+j] {
					t.Fatalf("bank[%d][%d][%d] = %v, want %v", e, i, j, got, p.Value.F64()[i*7+j])
				}
			}
		}
	}
	b := param.NewBuilder() // the same name in another order has the same values
	p := b.Add(param.Key{Layer: "other"}, "up1", true, normal, 5, 7)
	if _, err := b.Build(be, rng.New(1)); err != nil {
		t.Fatal(err)
	}
	for i, x := range p.Value.F64() {
		if x != set.Lookup("up1").Value.F64()[i] {
			t.Fatal("initial values depend on the order of declaration")
		}
	}
	b.Add(param.Key{}, "up1", true, normal, 2)
	if _, err := b.Build(be, rng.New(1)); err == nil || !strings.Contains(err.Error(), "declared twice") {
		t.Errorf("a name twice: %v", err)
	}
}

// write puts v into destination (g, task) of dst, as a kernel does.
func write(dst, touched tensor.Tensor, g, task int, v float64) {
	d := dst.At(g).At(task)
	f := &touched.I32()[g*touched.Stride(0)+task*touched.Stride(1)]
	for i := range d.F64() {
		if *f == 0 {
			d.F64()[i] = 0
		}
		d.F64()[i] += v
	}
	*f = 1
}

// TestSink: rows by task where several tasks reach a group, one row elsewhere; absent cells are known; parameters without a gradient read as zeros.
func TestSink(t *testing.T) {
	be := ref.New()
	set, bank := model(t, be)
	reach := []uint64{0b11, 0b11, 0b11, 0b11, 0b10}
	k, err := param.NewPerTask(be, set, 2, reach)
	if err != nil {
		t.Fatal(err)
	}
	be.Fill(k.Jac, 99) // garbage of an earlier step
	be.Fill(k.Grad, 99)
	k.Begin(be)
	dst, touched := k.Rows(set.Lookup("w"))
	write(dst, touched, 0, 1, 1)
	write(dst, touched, 0, 1, 2)
	dst, touched = k.BankRows(bank)
	write(dst, touched, 2, 0, 5)
	dst, touched = k.Rows(set.Lookup("head"))
	write(dst, touched, 0, 1, 7)
	present := be.New(dtype.I32, len(set.Groups), 2)
	k.Settle(be, tensor.Tensor{}, present, false)
	for gi, want := range [][]int32{{0, 1}, {0, 0}, {0, 0}, {1, 0}} {
		if got := present.I32()[2*gi : 2*gi+2]; !slices.Equal(got, want) {
			t.Errorf("%s: present %v, want %v", set.Groups[gi].Name(), got, want)
		}
	}
	row := k.GroupRows(set.Groups[0]).At(1).F64()
	if row[0] != 3 || row[16] != 0 {
		t.Errorf("task 1 of the shared group: w %v, b %v; want 3 and 0 (no gradient)", row[0], row[16])
	}
	expert := set.Groups[3]
	row = k.GroupRows(expert).At(0).F64()
	if row[0] != 5 || row[expert.Params[1].Off-expert.Off] != 0 {
		t.Errorf("task 0 of expert 2: up %v, down %v; want 5 and 0", row[0], row[expert.Params[1].Off-expert.Off])
	}
	head := set.Groups[4]
	if k.PerTask(head) {
		t.Error("a group that one task reaches has rows by task")
	}
	if got := k.GroupGrad(head).F64()[0]; got != 7 {
		t.Errorf("gradient of the head %v, want 7", got)
	}
	plain := param.NewPlain(be, set)
	dst, touched = plain.Rows(set.Lookup("w"))
	write(dst, touched, 0, 0, 1)
	if dst.Dim(1) != 1 || plain.Grad.F64()[0] != 1 {
		t.Errorf("plain sink: %v, gradient %v", dst, plain.Grad.F64()[0])
	}
	if _, err := param.NewPerTask(be, set, 2, reach[:2]); err == nil {
		t.Error("a reach of too few groups is accepted")
	}
}
