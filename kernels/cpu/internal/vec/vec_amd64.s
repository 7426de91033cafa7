//go:build !purego

#include "textflag.h"

// TAIL leaves in AX the mask of the CX < 16 elements that remain.
#define TAIL \
	MOVQ $1, AX; \
	SHLQ CX, AX; \
	DECQ AX

// func dot512(x, y *float32, n int) float32
//
// SI x, DI y, CX elements left; Z0..Z3 running sums of elements i mod 64.
TEXT ·dot512(SB), NOSPLIT, $0-28
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	SUBQ $64, CX
	JL rest
loop:
	VMOVUPS (SI), Z4
	VMOVUPS 64(SI), Z5
	VMOVUPS 128(SI), Z6
	VMOVUPS 192(SI), Z7
	VFMADD231PS (DI), Z4, Z0
	VFMADD231PS 64(DI), Z5, Z1
	VFMADD231PS 128(DI), Z6, Z2
	VFMADD231PS 192(DI), Z7, Z3
	ADDQ $256, SI
	ADDQ $256, DI
	SUBQ $64, CX
	JGE loop
rest:
	ADDQ $64, CX
	// Up to 63 elements: vectors go to the sums in turn.
	CMPQ CX, $16
	JL last0
	VMOVUPS (SI), Z4
	VFMADD231PS (DI), Z4, Z0
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	CMPQ CX, $16
	JL last1
	VMOVUPS (SI), Z4
	VFMADD231PS (DI), Z4, Z1
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	CMPQ CX, $16
	JL last2
	VMOVUPS (SI), Z4
	VFMADD231PS (DI), Z4, Z2
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	TAIL
	KMOVW AX, K1
	VMOVUPS.Z (SI), K1, Z4
	VMOVUPS.Z (DI), K1, Z5
	VFMADD231PS Z5, Z4, Z3
	JMP sum
last2:
	TAIL
	KMOVW AX, K1
	VMOVUPS.Z (SI), K1, Z4
	VMOVUPS.Z (DI), K1, Z5
	VFMADD231PS Z5, Z4, Z2
	JMP sum
last1:
	TAIL
	KMOVW AX, K1
	VMOVUPS.Z (SI), K1, Z4
	VMOVUPS.Z (DI), K1, Z5
	VFMADD231PS Z5, Z4, Z1
	JMP sum
last0:
	TAIL
	KMOVW AX, K1
	VMOVUPS.Z (SI), K1, Z4
	VMOVUPS.Z (DI), K1, Z5
	VFMADD231PS Z5, Z4, Z0
