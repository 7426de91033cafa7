package peak

import "golang.org/x/sys/cpu"

//go:noescape
func fma512(turns int, buf *float32)

//go:noescape
func fma2(turns int, buf *float32)

//go:noescape
func dot512(turns int, buf *float32)

func kinds() (ks []Kind) {
	if cpu.X86.HasAVX512F {
		ks = append(ks, Kind{"avx512", 24 * 32, fma512})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		ks = append(ks, Kind{"avx2", 12 * 16, fma2})
	}
	if cpu.X86.HasAVX512BF16 {
		ks = append(ks, Kind{"bf16", 24 * 64, dot512})
	}
	return ks
}
