package ptx

// Type is the type of a register, a variable or an operation.
type Type uint8

// The types. Vectors of packed halves (F16x2, BF16x2) fill a 32-bit register.
const (
	NoType Type = iota
	Pred
	B8
	B16
	B32
	B64
	B128
	U8
	U16
	U32
	U64
	S8
	S16
	S32
	S64
	F16
	BF16
	TF32
	F16x2
	BF16x2
	F32
	F64
)

var typeNames = [...]string{"", "pred", "b8", "b16", "b32", "b64", "b128", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64",
	"f16", "bf16", "tf32", "f16x2", "bf16x2", "f32", "f64"}

var typeSizes = [...]int{0, 0, 1, 2, 4, 8, 16, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 4, 4, 4, 8}

// String returns the name without its dot.
func (t Type) String() string { return typeNames[t] }

// Size returns bytes; 0 for predicates.
func (t Type) Size() int { return typeSizes[t] }

// Signed reports whether the type is a signed integer.
func (t Type) Signed() bool { return t >= S8 && t <= S64 }

// Float reports whether the type is a floating-point type.
func (t Type) Float() bool { return t >= F16 }

// TypeOf finds a type by its name without dot; NoType when there is none.
func TypeOf(name string) Type {
	for i, n := range typeNames {
		if n == name && i > 0 {
			return Type(i)
		}
	}
	return NoType
}

// Space is a state space: where a variable lives.
type Space uint8

// The spaces.
const (
	NoSpace Space = iota
	Global
	Shared
	Local
	Const
	Parameter
)

var spaceNames = [...]string{"generic", "global", "shared", "local", "const", "param"}

// String returns the name without its dot.
func (s Space) String() string { return spaceNames[s] }

// SpaceOf finds a space by its name without dot; NoSpace when there is none.
func SpaceOf(name string) Space {
	for i, n := range spaceNames {
		if n == name && i > 0 {
			return Space(i)
		}
	}
	return NoSpace
}