sum:
	VADDPS Z1, Z0, Z0
	VADDPS Z3, Z2, Z2
	VADDPS Z2, Z0, Z0
	VEXTRACTF64X4 $1, Z0, Y1
	VADDPS Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VPSHUFD $0xee, X0, X1
	VADDPS X1, X0, X0
	VPSHUFD $0x55, X0, X1
	VADDSS X1, X0, X0
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func axpy512(dst, x *float32, n int, alpha float32)
TEXT ·axpy512(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS alpha+24(FP), Z31
	SUBQ $32, CX
	JL rest
loop:
	VMOVUPS (DI), Z0
	VMOVUPS 64(DI), Z1
	VFMADD231PS (SI), Z31, Z0
	VFMADD231PS 64(SI), Z31, Z1
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	ADDQ $128, SI
	ADDQ $128, DI
	SUBQ $32, CX
	JGE loop
rest:
	ADDQ $32, CX
	CMPQ CX, $16
	JL last
	VMOVUPS (DI), Z0
	VFMADD231PS (SI), Z31, Z0
	VMOVUPS Z0, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
last:
	TAIL
	KMOVW AX, K1
	VMOVUPS.Z (DI), K1, Z0
	VMOVUPS.Z (SI), K1, Z1
	VFMADD231PS Z1, Z31, Z0
	VMOVUPS Z0, K1, (DI)
	VZEROUPPER
	RET

// func scale512(dst, x *float32, n int, alpha float32)
TEXT ·scale512(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS alpha+24(FP), Z31
	SUBQ $16, CX
	JL last
loop:
	VMULPS (SI), Z31, Z0
	VMOVUPS Z0, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JGE loop
last:
	ADDQ $16, CX
	TAIL
	KMOVW AX, K1
	VMOVUPS.Z (SI), K1, Z0
	VMULPS Z31, Z0, Z0
	VMOVUPS Z0, K1, (DI)
	VZEROUPPER
	RET

DATA consts<>+0(SB)/4, $0x3fb8aa3b  // log2(e)
DATA consts<>+4(SB)/4, $0x3f318000  // ln2, high part
DATA consts<>+8(SB)/4, $0xb95e8083  // ln2, low part
DATA consts<>+12(SB)/4, $0x3ab69700 // c6 = 0.00139304355
DATA consts<>+16(SB)/4, $0x3c088898 // c5 = 0.00833336078
DATA consts<>+20(SB)/4, $0x3d2aaa0d // c4 = 0.0416664854
DATA consts<>+24(SB)/4, $0x3e2aaaaa // c3 = 0.166666657
DATA consts<>+28(SB)/4, $0x3f000000 // c2 = 1/2
DATA consts<>+32(SB)/4, $0x3f800000 // 1
DATA consts<>+36(SB)/4, $0xc2d00000 // -104: e^-104 rounds to 0
DATA consts<>+40(SB)/4, $0x42b1999a // 88.8: e^88.8 overflows
GLOBL consts<>(SB), RODATA|NOPTR, $44

// CONSTS loads Z16..Z26 for EXP.
#define CONSTS \
	VBROADCASTSS consts<>+0(SB), Z16; \
	VBROADCASTSS consts<>+4(SB), Z17; \
	VBROADCASTSS consts<>+8(SB), Z18; \
	VBROADCASTSS consts<>+12(SB), Z19; \
	VBROADCASTSS consts<>+16(SB), Z20; \
	VBROADCASTSS consts<>+20(SB), Z21; \
	VBROADCASTSS consts<>+24(SB), Z22; \
	VBROADCASTSS consts<>+28(SB), Z23; \
	VBROADCASTSS consts<>+32(SB), Z24; \
	VBROADCASTSS consts<>+36(SB), Z25; \
	VBROADCASTSS consts<>+40(SB), Z26

// EXP(in, out): out = e^in; it smashes Z27 and in. n = round(x*log2e), r = x - n*ln2 in two parts, y = 2^n * poly(r).
// The clamps keep NaN, because VMINPS and VMAXPS return their first source operand here when one is NaN.
#define EXP(in, out) \
	VMINPS in, Z26, in; \
	VMAXPS in, Z25, in; \
	VMULPS Z16, in, Z27; \
	VRNDSCALEPS $8, Z27, Z27; \
	VFNMADD231PS Z17, Z27, in; \
	VFNMADD231PS Z18, Z27, in; \
	VMOVAPS Z19, out; \
	VFMADD213PS Z20, in, out; \
	VFMADD213PS Z21, in, out; \
	VFMADD213PS Z22, in, out; \
	VFMADD213PS Z23, in, out; \
	VFMADD213PS Z24, in, out; \
	VFMADD213PS Z24, in, out; \
	VSCALEFPS Z27, out, out

// SIGMOID(arg, sig): sig = 1/(1+e^-arg); it smashes Z27 and Z29.
#define SIGMOID(arg, sig) \
	VPXORQ Z29, Z29, Z29; \
	VSUBPS arg, Z29, Z29; \
	EXP(Z29, sig); \
	VADDPS Z24, sig, sig; \
	VDIVPS sig, Z24, sig

// func siluMul512(a, gate, u *float32, n int, s float32)
//
// DI a, SI g, BX u, CX left; Z31 s.
TEXT ·siluMul512(SB), NOSPLIT, $0-36
	MOVQ a+0(FP), DI
	MOVQ gate+8(FP), SI
	MOVQ u+16(FP), BX
	MOVQ n+24(FP), CX
	VBROADCASTSS s+32(FP), Z31
	CONSTS
	KXNORW K1, K1, K1
loop:
	CMPQ CX, $16
	JGE full
	TESTQ CX, CX
	JLE done
	TAIL
	KMOVW AX, K1
full:
	VMOVUPS.Z (SI), K1, Z0
	VMOVUPS.Z (BX), K1, Z1
	SIGMOID(Z0, Z2)
	VMULPS Z0, Z2, Z2
	VMULPS Z31, Z2, Z2
	VMULPS Z1, Z2, Z2
	VMOVUPS Z2, K1, (DI)
	ADDQ $64, SI
	ADDQ $64, BX
	ADDQ $64, DI
	SUBQ $16, CX
	JMP loop
done:
	VZEROUPPER
	RET

// func siluMulGrad512(dg, du, gate, u, da *float32, n int, s float32) float32
//
// DI dg, R8 du, SI g, BX u, R9 da, CX left; Z31 s, Z10 the sum. Vectors go to sixteen running sums only; the plain twin keeps 64.
TEXT ·siluMulGrad512(SB), NOSPLIT, $0-60
	MOVQ dg+0(FP), DI
	MOVQ du+8(FP), R8
	MOVQ gate+16(FP), SI
	MOVQ u+24(FP), BX
	MOVQ da+32(FP), R9
	MOVQ n+40(FP), CX
	VBROADCASTSS s+48(FP), Z31
	CONSTS
	VPXORQ Z10, Z10, Z10
	KXNORW K1, K1, K1
loop:
	CMPQ CX, $16
	JGE full
	TESTQ CX, CX
	JLE done
	TAIL
	KMOVW AX, K1
full:
	VMOVUPS.Z (SI), K1, Z0  // g
	VMOVUPS.Z (BX), K1, Z1  // u
	VMOVUPS.Z (R9), K1, Z3  // da
	SIGMOID(Z0, Z2)
	VMULPS Z0, Z2, Z4       // silu
	VMULPS Z3, Z4, Z5
	VFMADD231PS Z1, Z5, Z10 // sum += da*silu*u
	VMULPS Z31, Z3, Z3      // d
	VMULPS Z3, Z4, Z5       // du
	VSUBPS Z2, Z24, Z6      // 1 - sig
	VFMADD213PS Z2, Z4, Z6  // sig + silu*(1-sig)
	VMULPS Z1, Z3, Z3
	VMULPS Z6, Z3, Z3
	VMOVUPS Z5, K1, (R8)
	VMOVUPS Z3, K1, (DI)
	ADDQ $64, SI
	ADDQ $64, BX
	ADDQ $64, R9
	ADDQ $64, R8
	ADDQ $64, DI
	SUBQ $16, CX
	JMP loop
done:
	VEXTRACTF64X4 $1, Z10, Y1
	VADDPS Y1, Y10, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VPSHUFD $0xee, X0, X1
	VADDPS X1, X0, X0
	VPSHUFD $0x55, X0, X1
	VADDSS X1, X0, X0
	VMOVSS X0, ret+56(FP)
	VZEROUPPER
	RET

// ROUND(x, y): y is x rounded to bfloat16, in the lower half of each word; Z13, Z14, Z15 as HALVES sets them; it smashes K2.
#define ROUND(x, y) \
	VCMPPS $3, x, x, K2; \
	VPSRLD $16, x, y; \
	VPANDD Z13, y, y; \
	VPADDD Z14, y, y; \
	VPADDD x, y, y; \
	VPORD Z15, x, K2, y; \
	VPSRLD $16, y, y

// HALVES loads the constants of ROUND.
#define HALVES \
	MOVL $1, AX; \
	VPBROADCASTD AX, Z13; \
	MOVL $0x7FFF, AX; \
	VPBROADCASTD AX, Z14; \
	MOVL $0x400000, AX; \
	VPBROADCASTD AX, Z15

// func siluHalf512(a, hg, hu *uint16, gate, u *float32, n int)
//
// DI a, R8 hg, R9 hu, SI g, BX u, CX left.
TEXT ·siluHalf512(SB), NOSPLIT, $0-48
	MOVQ a+0(FP), DI
	MOVQ hg+8(FP), R8
	MOVQ hu+16(FP), R9
	MOVQ gate+24(FP), SI
	MOVQ u+32(FP), BX
	MOVQ n+40(FP), CX
	CONSTS
	HALVES
	KXNORW K1, K1, K1
loop:
	CMPQ CX, $16
	JGE full
	TESTQ CX, CX
	JLE done
	TAIL
	KMOVW AX, K1
full:
	VMOVUPS.Z (SI), K1, Z0
	VMOVUPS.Z (BX), K1, Z1
	ROUND(Z0, Z4)
	ROUND(Z1, Z5)
	VPMOVDW Z4, K1, (R8)
	VPMOVDW Z5, K1, (R9)
	VPSLLD $16, Z4, Z0
	VPSLLD $16, Z5, Z1
	SIGMOID(Z0, Z2)
	VMULPS Z0, Z2, Z2
	VMULPS Z1, Z2, Z2
	ROUND(Z2, Z4)
	VPMOVDW Z4, K1, (DI)
	ADDQ $64, SI
	ADDQ $64, BX
	ADDQ $32, R8
	ADDQ $32, R9
	ADDQ $32, DI
	SUBQ $16, CX
	JMP loop
done:
	VZEROUPPER
	RET

// func siluHalfGrad512(dg, du, a, gate, u *uint16, da *float32, n int, s float32) float32
//
// As siluMulGrad512, and R10 a.
TEXT ·siluHalfGrad512(SB), NOSPLIT, $0-68
	MOVQ dg+0(FP), DI
	MOVQ du+8(FP), R8
	MOVQ a+16(FP), R10
	MOVQ gate+24(FP), SI
	MOVQ u+32(FP), BX
	MOVQ da+40(FP), R9
	MOVQ n+48(FP), CX
	VBROADCASTSS s+56(FP), Z31
	CONSTS
	HALVES
	VPXORQ Z10, Z10, Z10
	KXNORW K1, K1, K1
loop:
	CMPQ CX, $16
	JGE full
	TESTQ CX, CX
	JLE done
	TAIL
	KMOVW AX, K1
full:
	VPMOVZXWD.Z (SI), K1, Z0 // g
	VPMOVZXWD.Z (BX), K1, Z1 // u
	VMOVUPS.Z (R9), K1, Z3   // da
	VPSLLD $16, Z0, Z0
	VPSLLD $16, Z1, Z1
	SIGMOID(Z0, Z2)
	VMULPS Z0, Z2, Z4        // silu
	VMULPS Z3, Z4, Z5
	VFMADD231PS Z1, Z5, Z10  // sum += da*silu*u
	VMULPS Z31, Z3, Z3       // d
	VMULPS Z3, Z4, Z5        // du
	VSUBPS Z2, Z24, Z6       // 1 - sig
	VFMADD213PS Z2, Z4, Z6   // sig + silu*(1-sig)
	VMULPS Z1, Z3, Z3
	VMULPS Z6, Z3, Z3
	ROUND(Z5, Z7)
	VPMOVDW Z7, K1, (R8)
	ROUND(Z3, Z8)
	VPMOVDW Z8, K1, (DI)
	TESTQ R10, R10
	JZ next
	VMULPS Z31, Z4, Z4
	VMULPS Z1, Z4, Z4
	ROUND(Z4, Z7)
	VPMOVDW Z7, K1, (R10)
	ADDQ $32, R10
next:
	ADDQ $32, SI
	ADDQ $32, BX
	ADDQ $64, R9
	ADDQ $32, R8
	ADDQ $32, DI
	SUBQ $16, CX
	JMP loop
done:
	VEXTRACTF64X4 $1, Z10, Y1
	VADDPS Y1, Y10, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VPSHUFD $0xee, X0, X1
	VADDPS X1, X0, X0
	VPSHUFD $0x55, X0, X1
	VADDSS X1, X0, X0
	VMOVSS X0, ret+64(FP)
	VZEROUPPER
	RET

// func adam512(p, grad, m, v *float32, n int, c *AdamStep)
//
// DI p, SI g, BX m, R8 v, CX left; Z16..Z25 the constants in the order of AdamStep.
TEXT ·adam512(SB), NOSPLIT, $0-48
	MOVQ p+0(FP), DI
	MOVQ grad+8(FP), SI
	MOVQ m+16(FP), BX
	MOVQ v+24(FP), R8
	MOVQ n+32(FP), CX
	MOVQ c+40(FP), R9
	VBROADCASTSS 0(R9), Z16
	VBROADCASTSS 4(R9), Z17
	VBROADCASTSS 8(R9), Z18
	VBROADCASTSS 12(R9), Z19
	VBROADCASTSS 16(R9), Z20
	VBROADCASTSS 20(R9), Z21
	VBROADCASTSS 24(R9), Z22
	VBROADCASTSS 28(R9), Z23
	VBROADCASTSS 32(R9), Z24
	VBROADCASTSS 36(R9), Z25
	KXNORW K1, K1, K1
loop:
	CMPQ CX, $16
	JGE full
	TESTQ CX, CX
	JLE done
	TAIL
	KMOVW AX, K1
full:
	VMOVUPS.Z (DI), K1, Z0
	VMOVUPS.Z (SI), K1, Z1
	VMOVUPS.Z (BX), K1, Z2
	VMOVUPS.Z (R8), K1, Z3
	VMULPS Z16, Z1, Z1
	VFMADD231PS Z17, Z0, Z1 // g' = scale*g + l2*p
	VMULPS Z18, Z2, Z2
	VFMADD231PS Z19, Z1, Z2 // m
	VMULPS Z1, Z1, Z4
	VMULPS Z20, Z3, Z3
	VFMADD231PS Z21, Z4, Z3 // v
	VSQRTPS Z3, Z5
	VFMADD213PS Z25, Z24, Z5 // sqrt(v)*root + eps
	VMULPS Z23, Z2, Z6
	VDIVPS Z5, Z6, Z6
	VMULPS Z22, Z0, Z0
	VSUBPS Z6, Z0, Z0
	VMOVUPS Z0, K1, (DI)
	VMOVUPS Z2, K1, (BX)
	VMOVUPS Z3, K1, (R8)
	ADDQ $64, DI
	ADDQ $64, SI
	ADDQ $64, BX
	ADDQ $64, R8
	SUBQ $16, CX
	JMP loop
done:
	VZEROUPPER
	RET
