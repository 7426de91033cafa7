//go:build !purego

#include "textflag.h"

// lane numbers; then what a scalar is spread from: -Inf, the keys of NaN and of nothing
DATA lanes<>+0(SB)/8, $0x0000000100000000
DATA lanes<>+8(SB)/8, $0x0000000300000002
DATA lanes<>+16(SB)/8, $0x0000000500000004
DATA lanes<>+24(SB)/8, $0x0000000700000006
DATA lanes<>+32(SB)/8, $0x0000000900000008
DATA lanes<>+40(SB)/8, $0x0000000b0000000a
DATA lanes<>+48(SB)/8, $0x0000000d0000000c
DATA lanes<>+56(SB)/8, $0x0000000f0000000e
DATA lanes<>+64(SB)/4, $0xff800000
DATA lanes<>+68(SB)/4, $0x80000002
DATA lanes<>+72(SB)/4, $0x80000001
GLOBL lanes<>(SB), RODATA|NOPTR, $76

// MASKS(n): Y10 and Y11 are ones in the first n of sixteen lanes.
#define MASKS(n) \
	VMOVQ n, X10; \
	VPBROADCASTD X10, Y11; \
	VPCMPGTD lanes<>+0(SB), Y11, Y10; \
	VPCMPGTD lanes<>+32(SB), Y11, Y11

// KEYS(x, mask, key): numbers in the order of x, 0 like -0, then NaN, then lanes that mask has not; y is scratch.
#define KEYS(x, mask, key, y) \
	VADDPS x, Y15, x; \
	VPSRAD $31, x, key; \
	VPSRLD $1, key, key; \
	VPXOR key, x, key; \
	VCMPPS $3, x, x, y; \
	VBLENDVPS y, Y13, key, key; \
	VBLENDVPS mask, key, Y12, key

// LOW(j, later) and HIGH(j, later): lanes whose number is less or more than 8 count lane j when that comes before them. Later lanes lose ties: their
// keys, in Y4 and Y5, are smaller by one.
#define LOW(j, later) \
	VPBROADCASTD key-128+4*j(SP), Y8; \
	VPBLENDD $later, Y4, Y2, Y9; \
	VPCMPGTD Y9, Y8, Y9; \
	VPSUBD Y9, Y6, Y6; \
	VPCMPGTD Y5, Y8, Y8; \
	VPSUBD Y8, Y7, Y7

#define HIGH(j, later) \
	VPBROADCASTD key-128+4*j(SP), Y8; \
	VPCMPGTD Y2, Y8, Y9; \
	VPSUBD Y9, Y6, Y6; \
	VPBLENDD $later, Y5, Y3, Y9; \
	VPCMPGTD Y9, Y8, Y9; \
	VPSUBD Y9, Y7, Y7

// RANK: Y6 and Y7 are the number of lanes that come before each lane of Y0 and Y1; lanes that Y10 and Y11 have not come last.
#define RANK \
	KEYS(Y0, Y10, Y2, Y8); \
	KEYS(Y1, Y11, Y3, Y8); \
	VMOVDQU Y2, key-128(SP); \
	VMOVDQU Y3, key-96(SP); \
	VPCMPEQD Y8, Y8, Y8; \
	VPADDD Y8, Y2, Y4; \
	VPADDD Y8, Y3, Y5; \
	VPXOR Y6, Y6, Y6; \
	VPXOR Y7, Y7, Y7; \
	LOW(0, 0xfe); \
	LOW(1, 0xfc); \
	LOW(2, 0xf8); \
	LOW(3, 0xf0); \
	LOW(4, 0xe0); \
	LOW(5, 0xc0); \
	LOW(6, 0x80); \
	LOW(7, 0x00); \
	HIGH(8, 0xfe); \
	HIGH(9, 0xfc); \
	HIGH(10, 0xf8); \
	HIGH(11, 0xf0); \
	HIGH(12, 0xe0); \
	HIGH(13, 0xc0); \
	HIGH(14, 0x80); \
	HIGH(15, 0x00)

// AT(rank): AX is the lane of that rank.
#define AT(rank) \
	VMOVQ rank, X8; \
	VPBROADCASTD X8, Y8; \
	VPCMPEQD Y8, Y6, Y9; \
	VMOVMSKPS Y9, AX; \
	VPCMPEQD Y8, Y7, Y9; \
	VMOVMSKPS Y9, R9; \
	SHLL $8, R9; \
	ORL R9, AX; \
	TZCNTL AX, AX

