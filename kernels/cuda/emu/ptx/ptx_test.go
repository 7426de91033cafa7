package ptx_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"artel/kernels/cuda/emu/ptx"
)

// TestReal reads what the compiler writes.
func TestReal(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.ptx")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	kernels := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m, err := ptx.Parse(f, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range m.Kernels {
			kernels++
			if len(k.Code) < 10 {
				t.Errorf("%s: %s: %d instructions", f, k.Name, len(k.Code))
			}
		}
	}
	if kernels < 6 {
		t.Errorf("%d kernels, want at least 6", kernels)
	}
}

const head = ".version 8.0\n.target sm_80\n.address_size 64\n"

func TestForms(t *testing.T) {
	m, err := ptx.Parse("forms.ptx", []byte(head+`
.extern .shared .align 16 .b8 dyn[];
.const .align 4 .b32 table[3] = {1, -2, 3};
.visible .entry k(.param .u32 a, .param .u64 .ptr .global .align 4 b, .param .align 64 .b8 map[128]) .maxntid 128, 2, 1
{
	.reg .pred %p<3>; .reg .b32 %r<4>; .reg .b64 %rd<2>; .reg .f32 f;
	{ .reg .pred %p1; L: @!%p1 bra L; }
	mov.f32 f, 0fFF800000; mov.b32 %r1, -7;
	ld.param.u64 %rd1, [b]; ld.global.v2.u32 {%r1, _}, [%rd1+-8];
	shfl.sync.idx.b32 %r2|%p2, %r1, 0, 31, -1;
	mov.u32 %r3, %tid.x; mov.u32 %r3, dyn; ld.const.u32 %r1, [table+4];
DONE:
	ret;
}`))
	if err != nil {
		t.Fatal(err)
	}
	k := m.Kernels[0]
	if k.MaxThreads != 256 || k.ParamSize != 192 || k.Params[1].Offset != 8 || k.Params[2].Offset != 64 {
		t.Errorf("kernel %+v", k.Params)
	}
	if len(m.Vars) != 2 || !m.Vars[0].Extern || m.Vars[1].Size != 12 || m.Vars[1].Init[4] != 0xfe {
		t.Errorf("variables %+v %+v", m.Vars[0], m.Vars[1])
	}
	bra := k.Code[0]
	if bra.Op != "bra" || !bra.GuardNot || k.Regs[bra.Guard].Name != "%p1" || bra.Guard < 7 || bra.Args[0].Target != 0 {
		t.Errorf("branch %+v", bra)
	}
	if a := k.Code[1].Args[1]; a.Kind != ptx.KF32 || a.Bits != 0xff800000 {
		t.Errorf("float %+v", a)
	}
	if a := k.Code[2].Args[1]; a.Kind != ptx.KInt || int64(a.Bits) != -7 {
		t.Errorf("integer %+v", a)
	}
	ld := k.Code[4]
	if ld.Opcode() != "ld.global.v2.u32" || ld.Args[0].List[1].Kind != ptx.KSink || ld.Args[1].Off != -8 {
		t.Errorf("load %+v", ld)
	}
	if a := k.Code[5].Args[0]; a.Kind != ptx.KPair || k.Regs[a.List[1].Reg].Type != ptx.Pred {
		t.Errorf("pair %+v", a)
	}
	if a := k.Code[8].Args[1]; a.List[0].Var != m.Vars[1] || a.Off != 4 {
		t.Errorf("constant %+v", a)
	}
}

