//go:build !purego

#include "textflag.h"

// lane numbers; then what a scalar is spread from: one, a step of sixteen, -Inf, the keys of NaN and of nothing
DATA top<>+0(SB)/8, $0x0000000100000000
DATA top<>+8(SB)/8, $0x0000000300000002
DATA top<>+16(SB)/8, $0x0000000500000004
DATA top<>+24(SB)/8, $0x0000000700000006
DATA top<>+32(SB)/8, $0x0000000900000008
DATA top<>+40(SB)/8, $0x0000000b0000000a
DATA top<>+48(SB)/8, $0x0000000d0000000c
DATA top<>+56(SB)/8, $0x0000000f0000000e
DATA top<>+64(SB)/4, $1
DATA top<>+68(SB)/4, $16
DATA top<>+72(SB)/4, $0xff800000
DATA top<>+76(SB)/4, $0x80000001
DATA top<>+80(SB)/4, $0x80000000
GLOBL top<>(SB), RODATA|NOPTR, $84

// BEAT(r): lane i of Z7 counts lane (i+r) mod 16 when that comes before it. Lanes that wrap around have a lower number and win ties: their
// keys, in Z6, are larger by one.
#define BEAT(r) \
	VALIGND $r, Z5, Z6, Z8; \
	VPCMPGTD Z5, Z8, K2; \
	VPADDD Z20, Z7, K2, Z7

// RANK: Z7 is the number of lanes that come before each lane of Z0; lanes that K1 has not come last. -0 is 0.
#define RANK \
	VADDPS Z0, Z31, Z0; \
	VPSRAD $31, Z0, Z5; \
	VPSRLD $1, Z5, Z5; \
	VPXORD Z5, Z0, Z5; \
	VCMPPS $3, Z0, Z0, K2; \
	VMOVDQA32 Z22, K2, Z5; \
	VPBLENDMD Z5, Z23, K1, Z5; \
	VPADDD Z20, Z5, Z6; \
	VPXORD Z7, Z7, Z7; \
	BEAT(1); \
	BEAT(2); \
	BEAT(3); \
	BEAT(4); \
	BEAT(5); \
	BEAT(6); \
	BEAT(7); \
	BEAT(8); \
	BEAT(9); \
	BEAT(10); \
	BEAT(11); \
	BEAT(12); \
	BEAT(13); \
	BEAT(14); \
	BEAT(15)

// FIRST(n): K1 is the first n lanes.
#define FIRST(n) \
	MOVL $-1, AX; \
	BZHIL n, AX, AX; \
	KMOVW AX, K1

// FOUND(x): appends the numbers of the elements in Z12, of those in x, that are at least Z11, to the R11 that are on the stack.
#define FOUND(x) \
	VCMPPS $0x12, x, Z11, K2; \
	KMOVW K2, AX; \
	VPCOMPRESSD.Z Z12, K2, Z14; \
	VMOVDQU32 Z14, index-128(SP)(R11*4); \
	POPCNTL AX, AX; \
	ADDQ AX, R11; \
	VPADDD Z21, Z12, Z12

// func top512(picks *int32, k int, x *float32, n int) bool
//
// A row of one vector is ranked. Of a longer one the k-th largest of the sixteen largest, each of the elements i mod 16, is a bound that at least k elements reach,
// and few more as a rule: those are ranked.
TEXT ·top512(SB), NOSPLIT, $128-33
	MOVQ picks+0(FP), DI
	MOVQ k+8(FP), R8
	MOVQ x+16(FP), SI
	MOVQ n+24(FP), CX
	VMOVDQU32 top<>+0(SB), Z12
	VPBROADCASTD top<>+64(SB), Z20
	VPBROADCASTD top<>+68(SB), Z21
	VPBROADCASTD top<>+76(SB), Z22
	VPBROADCASTD top<>+80(SB), Z23
	VPXORD Z31, Z31, Z31
	CMPQ CX, $16
	JG many
	FIRST(CX)
	VMOVUPS.Z (SI), K1, Z0
	VMOVDQU32 Z12, index-128(SP)
	JMP rank

