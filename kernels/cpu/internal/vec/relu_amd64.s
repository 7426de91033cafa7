//go:build !purego

#include "textflag.h"

// TAIL leaves in K1 the mask of the CX < 16 elements that remain.
#define TAIL \
	MOVQ $1, AX; \
	SHLQ CX, AX; \
	DECQ AX; \
	KMOVW AX, K1

// func relu512(dst, x *float32, n int)
//
// DI dst, SI x, CX left. Not (x <= 0) is true of positive numbers and NaN.
TEXT ·relu512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VPXORQ Z31, Z31, Z31
	KXNORW K1, K1, K1
loop:
	CMPQ CX, $16
	JGE full
	TESTQ CX, CX
	JLE done
	TAIL
full:
	VMOVUPS.Z (SI), K1, Z0
	VCMPPS $6, Z31, Z0, K1, K2
	VMOVUPS.Z Z0, K2, Z1
	VMOVUPS Z1, K1, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JMP loop
done:
	VZEROUPPER
	RET

// func reluGrad512(dx, x, dy *float32, n int)
//
// DI dx, SI x, BX dy, CX left.
TEXT ·reluGrad512(SB), NOSPLIT, $0-32
	MOVQ dx+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ dy+16(FP), BX
	MOVQ n+24(FP), CX
	VPXORQ Z31, Z31, Z31
	KXNORW K1, K1, K1
	CMPQ CX, $16
	JL rest
loop:
	VMOVUPS (SI), Z0
	VCMPPS $6, Z31, Z0, K1, K2
	VMOVUPS.Z (BX), K2, Z1
	VMOVUPS Z1, (DI)
	ADDQ $64, SI
	ADDQ $64, BX
	ADDQ $64, DI
	SUBQ $16, CX
	CMPQ CX, $16
	JGE loop
rest:
	TESTQ CX, CX
	JLE done
	TAIL
	VMOVUPS.Z (SI), K1, Z0
	VCMPPS $6, Z31, Z0, K1, K2
	VMOVUPS.Z (BX), K2, Z1
	VMOVUPS Z1, K1, (DI)
done:
	VZEROUPPER
	RET
