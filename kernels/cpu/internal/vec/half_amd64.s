//go:build !purego

#include "textflag.h"

// func round512(dst *uint16, x *float32, n int)
//
// DI dst, SI x, CX left; Z16 1, Z17 0x7FFF, Z18 the bit that makes a NaN quiet.
TEXT ·round512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	MOVL $1, AX
	VPBROADCASTD AX, Z16
	MOVL $0x7FFF, AX
	VPBROADCASTD AX, Z17
	MOVL $0x400000, AX
	VPBROADCASTD AX, Z18
	KXNORW K1, K1, K1
loop:
	CMPQ CX, $16
	JGE full
	TESTQ CX, CX
	JLE done
	MOVL $1, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
full:
	VMOVUPS.Z (SI), K1, Z0
	VCMPPS $3, Z0, Z0, K2
	VPSRLD $16, Z0, Z1
	VPANDD Z16, Z1, Z1
	VPADDD Z17, Z1, Z1
	VPADDD Z0, Z1, Z1
	VPORD Z18, Z0, K2, Z1
	VPSRLD $16, Z1, Z1
	VPMOVDW Z1, K1, (DI)
	ADDQ $64, SI
	ADDQ $32, DI
	SUBQ $16, CX
	JMP loop
done:
	VZEROUPPER
	RET

// func widen512(dst *float32, x *uint16, n int)
//
// DI dst, SI x, CX left.
TEXT ·widen512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	KXNORW K1, K1, K1
loop:
	CMPQ CX, $16
	JGE full
	TESTQ CX, CX
	JLE done
	MOVL $1, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
full:
	VPMOVZXWD.Z (SI), K1, Z0
	VPSLLD $16, Z0, Z0
	VMOVUPS Z0, K1, (DI)
	ADDQ $32, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JMP loop
done:
	VZEROUPPER
	RET