// TestFunctions reads declarations, definitions, calls by name and by address, and tables of addresses.
func TestFunctions(t *testing.T) {
	m, err := ptx.Parse("functions.ptx", []byte(head+`
.func (.param .b32 r) f(.param .b32 a, .param .align 8 .b8 s[24]);
.extern .func vprintf(.param .b64 a);
.global .align 4 .b32 words[2] = {1, 2};
.global .align 8 .u64 table[3] = {0, f, generic(words)+4};
.entry k() {
	.reg .b32 %r<2>; .reg .b64 %rd<2>;
	mov.u64 %rd1, f;
	{ .param .b32 p0; .param .align 8 .b8 p1[24]; .param .b32 r0;
	call.uni (r0), f, (p0, p1);
	proto : .callprototype (.param .b32 _) _ (.param .b32 _, .param .align 8 .b8 _[24]);
	call (r0), %rd1, (p0, p1), proto;
	}
	ret;
}
.func (.param .b32 r) f(.param .b32 a, .param .align 8 .b8 s[24]) { .reg .b32 %r; ld.param.u32 %r, [s+16]; st.param.b32 [r], %r; ret; }
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Funcs) != 2 || !m.Funcs[0].Defined || m.Funcs[0].Formals[1].Size != 24 || !m.Funcs[1].Extern || m.Funcs[1].Defined {
		t.Fatalf("functions %+v", m.Funcs)
	}
	f, code := m.Funcs[0], m.Kernels[0].Code
	if code[0].Args[1].Func != f || code[1].Args[1].Func != f || code[2].Args[1].Kind != ptx.KReg || len(code[1].Args[0].List) != 1 || code[2].Args[2].List[1].Var.Size != 24 {
		t.Errorf("calls %+v %+v", code[1], code[2])
	}
	if r := m.Vars[1].Relocs; len(r) != 2 || r[0].Func != f || r[0].At != 8 || r[1].Var != m.Vars[0] || r[1].Off != 4 || !r[1].Generic || len(m.Vars[1].Init) != 24 {
		t.Errorf("relocations %+v", r)
	}
}

func TestMistakes(t *testing.T) {
	body := func(s string) string { return head + ".entry k() {\n.reg .pred %p;\n.reg .b32 %r;\n" + s + "\n}\n" }
	for _, c := range []struct {
		text, want string
		line       int
	}{
		{"hello", "want a directive", 1},
		{".version 8.0\n", "no .target", 2},
		{body("bra NOWHERE;"), "'NOWHERE' is not declared", 7},
		{body("add.s32 %r, %r 1;"), "want ';'", 7},
		{body("mov.b32 %r, 0fzz;"), "cannot be read", 7},
		{body("@%r bra L;"), "not a predicate", 7},
		{body("call foo;"), "'foo' is not a function", 7},
		{body("call %r, (%r), p;"), "not a .param variable", 7},
		{head + ".func f(.param .b32 a) { ret; } .func f(.param .b32 a) { ret; }", "defined twice", 4},
		{head + ".func (.param .b32 a, .param .b32 b) f();", "2 results", 4},
		{head + ".func f(.reg .b32 a);", "other parameters", 4},
		{head + ".global .u64 t[1] = {nobody};", "neither a variable nor a function", 4},
		{head + ".func f(); .global .u32 t[1] = {f};", "an address in a variable of .u32", 4},
		{body("L: L: ret;"), "declared twice", 7},
		{head + ".entry k() {", "without end", 4},
		{head + ".shared .align 3 .b8 x[4];", "power of two", 4},
		{head + "/* never", "comment without end", 4},
		{head + ".address_size 32", "want 64", 4},
		{head + "\x01", "not part of PTX", 4},
	} {
		_, err := ptx.Parse("bad.ptx", []byte(c.text))
		var e *ptx.Error
		if !errors.As(err, &e) || e.Line != c.line || !strings.Contains(e.Msg, c.want) || e.File != "bad.ptx" {
			t.Errorf("%q: %v, want line %d: %s", c.text, err, c.line, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(head + ".entry k(.param .u32 a) { .reg .b32 %r<2>; L: ld.param.u32 %r1, [a+0]; @%p bra L; ret; }"))
	f.Add([]byte(head + ".const .b32 t[2] = {1, {2}};"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if m, err := ptx.Parse("fuzz.ptx", text); (m == nil) == (err == nil) {
			t.Fatal("neither module nor error")
		}
	})
}
