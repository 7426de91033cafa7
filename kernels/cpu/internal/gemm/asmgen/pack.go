package main

import (
	"bytes"
	"fmt"
)

// pack writes the copies of rows into a panel and into a tile, each for consecutive and for indexed rows.
//
// Registers: DI dst, SI src, R8 stride of src in bytes, DX rows left, R9 index, R10 current row, K1 K2 masks, BX stride of dst in bytes.
func pack(b *bytes.Buffer) {
	const start = "// func %s(dst, src *float32, stride, k int, mask uint64, step int, index *int32)\n//\n" +
		"// %s\nTEXT ·%s(SB), NOSPLIT, $0-56\n" +
		"\tMOVQ dst+0(FP), DI\n\tMOVQ src+8(FP), SI\n\tMOVQ stride+16(FP), R8\n\tMOVQ k+24(FP), DX\n\tMOVQ mask+32(FP), R9\n" +
		"\tMOVQ step+40(FP), BX\n\tSHLQ $2, R8\n\tSHLQ $2, BX\n\tKMOVW R9, K1\n\tSHRQ $16, R9\n\tKMOVW R9, K2\n\tMOVQ index+48(FP), R9\n" +
		"\tTESTQ DX, DX\n\tJZ done\n\tTESTQ R9, R9\n\tJNZ indexed\n"
	fmt.Fprintf(b, start, "packPanel512", "Row k of dst is row k of src (row index[k] with an index), the columns of mask and zeros up to Panel.", "packPanel512")
	const panel = "\tVMOVUPS.Z (%[1]s), K1, Z0\n\tVMOVUPS.Z 64(%[1]s), K2, Z1\n\tVMOVUPS Z0, (DI)\n\tVMOVUPS Z1, 64(DI)\n"
	loops(b, panel)
	fmt.Fprintf(b, start, "packTile512", "Row k of dst is row k of src (row index[k] with an index), the columns of mask, at most 16.", "packTile512")
	const tile = "\tVMOVUPS.Z (%[1]s), K1, Z0\n\tVMOVUPS Z0, K1, (DI)\n"
	loops(b, tile)
}

// tiles writes the copies of four tiles of 12 rows at once: their parts of a row of the source share cache lines.
//
// Registers as in pack; R11 the tile's distance in bytes, R12 three times that, R10 the current row; for pairs R13 the next one.
func tiles(b *bytes.Buffer, name, doc string, pairs bool) {
	fmt.Fprintf(b, "// func %s(dst, src *float32, stride, k, far int, index *int32)\n//\n// %s\nTEXT ·%s(SB), NOSPLIT, $0-48\n", name, doc, name)
	b.WriteString("\tMOVQ dst+0(FP), DI\n\tMOVQ src+8(FP), SI\n\tMOVQ stride+16(FP), R8\n\tMOVQ k+24(FP), DX\n\tMOVQ far+32(FP), R11\n\tMOVQ index+40(FP), R9\n" +
		"\tSHLQ $2, R8\n\tSHLQ $2, R11\n\tLEAQ (R11)(R11*2), R12\n\tMOVL $0xFFF, AX\n\tKMOVW AX, K1\n")
	rows := []string{"R10"}
	if pairs {
		rows = []string{"R10", "R13"}
		b.WriteString("\tVMOVUPS pairs<>(SB), Z31\n")
	}
	b.WriteString("loop:\n")
	for n, row := range rows {
		if n > 0 {
			b.WriteString("\tCMPQ DX, $1\n\tJE single\n")
		}
		const ask = "\tPREFETCHT0 (BX)\n\tPREFETCHT0 64(BX)\n\tPREFETCHT0 128(BX)\n"
		fmt.Fprintf(b, "\tTESTQ R9, R9\n\tJNZ indexed%[1]d\n\tMOVQ SI, %[2]s\n\tADDQ R8, SI\n\tLEAQ (%[2]s)(R8*8), BX\n"+ask+"\tJMP ready%[1]d\n"+
			"indexed%[1]d:\n\tMOVLQSX (R9), %[2]s\n\tIMULQ R8, %[2]s\n\tADDQ SI, %[2]s\n\tCMPQ DX, $9\n\tJLE near%[1]d\n\tMOVLQSX 32(R9), BX\n\tIMULQ R8, BX\n\tADDQ SI, BX\n"+ask+
			"near%[1]d:\n\tADDQ $4, R9\nready%[1]d:\n", n, row)
	}
	to := []string{"(DI)", "(DI)(R11*1)", "(DI)(R11*2)", "(DI)(R12*1)"}
	step := 1
	if !pairs {
		for j := range to {
			fmt.Fprintf(b, "\tVMOVUPS.Z %d(R10), K1, Z%d\n\tVMOVUPS Z%d, K1, %s\n", 48*j, j, j, to[j])
		}
	} else {
		step = 2
		for j := range to {
			fmt.Fprintf(b, "\tVMOVUPS.Z %d(R13), K1, Z%d\n", 48*j, 4+j)
		}
		b.WriteString("join:\n")
		for j := range to {
			fmt.Fprintf(b, "\tVMOVUPS.Z %d(R10), K1, Z%d\n%s\tVPERMW Z%d, Z31, Z%d\n\tVMOVUPS Z%d, K1, %s\n", 48*j, j, round(8+j, 4+j, j), 8+j, 8+j, 8+j, to[j])
		}
	}
	fmt.Fprintf(b, "\tADDQ $48, DI\n\tSUBQ $%d, DX\n\tJG loop\n\tVZEROUPPER\n\tRET\n", step)
	if pairs {
		b.WriteString("single:\n")
		for j := range to {
			fmt.Fprintf(b, "\tVPXORQ Z%d, Z%d, Z%d\n", 4+j, 4+j, 4+j)
		}
		b.WriteString("\tJMP join\n")
	}
	b.WriteString("\n")
}

