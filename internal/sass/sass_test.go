package sass_test

import (
	"slices"
	"testing"

	"artel/internal/sass"
)

// listing has the shapes that matter: a loop in a loop, a wait that spins out of line and jumps back into the middle of the loop, predicated ends, a kernel without tensor cores, and
// a loop that nothing reaches.
const listing = `
.text.nested:
        /*0000*/                   MOV R1, c[0x0][0x28] ;
.L_x_0:
        /*0010*/                   IADD3 R0, R0, 0x1, RZ ;
        /*0020*/                   HMMA.16816.F32.BF16 R4, R8, R12, R4 ;
.L_x_1:
        /*0030*/                   LDSM.16.M88.4 R8, [R2] ;
        /*0040*/                   HMMA.16816.F32.BF16 R4, R8, R12, R4 ;
        /*0050*/                   HMMA.16816.F32.BF16 R4, R8, R12, R4 ;
        /*0060*/               @P1 BRA ` + "`(.L_x_3)" + ` ;
.L_x_2:
        /*0070*/                   ISETP.GE.AND P0, PT, R0, R3, PT ;
        /*0080*/              @!P0 BRA ` + "`(.L_x_1)" + ` ;
        /*0090*/              @!P2 BRA ` + "`(.L_x_0)" + ` ;
        /*00a0*/              @!P3 EXIT ;
        /*00b0*/                   EXIT ;
.L_x_3:
        /*00c0*/                   SYNCS.PHASECHK.TRANS64.TRYWAIT P1, [UR4], R2 ;
        /*00d0*/               @P1 BRA ` + "`(.L_x_3)" + ` ;
        /*00e0*/                   BRA ` + "`(.L_x_2)" + ` ;
.L_x_4:
        /*00f0*/                   HMMA.16816.F32.BF16 R4, R8, R12, R4 ;
        /*0100*/                   HMMA.16816.F32.BF16 R4, R8, R12, R4 ;
        /*0110*/                   HMMA.16816.F32.BF16 R4, R8, R12, R4 ;
        /*0120*/                   BRA ` + "`(.L_x_4)" + `;
.text.plain:
.L_x_9:
        /*0000*/                   FFMA R0, R1, R2, R3 ;
        /*0010*/               @P0 BRA ` + "`(.L_x_9)" + ` ;
        /*0020*/                   EXIT ;
.text.straight:
        /*0000*/                   HMMA.16816.F32.BF16 R4, R8, R12, R4 ;
        /*0010*/                   EXIT ;
.text.warpgroup:
.L_x_5:
        /*0000*/                   HGMMA.64x64x16.F32.BF16 R24, gdesc[UR12], R24, gsb0 ;
        /*0010*/                   BRA.U UP0, ` + "`(.L_x_5)" + ` ;
        /*0020*/                   EXIT ;
`

func TestMainLoops(t *testing.T) {
	got := sass.MainLoops(listing)
	want := []sass.Loop{
		{"nested", 9, 2}, // the inner loop with its wait
		{"warpgroup", 2, 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
