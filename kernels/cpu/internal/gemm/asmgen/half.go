package main

import (
	"bytes"
	"fmt"
)

// evex is an instruction with three 512-bit registers that the assembler does not know, in bytes: opcode of map 0F38, W0, prefix pp (2: F3, 3: F2).
// In Intel's order dst, src1, src2.
func evex(name string, pp, opcode, dst, src1, src2 int) string {
	inverted := func(r, bit int) int { return ^r >> bit & 1 }
	code := []int{
		0x62,
		inverted(dst, 3)<<7 | inverted(src2, 4)<<6 | inverted(src2, 3)<<5 | inverted(dst, 4)<<4 | 2,
		(^src1&15)<<3 | 1<<2 | pp,
		2<<5 | inverted(src1, 4)<<3,
		opcode,
		3<<6 | dst&7<<3 | src2&7,
	}
	line := "\t"
	for i, c := range code {
		if i > 0 {
			line += "; "
		}
		line += fmt.Sprintf("BYTE $0x%02x", c)
	}
	return fmt.Sprintf("%s // %s Z%d, Z%d, Z%d\n", line, name, src2, src1, dst)
}

// dot is dst += sums of products of two neighbouring bfloat16 numbers of a and b.
func dot(dst, a, b int) string { return evex("VDPBF16PS", 2, 0x52, dst, a, b) }

// round is 32 bfloat16 numbers from float32: the lower half of dst from lo, the upper one from hi.
func round(dst, hi, lo int) string { return evex("VCVTNE2PS2BF16", 3, 0x72, dst, hi, lo) }

// half writes the packing of pairs of bfloat16 numbers that are neighbours along k.
func half(b *bytes.Buffer) {
	b.WriteString("// pairs<> interleaves the halves of a register.\n")
	for i := 0; i < 16; i += 2 {
		fmt.Fprintf(b, "DATA pairs<>+%d(SB)/8, $0x%04x%04x%04x%04x\n", 4*i, 16+i+1, i+1, 16+i, i)
	}
	b.WriteString("GLOBL pairs<>(SB), RODATA|NOPTR, $64\n\n")
	roundRow(b)
	pairRows(b, "pairPanel", "dst row i is rows 2i and 2i+1 of src (of index with an index) in pairs, the columns of mask and zeros up to Panel.", 2)
	tiles(b, "pairTiles", "Columns 12j to 12j+12 of rows 2k and 2k+1 of src (of index with an index) become row k of the tile at dst + j*far, for j < 4.", true)
	pairRows(b, "pairTile", "dst row i is rows 2i and 2i+1 of src (of index with an index) in pairs, the columns of mask, at most 16.", 1)
	b.WriteString("// func pairTranspose(dst *float32, src *float32, stride, k, n int)\n//\n// dst row i is elements 2i and 2i+1 of n <= 16 columns, else 0; k is rounded up to 32, with zeros.\nTEXT ·pairTranspose(SB), NOSPLIT, $0-40\n" +
		"\tMOVQ dst+0(FP), DI\n\tMOVQ src+8(FP), SI\n\tMOVQ stride+16(FP), R8\n\tMOVQ k+24(FP), DX\n\tMOVQ n+32(FP), BX\n\tSHLQ $2, R8\n" +
		"\tMOVL $0xFFFF, AX\n\tKMOVW AX, K1\n\tKMOVW AX, K2\n" +
		"block:\n\tTESTQ DX, DX\n\tJLE done\n\tCMPQ DX, $32\n\tJGE whole\n\tMOVQ DX, CX\n\tMOVQ $1, AX\n\tSHLQ CX, AX\n\tDECQ AX\n\tKMOVW AX, K1\n\tSHRQ $16, AX\n\tKMOVW AX, K2\n" +
		"whole:\n\tMOVQ SI, R9\n\tCMPQ BX, $16\n\tJLT few\n")
	column := func(i int) string {
		return "\tVMOVUPS.Z (R9), K1, Z16\n\tVMOVUPS.Z 64(R9), K2, Z17\n" + round(i, 17, 16) + "\tADDQ R8, R9\n"
	}
	for i := 0; i < 16; i++ {
		b.WriteString(column(i))
	}
	b.WriteString("\tJMP mix\nfew:\n")
	for i := 0; i < 16; i++ {
		fmt.Fprintf(b, "\tVPXORQ Z%d, Z%d, Z%d\n", i, i, i)
	}
	for i := 0; i < 15; i++ {
		fmt.Fprintf(b, "\tCMPQ BX, $%d\n\tJLE mix\n%s", i, column(i))
	}
	b.WriteString("mix:\n")
	mix(b)
	b.WriteString("\tADDQ $128, SI\n\tADDQ $2048, DI\n\tSUBQ $32, DX\n\tJMP block\ndone:\n\tVZEROUPPER\n\tRET\n\n")
}

