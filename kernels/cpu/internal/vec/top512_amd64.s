//go:build !purego

#include "textflag.h"

// lane numbers; then what a scalar is spread from: one, -Inf, the keys of NaN and of nothing
DATA top<>+0(SB)/8, $0x0000000100000000
DATA top<>+8(SB)/8, $0x0000000300000002
DATA top<>+16(SB)/8, $0x0000000500000004
DATA top<>+24(SB)/8, $0x0000000700000006
DATA top<>+32(SB)/8, $0x0000000900000008
DATA top<>+40(SB)/8, $0x0000000b0000000a
DATA top<>+48(SB)/8, $0x0000000d0000000c
DATA top<>+56(SB)/8, $0x0000000f0000000e
DATA top<>+64(SB)/4, $1
DATA top<>+68(SB)/4, $0xff800000
DATA top<>+72(SB)/4, $0x80000001
DATA top<>+76(SB)/4, $0x80000000
GLOBL top<>(SB), RODATA|NOPTR, $80

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
	KMOVD AX, K1

// func top512(picks *int32, k int, x *float32, n int) bool
//
// A row of one vector is ranked. Of a longer one the k-th largest of the sixteen largest, each of the elements i mod 16, is a bound that at least k
// elements reach, and few more as a rule: those are ranked.
TEXT ·top512(SB), NOSPLIT, $128-33
	MOVQ picks+0(FP), DI
	MOVQ k+8(FP), R8
	MOVQ x+16(FP), SI
	MOVQ n+24(FP), CX
	VMOVDQU32 top<>+0(SB), Z12
	VPBROADCASTD top<>+64(SB), Z20
	VPBROADCASTD top<>+72(SB), Z22
	VPBROADCASTD top<>+76(SB), Z23
	VPXORD Z31, Z31, Z31
	CMPQ CX, $16
	JG many
	FIRST(CX)
	VMOVUPS.Z (SI), K1, Z0
	VMOVDQU32 Z12, index-64(SP)
	JMP rank

many:
	VBROADCASTSS top<>+68(SB), Z0
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
	XORQ DX, DX
	SUBQ $32, CX
	JL rest

found: // by pairs of vectors
	VCMPPS $0x12, (SI)(DX*4), Z11, K2
	VCMPPS $0x12, 64(SI)(DX*4), Z11, K3
	KUNPCKWD K2, K3, K2
	KMOVD K2, AX
	TESTL AX, AX
	JZ next

each:
	TZCNTL AX, R9
	ADDL DX, R9
	CMPQ R11, $16
	JGE undecided
	MOVL R9, index-64(SP)(R11*4)
	MOVL (SI)(R9*4), R10
	MOVL R10, value-128(SP)(R11*4)
	INCQ R11
	BLSRL AX, AX
	JNZ each

next:
	ADDQ $32, DX
	SUBQ $32, CX
	JGE found

rest:
	ADDQ $32, CX
	JLE all
	FIRST(CX)
	VMOVUPS.Z (SI)(DX*4), K1, Z4
	VCMPPS $0x12, Z4, Z11, K1, K2
	KSHIFTRD $16, K1, K1
	VMOVUPS.Z 64(SI)(DX*4), K1, Z4
	VCMPPS $0x12, Z4, Z11, K1, K3
	KUNPCKWD K2, K3, K2
	KMOVD K2, AX
	XORQ CX, CX // after these no more
	TESTL AX, AX
	JNZ each

all:
	CMPQ R11, R8
	JL undecided
	FIRST(R11)
	VMOVUPS value-128(SP), Z0

rank:
	RANK
	VPXORD Z10, Z10, Z10
	XORQ DX, DX

pick:
	VPCMPEQD Z10, Z7, K2
	KMOVW K2, AX
	TZCNTL AX, AX
	MOVL index-64(SP)(AX*4), AX
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
