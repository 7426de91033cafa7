//go:build !purego

#include "textflag.h"

// lane numbers, eight, 32 words of ones and 32 of zeros
DATA lanes<>+0(SB)/8, $0x0000000100000000
DATA lanes<>+8(SB)/8, $0x0000000300000002
DATA lanes<>+16(SB)/8, $0x0000000500000004
DATA lanes<>+24(SB)/8, $0x0000000700000006
DATA lanes<>+32(SB)/8, $-1
DATA lanes<>+40(SB)/8, $-1
DATA lanes<>+48(SB)/8, $-1
DATA lanes<>+56(SB)/8, $-1
DATA lanes<>+64(SB)/8, $-1
DATA lanes<>+72(SB)/8, $-1
DATA lanes<>+80(SB)/8, $-1
DATA lanes<>+88(SB)/8, $-1
DATA lanes<>+96(SB)/8, $-1
DATA lanes<>+104(SB)/8, $-1
DATA lanes<>+112(SB)/8, $-1
DATA lanes<>+120(SB)/8, $-1
DATA lanes<>+128(SB)/8, $-1
DATA lanes<>+136(SB)/8, $-1
DATA lanes<>+144(SB)/8, $-1
DATA lanes<>+152(SB)/8, $-1
GLOBL lanes<>(SB), RODATA|NOPTR, $288

// SPREAD(r, y): y is the lower word of r, in all lanes.
#define SPREAD(r, x, y) \
	VMOVD r, x; \
	VPBROADCASTD x, y

// MULHILO(a, m, hi, lo): the halves of the products of 8 words; Y8 and Y9 are scratch.
#define MULHILO(a, m, hi, lo) \
	VPMULUDQ m, a, Y8; \
	VPSRLQ $32, a, Y9; \
	VPMULUDQ m, Y9, Y9; \
	VPSRLQ $32, Y8, hi; \
	VPBLENDD $0xAA, Y9, hi, hi; \
	VPSLLQ $32, Y9, lo; \
	VPBLENDD $0xAA, lo, Y8, lo

// ROUND: one round of Philox4x32 on Y0..Y3 with the key words in R10, R11.
#define ROUND \
	MULHILO(Y0, Y12, Y4, Y5); \
	MULHILO(Y2, Y13, Y6, Y7); \
	VPXOR Y1, Y6, Y0; \
	VPXOR Y3, Y4, Y2; \
	SPREAD(R10, X8, Y8); \
	SPREAD(R11, X9, Y9); \
	VPXOR Y8, Y0, Y0; \
	VPXOR Y9, Y2, Y2; \
	VMOVDQA Y7, Y1; \
	VMOVDQA Y5, Y3; \
	ADDL $0x9E3779B9, R10; \
	ADDL $0xBB67AE85, R11

// KEEP(w): w is ones where the word is at least the cut.
#define KEEP(w) \
	VPMAXUD Y14, w, Y8; \
	VPCMPEQD Y8, w, w

// WHOLE(off, keep) and PART(off, keep): 8 elements at byte off; of PART those that R12 points to the masks of.
#define WHOLE(off, keep) \
	VMULPS off(SI), Y15, Y8; \
	VANDPS keep, Y8, Y8; \
	VMOVUPS Y8, off(DI)

#define PART(off, keep) \
	VMOVDQU off(R12), Y9; \
	VMASKMOVPS off(SI), Y9, Y8; \
	VMULPS Y8, Y15, Y8; \
	VANDPS keep, Y8, Y8; \
	VMASKMOVPS Y8, Y9, off(DI)

// func dropout256(dst, x *float32, n int, key, hi uint64, cut uint32, scale float32)
//
// DI dst, SI x, CX left, R8 key, R9 hi; Y11 block numbers, Y12 Y13 the multipliers, Y14 the cut, Y15 the scale. Lane i makes the four words of
// elements 4i..4i+3.
TEXT ·dropout256(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ key+24(FP), R8
	MOVQ hi+32(FP), R9
	MOVL cut+40(FP), AX
	SPREAD(AX, X14, Y14)
	VBROADCASTSS scale+44(FP), Y15
	VMOVDQU lanes<>+0(SB), Y11
	MOVL $0xD2511F53, AX
	SPREAD(AX, X12, Y12)
	MOVL $0xCD9E8D57, AX
	SPREAD(AX, X13, Y13)
loop:
	TESTQ CX, CX
	JLE done
	VMOVDQA Y11, Y0
	VPXOR Y1, Y1, Y1
	SPREAD(R9, X2, Y2)
	MOVQ R9, AX
	SHRQ $32, AX
	SPREAD(AX, X3, Y3)
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
	KEEP(Y0)
	KEEP(Y1)
	KEEP(Y2)
	KEEP(Y3)
	VPUNPCKLDQ Y1, Y0, Y4
	VPUNPCKHDQ Y1, Y0, Y5
	VPUNPCKLDQ Y3, Y2, Y6
	VPUNPCKHDQ Y3, Y2, Y7
	VPUNPCKLQDQ Y6, Y4, Y0
	VPUNPCKHQDQ Y6, Y4, Y1
	VPUNPCKLQDQ Y7, Y5, Y2
	VPUNPCKHQDQ Y7, Y5, Y3
	VPERM2I128 $0x20, Y1, Y0, Y4
	VPERM2I128 $0x20, Y3, Y2, Y5
	VPERM2I128 $0x31, Y1, Y0, Y6
	VPERM2I128 $0x31, Y3, Y2, Y7
	CMPQ CX, $32
	JL last
	WHOLE(0, Y4)
	WHOLE(32, Y5)
	WHOLE(64, Y6)
	WHOLE(96, Y7)
	MOVL $8, AX
	SPREAD(AX, X8, Y8)
	VPADDD Y8, Y11, Y11
	ADDQ $128, SI
	ADDQ $128, DI
	SUBQ $32, CX
	JMP loop
last:
	MOVQ $32, AX
	SUBQ CX, AX
	LEAQ lanes<>+32(SB), R12
	LEAQ (R12)(AX*4), R12
	PART(0, Y4)
	PART(32, Y5)
	PART(64, Y6)
	PART(96, Y7)
done:
	VZEROUPPER
	RET