many:
	VBROADCASTSS top<>+72(SB), Z0
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z0, Z3
	MOVQ SI, BX
	MOVQ CX, DX
	SUBQ $64, DX
	JL most

most4: // VMAXPS returns the largest so far when the element is NaN
	VMOVUPS (BX), Z4
	VMOVUPS 64(BX), Z5
	VMOVUPS 128(BX), Z6
	VMOVUPS 192(BX), Z7
	VMAXPS Z0, Z4, Z0
	VMAXPS Z1, Z5, Z1
	VMAXPS Z2, Z6, Z2
	VMAXPS Z3, Z7, Z3
	ADDQ $256, BX
	SUBQ $64, DX
	JGE most4
	VMAXPS Z1, Z0, Z0
	VMAXPS Z2, Z3, Z2
	VMAXPS Z2, Z0, Z0

most:
	ADDQ $48, DX
	JL mostLast
	VMOVUPS (BX), Z4
	VMAXPS Z0, Z4, Z0
	ADDQ $64, BX
	SUBQ $64, DX
	JMP most

mostLast:
	ADDQ $16, DX
	JZ bound
	FIRST(DX)
	VMOVUPS.Z (BX), K1, Z4
	VMAXPS Z0, Z4, K1, Z0

bound:
	KXNORW K1, K1, K1
	RANK
	LEAQ -1(R8), R10
	VPBROADCASTD R10, Z8
	VPCMPEQD Z8, Z7, K2
	KMOVW K2, AX
	TZCNTL AX, AX
	VPBROADCASTD AX, Z8
	VPERMPS Z0, Z8, Z11
	XORQ R11, R11
	MOVQ SI, BX
	MOVQ CX, DX
	SUBQ $16, DX

found:
	FOUND((BX))
	CMPQ R11, $16
	JG undecided
	ADDQ $64, BX
	SUBQ $16, DX
	JGE found
	ADDQ $16, DX
	JZ all
	FIRST(DX)
	VMOVUPS.Z (BX), K1, Z4
	VCMPPS $0x12, Z4, Z11, K1, K2
	KMOVW K2, AX
	VPCOMPRESSD.Z Z12, K2, Z14
	VMOVDQU32 Z14, index-128(SP)(R11*4)
	POPCNTL AX, AX
	ADDQ AX, R11
	CMPQ R11, $16
	JG undecided

all:
	CMPQ R11, R8
	JL undecided
	FIRST(R11)
	KMOVW K1, K3
	VMOVDQU32.Z index-128(SP), K1, Z12
	VPXORD Z0, Z0, Z0
	VGATHERDPS (SI)(Z12*4), K3, Z0

rank:
	RANK
	VPXORD Z10, Z10, Z10
	XORQ DX, DX

pick:
	VPCMPEQD Z10, Z7, K2
	KMOVW K2, AX
	TZCNTL AX, AX
	MOVL index-128(SP)(AX*4), AX
	MOVL AX, (DI)(DX*4)
	VPADDD Z20, Z10, Z10
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

// func above256(index *int32, x *float32, n int, bound float32) int
TEXT ·above256(SB), NOSPLIT, $0-40
	MOVQ index+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS bound+24(FP), Y0
	XORQ DX, DX
	XORQ R8, R8

eight:
	SUBQ $8, CX
	JL end
	VMOVUPS (SI)(DX*4), Y1
	VCMPPS $0x16, Y0, Y1, Y1 // not <=: greater, or one of them is NaN
	VMOVMSKPS Y1, AX
	TESTL AX, AX
	JZ next

each:
	TZCNTL AX, BX
	ADDL DX, BX
	MOVL BX, (DI)(R8*4)
	INCQ R8
	BLSRL AX, AX
	JNZ each

next:
	ADDQ $8, DX
	JMP eight

end:
	MOVQ R8, ret+32(FP)
	VZEROUPPER
	RET
