//go:build !purego

#include "textflag.h"

// lanes holds 0..15 for the gather indices.
DATA lanes<>+0(SB)/4, $0
DATA lanes<>+4(SB)/4, $1
DATA lanes<>+8(SB)/4, $2
DATA lanes<>+12(SB)/4, $3
DATA lanes<>+16(SB)/4, $4
DATA lanes<>+20(SB)/4, $5
DATA lanes<>+24(SB)/4, $6
DATA lanes<>+28(SB)/4, $7
DATA lanes<>+32(SB)/4, $8
DATA lanes<>+36(SB)/4, $9
DATA lanes<>+40(SB)/4, $10
DATA lanes<>+44(SB)/4, $11
DATA lanes<>+48(SB)/4, $12
DATA lanes<>+52(SB)/4, $13
DATA lanes<>+56(SB)/4, $14
DATA lanes<>+60(SB)/4, $15
GLOBL lanes<>(SB), RODATA|NOPTR, $64

// func gatherPack(dst, src *float32, stride, k int, mask uint64)
//
// dst[kk*32+j] = src[j*stride+kk] for j < 32 with the mask bit set, else 0.
// Registers: DI dst, SI src (lanes 0..15), R10 src of lanes 16..31, DX k left, Z0 lane*stride, K1 K2 masks, K3 the mask that a gather eats.
TEXT ·gatherPack(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ k+24(FP), DX
	MOVQ mask+32(FP), R9
	KMOVW R9, K1
	SHRQ $16, R9
	KMOVW R9, K2
	VPBROADCASTD R8, Z0
	VPMULLD lanes<>(SB), Z0, Z0
	SHLQ $6, R8              // 16 lanes * stride * 4 bytes
	LEAQ (SI)(R8*1), R10
	TESTQ DX, DX
	JZ done
loop:
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	KMOVW K1, K3
	VGATHERDPS (SI)(Z0*4), K3, Z1
	KMOVW K2, K3
	VGATHERDPS (R10)(Z0*4), K3, Z2
	VMOVUPS Z1, (DI)
	VMOVUPS Z2, 64(DI)
	ADDQ $4, SI
	ADDQ $4, R10
	ADDQ $128, DI
	DECQ DX
	JNZ loop
done:
	VZEROUPPER
	RET