// prefetch writes the request for rows of a matrix that will be packed next, and the walk over rows that will be read in another order.
//
// Registers: SI row, R8 stride in bytes, DX rows left, CX bytes of a row, R9 line, BX lines left.
func prefetch(b *bytes.Buffer) {
	walk(b, "prefetchRows", "Asks for the lines of n elements of each row.", "PREFETCHT1 (R9)")
	walk(b, "touchRows", "Reads a word of each line of n elements of each row.", "MOVL (R9), AX")
}

// walk writes a loop over the lines of rows.
func walk(b *bytes.Buffer, name, doc, line string) {
	fmt.Fprintf(b, "// func %s(src *float32, stride, rows, n int)\n//\n// %s\nTEXT ·%s(SB), NOSPLIT, $0-32\n", name, doc, name)
	b.WriteString("\tMOVQ src+0(FP), SI\n\tMOVQ stride+8(FP), R8\n\tMOVQ rows+16(FP), DX\n\tMOVQ n+24(FP), CX\n\tSHLQ $2, R8\n\tSHLQ $2, CX\n" +
		"row:\n\tMOVQ SI, R9\n\tMOVQ CX, BX\n" +
		"line:\n\t" + line + "\n\tADDQ $64, R9\n\tSUBQ $64, BX\n\tJG line\n" +
		"\tADDQ R8, SI\n\tDECQ DX\n\tJNZ row\n\tRET\n\n")
}

// loops writes the two loops around the copy of a row.
//
// Rows are far apart, where the processor does not guess the next ones: they are asked for eight in advance.
func loops(b *bytes.Buffer, row string) {
	b.WriteString("loop:\n\tPREFETCHT0 (SI)(R8*8)\n\tPREFETCHT0 64(SI)(R8*8)\n")
	fmt.Fprintf(b, row, "SI")
	b.WriteString("\tADDQ R8, SI\n\tADDQ BX, DI\n\tDECQ DX\n\tJNZ loop\ndone:\n\tVZEROUPPER\n\tRET\nindexed:\n" +
		"\tCMPQ DX, $8\n\tJLE last\n\tMOVLQSX 32(R9), R10\n\tIMULQ R8, R10\n\tPREFETCHT0 (SI)(R10*1)\n\tPREFETCHT0 64(SI)(R10*1)\n" +
		"last:\n\tMOVLQSX (R9), R10\n\tIMULQ R8, R10\n\tADDQ SI, R10\n")
	fmt.Fprintf(b, row, "R10")
	b.WriteString("\tADDQ $4, R9\n\tADDQ BX, DI\n\tDECQ DX\n\tJNZ indexed\n\tVZEROUPPER\n\tRET\n\n")
}