// func top256(picks *int32, k int, x *float32, n int) bool
//
// As top512 does it, with two registers for a vector and a branch for the few elements that reach the bound.
TEXT ·top256(SB), NOSPLIT, $192-33
	MOVQ picks+0(FP), DI
	MOVQ k+8(FP), R8
	MOVQ x+16(FP), SI
	MOVQ n+24(FP), CX
	VBROADCASTSS lanes<>+72(SB), Y12
	VBROADCASTSS lanes<>+68(SB), Y13
	VPXOR Y15, Y15, Y15
	CMPQ CX, $16
	JG many
	MASKS(CX)
	VMASKMOVPS (SI), Y10, Y0
	VMASKMOVPS 32(SI), Y11, Y1
	VMOVDQU lanes<>+0(SB), Y8
	VMOVDQU lanes<>+32(SB), Y9
	VMOVDQU Y8, index-64(SP)
	VMOVDQU Y9, index-32(SP)
	JMP rank

many:
	VBROADCASTSS lanes<>+64(SB), Y0
	VMOVAPS Y0, Y1
	VMOVAPS Y0, Y2
	VMOVAPS Y0, Y3
	MOVQ SI, BX
	MOVQ CX, DX
	SUBQ $32, DX
	JL most

most2: // VMAXPS returns the largest so far when the element is NaN
	VMOVUPS (BX), Y4
	VMOVUPS 32(BX), Y5
	VMOVUPS 64(BX), Y6
	VMOVUPS 96(BX), Y7
	VMAXPS Y0, Y4, Y0
	VMAXPS Y1, Y5, Y1
	VMAXPS Y2, Y6, Y2
	VMAXPS Y3, Y7, Y3
	ADDQ $128, BX
	SUBQ $32, DX
	JGE most2
	VMAXPS Y2, Y0, Y0
	VMAXPS Y3, Y1, Y1

most:
	ADDQ $16, DX
	JL mostLast
	VMOVUPS (BX), Y4
	VMOVUPS 32(BX), Y5
	VMAXPS Y0, Y4, Y0
	VMAXPS Y1, Y5, Y1
	ADDQ $64, BX
	SUBQ $16, DX

mostLast:
	ADDQ $16, DX
	JZ bound
	MASKS(DX)
	VMASKMOVPS (BX), Y10, Y4
	VMASKMOVPS 32(BX), Y11, Y5
	VMAXPS Y0, Y4, Y4
	VMAXPS Y1, Y5, Y5
	VBLENDVPS Y10, Y4, Y0, Y0
	VBLENDVPS Y11, Y5, Y1, Y1

bound:
	VPCMPEQD Y10, Y10, Y10
	VMOVAPS Y10, Y11
	VMOVUPS Y0, index-64(SP)
	VMOVUPS Y1, index-32(SP)
	RANK
	LEAQ -1(R8), R10
	AT(R10)
	VBROADCASTSS index-64(SP)(AX*4), Y14
	XORQ R11, R11
	XORQ DX, DX
	SUBQ $16, CX

found:
	VCMPPS $0x12, (SI)(DX*4), Y14, Y4
	VCMPPS $0x12, 32(SI)(DX*4), Y14, Y5
	VMOVMSKPS Y4, AX
	VMOVMSKPS Y5, R9
	SHLL $8, R9
	ORL R9, AX
	JZ next

each:
	TZCNTL AX, R9
	ADDL DX, R9
	CMPQ R11, $16
	JGE undecided
	MOVL R9, index-64(SP)(R11*4)
	MOVL (SI)(R9*4), R10
	MOVL R10, value-192(SP)(R11*4)
	INCQ R11
	BLSRL AX, AX
	JNZ each

next:
	ADDQ $16, DX
	SUBQ $16, CX
	JGE found
	ADDQ $16, CX
	JLE all
	MASKS(CX)
	VMASKMOVPS (SI)(DX*4), Y10, Y4
	VMASKMOVPS 32(SI)(DX*4), Y11, Y5
	VCMPPS $0x12, Y4, Y14, Y4
	VCMPPS $0x12, Y5, Y14, Y5
	VANDPS Y10, Y4, Y4
	VANDPS Y11, Y5, Y5
	VMOVMSKPS Y4, AX
	VMOVMSKPS Y5, R9
	SHLL $8, R9
	XORQ CX, CX // after these no more
	ORL R9, AX
	JNZ each

all:
	CMPQ R11, R8
	JL undecided
	MASKS(R11)
	VMOVUPS value-192(SP), Y0
	VMOVUPS value-160(SP), Y1

rank:
	RANK
	XORQ DX, DX

pick:
	AT(DX)
	MOVL index-64(SP)(AX*4), AX
	MOVL AX, (DI)(DX*4)
	INCQ DX
	CMPQ DX, R8
	JL pick
	MOVB $1, ret+32(FP)
	VZEROUPPER
	RET

undecided:
	MOVB $0, ret+32(FP)
	VZEROUPPER
	RET
