package driver

// TensorMap is the descriptor that the TMA unit reads (CUtensorMap): 128 opaque bytes, at a multiple of 64 in the
// parameters of a kernel.
type TensorMap [128]byte

// Element is the element type of a tensor map (CUtensorMapDataType).
type Element int32

// The element types in use.
const (
	U8   Element = 0
	U16  Element = 1
	U32  Element = 2
	I32  Element = 3
	U64  Element = 4
	I64  Element = 5
	F16  Element = 6
	F32  Element = 7
	F64  Element = 8
	BF16 Element = 9
)

// Size returns the bytes of an element, 0 for a type that is not in use here.
func (e Element) Size() int {
	switch e {
	case U8:
		return 1
	case U16, F16, BF16:
		return 2
	case U32, I32, F32:
		return 4
	case U64, I64, F64:
		return 8
	}
	return 0
}

// Swizzle is the permutation of 16-byte pieces in shared memory (CUtensorMapSwizzle).
type Swizzle int32

// The swizzles.
const (
	NoSwizzle Swizzle = iota
	Swizzle32
	Swizzle64
	Swizzle128
)

// MaxTensorMapRank is the largest number of dimensions of a tensor map.
const MaxTensorMapRank = 5

// Tiled describes a tensor in global memory and the box that one copy moves; dimension 0 is the fastest.
type Tiled struct {
	Type    Element
	Rank    int
	Base    Ptr                          // a multiple of 16
	Dims    [MaxTensorMapRank]uint64     // elements
	Strides [MaxTensorMapRank - 1]uint64 // bytes, of dimensions 1..Rank-1, multiples of 16
	Box     [MaxTensorMapRank]uint32     // elements, at most 256 each; Box[0] fills a multiple of 16 bytes
	Steps   [MaxTensorMapRank]uint32     // element strides inside the box, 1 to 8
	Swizzle Swizzle                      // Box[0] is at most its width in bytes
	L2      L2Promotion                  // hint
	NaNFill bool                         // elements outside are NaN instead of 0; float types only
}

// L2Promotion is how much the second-level cache fetches at once (CUtensorMapL2promotion).
type L2Promotion int32

// The promotions.
const (
	L2None L2Promotion = iota
	L2Bytes64
	L2Bytes128
	L2Bytes256
)