// roundRow writes the rounding of a contiguous run.
func roundRow(b *bytes.Buffer) {
	b.WriteString("// func roundRow(dst, src *float32, k int)\n//\n// Rounds k elements; an odd one gets a zero as partner.\nTEXT ·roundRow(SB), NOSPLIT, $0-24\n" +
		"\tMOVQ dst+0(FP), DI\n\tMOVQ src+8(FP), SI\n\tMOVQ k+16(FP), DX\nloop:\n\tCMPQ DX, $32\n\tJLT tail\n\tVMOVUPS (SI), Z0\n\tVMOVUPS 64(SI), Z1\n")
	b.WriteString(round(2, 1, 0))
	b.WriteString("\tVMOVUPS Z2, (DI)\n\tADDQ $128, SI\n\tADDQ $64, DI\n\tSUBQ $32, DX\n\tJMP loop\ntail:\n\tTESTQ DX, DX\n\tJZ done\n" +
		"\tMOVQ DX, CX\n\tMOVQ $1, AX\n\tSHLQ CX, AX\n\tDECQ AX\n\tKMOVW AX, K1\n\tSHRQ $16, AX\n\tKMOVW AX, K2\n" +
		"\tINCQ CX\n\tSHRQ $1, CX\n\tMOVL $1, AX\n\tSHLL CX, AX\n\tDECL AX\n\tKMOVW AX, K3\n" +
		"\tVMOVUPS.Z (SI), K1, Z0\n\tVMOVUPS.Z 64(SI), K2, Z1\n")
	b.WriteString(round(2, 1, 0))
	b.WriteString("\tVMOVUPS Z2, K3, (DI)\ndone:\n\tVZEROUPPER\n\tRET\n\n")
}

// pairRows writes the copy of rows in pairs, of one or two registers.
//
// Registers as in pack; R10 R11 the two rows, Z31 the order of the halves.
func pairRows(b *bytes.Buffer, name, doc string, regs int) {
	fmt.Fprintf(b, "// func %s(dst, src *float32, stride, k int, mask uint64, step int, index *int32)\n//\n// %s\nTEXT ·%s(SB), NOSPLIT, $0-56\n", name, doc, name)
	b.WriteString("\tMOVQ dst+0(FP), DI\n\tMOVQ src+8(FP), SI\n\tMOVQ stride+16(FP), R8\n\tMOVQ k+24(FP), DX\n\tMOVQ mask+32(FP), R9\n" +
		"\tMOVQ step+40(FP), BX\n\tSHLQ $2, R8\n\tSHLQ $2, BX\n\tKMOVW R9, K1\n\tSHRQ $16, R9\n\tKMOVW R9, K2\n\tMOVQ index+48(FP), R9\n\tVMOVUPS pairs<>(SB), Z31\n" +
		"loop:\n\tCMPQ DX, $0\n\tJLE done\n\tTESTQ R9, R9\n\tJNZ indexed\n\tMOVQ SI, R10\n\tLEAQ (SI)(R8*1), R11\n\tLEAQ (SI)(R8*2), SI\n" +
		"\tPREFETCHT0 (SI)(R8*8)\n\tPREFETCHT0 64(SI)(R8*8)\n\tLEAQ (SI)(R8*1), AX\n\tPREFETCHT0 (AX)(R8*8)\n\tPREFETCHT0 64(AX)(R8*8)\n\tJMP both\n" +
		"indexed:\n\tMOVLQSX (R9), R10\n\tIMULQ R8, R10\n\tADDQ SI, R10\n\tCMPQ DX, $1\n\tJE both\n\tMOVLQSX 4(R9), R11\n\tIMULQ R8, R11\n\tADDQ SI, R11\n\tADDQ $8, R9\n" +
		"\tCMPQ DX, $8\n\tJLE both\n\tMOVLQSX 24(R9), AX\n\tIMULQ R8, AX\n\tPREFETCHT0 (SI)(AX*1)\n\tPREFETCHT0 64(SI)(AX*1)\n\tMOVLQSX 20(R9), AX\n\tIMULQ R8, AX\n\tPREFETCHT0 (SI)(AX*1)\n\tPREFETCHT0 64(SI)(AX*1)\n" +
		"both:\n")
	for r := 0; r < regs; r++ {
		fmt.Fprintf(b, "\tVMOVUPS.Z %d(R10), K%d, Z%d\n\tVPXORQ Z%d, Z%d, Z%d\n", 64*r, r+1, r, 2+r, 2+r, 2+r)
	}
	b.WriteString("\tCMPQ DX, $1\n\tJE single\n")
	for r := 0; r < regs; r++ {
		fmt.Fprintf(b, "\tVMOVUPS.Z %d(R11), K%d, Z%d\n", 64*r, r+1, 2+r)
	}
	b.WriteString("single:\n")
	for r := 0; r < regs; r++ {
		b.WriteString(round(4+r, 2+r, r))
		fmt.Fprintf(b, "\tVPERMW Z%d, Z31, Z%d\n", 4+r, 4+r)
		if regs == 1 {
			b.WriteString("\tVMOVUPS Z4, K1, (DI)\n")
		} else {
			fmt.Fprintf(b, "\tVMOVUPS Z%d, %d(DI)\n", 4+r, 64*r)
		}
	}
	b.WriteString("\tADDQ BX, DI\n\tSUBQ $2, DX\n\tJMP loop\ndone:\n\tVZEROUPPER\n\tRET\n\n")
}