// transpose writes the packing of columns that are contiguous along k: blocks of 16 by 16, transposed in registers.
//
// Registers: DI dst, SI column 0, R8 stride of columns in bytes, DX k left, CX columns, R9 current column, K1 the mask of k.
func transpose(b *bytes.Buffer) {
	b.WriteString("// func transpose512(dst, src *float32, stride, k, n int)\n//\n// dst[kk*Panel+j] = src[j*stride+kk] for j < n <= 16, else 0, j < 16; k is rounded up to 16, with zeros.\nTEXT ·transpose512(SB), NOSPLIT, $0-40\n" +
		"\tMOVQ dst+0(FP), DI\n\tMOVQ src+8(FP), SI\n\tMOVQ stride+16(FP), R8\n\tMOVQ k+24(FP), DX\n\tMOVQ n+32(FP), BX\n\tSHLQ $2, R8\n" +
		"\tMOVL $0xFFFF, AX\n\tKMOVW AX, K1\n" +
		"block:\n\tTESTQ DX, DX\n\tJLE done\n\tCMPQ DX, $16\n\tJGE whole\n\tMOVQ DX, CX\n\tMOVL $1, AX\n\tSHLL CX, AX\n\tDECL AX\n\tKMOVW AX, K1\nwhole:\n\tMOVQ SI, R9\n\tCMPQ BX, $16\n\tJLT few\n")
	for i := 0; i < 16; i++ {
		fmt.Fprintf(b, "\tVMOVUPS.Z (R9), K1, Z%d\n\tADDQ R8, R9\n", i)
	}
	b.WriteString("\tJMP mix\nfew:\n")
	for i := 0; i < 16; i++ {
		fmt.Fprintf(b, "\tVPXORQ Z%d, Z%d, Z%d\n", i, i, i)
	}
	for i := 0; i < 15; i++ {
		fmt.Fprintf(b, "\tCMPQ BX, $%d\n\tJLE mix\n\tVMOVUPS.Z (R9), K1, Z%d\n\tADDQ R8, R9\n", i, i)
	}
	b.WriteString("mix:\n")
	mix(b)
	b.WriteString("\tADDQ $64, SI\n\tADDQ $2048, DI\n\tSUBQ $16, DX\n\tJMP block\ndone:\n\tVZEROUPPER\n\tRET\n\n")
}

// mix transposes the 16 by 16 words of Z0 to Z15 and stores them in 16 rows of a panel.
func mix(b *bytes.Buffer) {
	for i := 0; i < 16; i += 2 { // pairs of columns
		fmt.Fprintf(b, "\tVUNPCKLPS Z%d, Z%d, Z%d\n\tVUNPCKHPS Z%d, Z%d, Z%d\n", i+1, i, 16+i, i+1, i, 17+i)
	}
	for g := 0; g < 16; g += 4 { // four columns: Z(g+c) holds rows 4*lane+c
		for c := 0; c < 2; c++ {
			fmt.Fprintf(b, "\tVUNPCKLPD Z%d, Z%d, Z%d\n\tVUNPCKHPD Z%d, Z%d, Z%d\n", 18+g+c, 16+g+c, g+2*c, 18+g+c, 16+g+c, g+2*c+1)
		}
	}
	for c := 0; c < 4; c++ { // lanes of the four groups
		t := 16 + 4*c
		fmt.Fprintf(b, "\tVSHUFF32X4 $0x44, Z%d, Z%d, Z%d\n\tVSHUFF32X4 $0xEE, Z%d, Z%d, Z%d\n", 4+c, c, t, 4+c, c, t+1)
		fmt.Fprintf(b, "\tVSHUFF32X4 $0x44, Z%d, Z%d, Z%d\n\tVSHUFF32X4 $0xEE, Z%d, Z%d, Z%d\n", 12+c, 8+c, t+2, 12+c, 8+c, t+3)
		for lane, op := range []struct{ imm, a, b int }{{0x88, t, t + 2}, {0xDD, t, t + 2}, {0x88, t + 1, t + 3}, {0xDD, t + 1, t + 3}} {
			fmt.Fprintf(b, "\tVSHUFF32X4 $0x%X, Z%d, Z%d, Z%d\n\tVMOVUPS Z%d, %d(DI)\n", op.imm, op.b, op.a, c, c, 128*(4*lane+c))
		}
	}
}
