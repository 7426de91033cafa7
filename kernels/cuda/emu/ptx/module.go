package ptx

// Module is a file of PTX.
type Module struct {
	File    string
	Version string // of the language, "8.0"
	Target  string // "sm_90a"
	Vars    []*Var // variables of the module: global, const, shared
	Kernels []*Kernel
	Funcs   []*Func // device functions, also those that are only declared
}

// Var is a variable with an address.
type Var struct {
	Name   string
	Space  Space
	Align  int     // bytes
	Size   int     // bytes; 0 for an extern array without length
	Extern bool    // storage comes from outside: dynamic shared memory
	Init   []byte  // initial contents, nil for zeros
	Relocs []Reloc // addresses among them
	Line   int
}

// Reloc is an address in the initial contents of a variable: of a function or of another variable.
type Reloc struct {
	At      int // byte of the variable
	Func    *Func
	Var     *Var
	Off     int64
	Generic bool // an address of the generic space
}

// Func is a device function. Its parameters and results are variables of the frame of a call.
type Func struct {
	Kernel         // without parameters and launch bounds
	Formals []*Var // parameters
	Results []*Var // what it returns, at most one
	Defined bool   // it has a body
	Extern  bool   // it is the system's
}

// Param is a parameter of a kernel and its place in the parameter block.
type Param struct {
	Name   string
	Offset int // bytes
	Size   int // bytes
	Align  int // bytes
}

// Reg is a virtual register.
type Reg struct {
	Name string
	Type Type
}

// Kernel is an entry function.
type Kernel struct {
	Name      string
	Line      int
	Params    []Param
	ParamSize int // bytes of the parameter block
	Regs      []Reg
	Vars      []*Var // shared and local variables of the body
	Code      []Inst
	// MaxThreads is the product of .maxntid or .reqntid; 0 when neither is there.
	MaxThreads int
	// Required is .reqntid; zeros when absent.
	Required [3]int
	// Cluster is .reqnctapercluster; zeros when absent.
	Cluster [3]int
}

// Inst is an instruction.
type Inst struct {
	Line     int
	Guard    int // predicate register, -1 for none
	GuardNot bool
	Op       string   // first word of the opcode
	Mods     []string // the other words
	Args     []Operand
}

// Opcode returns the opcode with its modifiers.
func (in *Inst) Opcode() string {
	s := in.Op
	for _, m := range in.Mods {
		s += "." + m
	}
	return s
}

// Has reports whether the opcode has a modifier.
func (in *Inst) Has(mod string) bool {
	for _, m := range in.Mods {
		if m == mod {
			return true
		}
	}
	return false
}

// Kind is the form of an operand.
type Kind uint8

// The forms of operands.
const (
	KReg     Kind = iota // Reg; Not for a negated predicate
	KInt                 // Bits, two's complement
	KF32                 // Bits of a float32
	KF64                 // Bits of a float64
	KSpecial             // Name of a special register
	KVar                 // address of Var plus Off
	KParam               // address of parameter Param plus Off
	KMem                 // [List[0] + Off], coordinates in List[1:]
	KVec                 // List
	KPair                // List[0] | List[1]
	KLabel               // Target
	KFunc                // Func
	KSink                // _
)

// Operand is an argument of an instruction.
type Operand struct {
	Kind   Kind
	Reg    int
	Not    bool
	Bits   uint64
	Name   string
	Var    *Var
	Param  int
	Off    int64
	List   []Operand
	Target int
	Func   *Func
}
