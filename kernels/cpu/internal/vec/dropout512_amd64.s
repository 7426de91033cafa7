//go:build !purego

#include "textflag.h"

// lane numbers, Philox multipliers and key increments
DATA philox<>+0(SB)/4, $0
DATA philox<>+4(SB)/4, $1
DATA philox<>+8(SB)/4, $2
DATA philox<>+12(SB)/4, $3
DATA philox<>+16(SB)/4, $4
DATA philox<>+20(SB)/4, $5
DATA philox<>+24(SB)/4, $6
DATA philox<>+28(SB)/4, $7
DATA philox<>+32(SB)/4, $8
DATA philox<>+36(SB)/4, $9
DATA philox<>+40(SB)/4, $10
DATA philox<>+44(SB)/4, $11
DATA philox<>+48(SB)/4, $12
DATA philox<>+52(SB)/4, $13
DATA philox<>+56(SB)/4, $14
DATA philox<>+60(SB)/4, $15
DATA philox<>+64(SB)/4, $0xD2511F53
DATA philox<>+68(SB)/4, $0xCD9E8D57
GLOBL philox<>(SB), RODATA|NOPTR, $72

// MULHILO(a, m, hi, lo): the halves of the products of 16 words; K4 has the odd lanes, Z14 and Z15 are scratch.
#define MULHILO(a, m, hi, lo) \
	VPMULUDQ m, a, Z14; \
	VPSRLQ $32, a, Z15; \
	VPMULUDQ m, Z15, Z15; \
	VPMULLD m, a, lo; \
	VPSRLQ $32, Z14, hi; \
	VMOVDQA32 Z15, K4, hi

// ROUND: one round of Philox4x32 on Z0..Z3 with the key words in R10, R11.
#define ROUND \
	MULHILO(Z0, Z20, Z4, Z5); \
	MULHILO(Z2, Z21, Z6, Z7); \
	VPBROADCASTD R10, Z8; \
	VPBROADCASTD R11, Z9; \
	VPXORD Z1, Z6, Z0; \
	VPXORD Z8, Z0, Z0; \
	VPXORD Z3, Z4, Z2; \
	VPXORD Z9, Z2, Z2; \
	VMOVDQA32 Z7, Z1; \
	VMOVDQA32 Z5, Z3; \
	ADDL $0x9E3779B9, R10; \
	ADDL $0xBB67AE85, R11

// KEEP(words, bits): sets the bits of DX that stand for elements 4i+w whose word is at least the cut.
#define KEEP(words, bits) \
	VPCMPUD $5, Z23, words, K1; \
	KMOVW K1, AX; \
	MOVQ $bits, R12; \
	PDEPQ R12, AX, AX; \
	ORQ AX, DX

// PART(off): 16 elements at byte off, by the low 16 bits of DX (keep) and R13 (valid).
#define PART(off) \
	KMOVW R13, K2; \
	KMOVW DX, K3; \
	VMOVUPS.Z off(SI), K2, Z10; \
	VMULPS.Z Z24, Z10, K3, Z10; \
	VMOVUPS Z10, K2, off(DI); \
	SHRQ $16, DX; \
	SHRQ $16, R13

// func dropout512(dst, x *float32, n int, key, hi uint64, cut uint32, scale float32)
//
// DI dst, SI x, CX left, R8 key, R9 hi; Z16 block numbers, Z18 Z19 the high counter words, Z20 Z21 the multipliers, Z22 sixteen,
// Z23 the cut, Z24 the scale. Lane i makes the four words of elements 4i..4i+3.
TEXT ·dropout512(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ key+24(FP), R8
	MOVQ hi+32(FP), R9
	MOVL cut+40(FP), AX
	VPBROADCASTD AX, Z23
	VBROADCASTSS scale+44(FP), Z24
	VMOVDQU32 philox<>+0(SB), Z16
	VPBROADCASTD philox<>+64(SB), Z20
	VPBROADCASTD philox<>+68(SB), Z21
	MOVL $16, AX
	VPBROADCASTD AX, Z22
	VPBROADCASTD R9, Z18
	SHRQ $32, R9
	VPBROADCASTD R9, Z19
	MOVL $0xAAAA, AX
	KMOVW AX, K4
loop:
	TESTQ CX, CX
	JLE done
	VMOVDQA32 Z16, Z0
	VPXORD Z1, Z1, Z1
	VMOVDQA32 Z18, Z2
	VMOVDQA32 Z19, Z3
	MOVQ R8, R10
	MOVQ R8, R11
	SHRQ $32, R11
	ROUND
	ROUND
	ROUND
	ROUND
	ROUND
	ROUND
	ROUND
	ROUND
	ROUND
	ROUND
	XORQ DX, DX
	KEEP(Z0, 0x1111111111111111)
	KEEP(Z1, 0x2222222222222222)
	KEEP(Z2, 0x4444444444444444)
	KEEP(Z3, 0x8888888888888888)
	MOVQ $-1, R13
	CMPQ CX, $64
	JGE whole
	MOVQ $1, R13
	SHLQ CX, R13
	DECQ R13
whole:
	PART(0)
	PART(64)
	PART(128)
	PART(192)
	VPADDD Z22, Z16, Z16
	ADDQ $256, SI
	ADDQ $256, DI
	SUBQ $64, CX
	JMP loop
done:
	VZEROUPPER
	RET
