package emu_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu"
)

// boxKernel loads a box at the coordinates in %r10.. and stores shared memory word by word, or writes shared memory and stores it as a box.
func boxKernel(rank int, load bool, words int) string {
	var coords []string
	for i := range rank {
		coords = append(coords, fmt.Sprintf("%%r%d", 10+i))
	}
	c := strings.Join(coords, ", ")
	text := fmt.Sprintf(`.version 8.0
.target sm_90a
.address_size 64
.visible .entry k(.param .align 64 .b8 map[128], .param .u64 a, .param .align 4 .b8 at[20])
{
.reg .pred %%p<4>; .reg .b32 %%r<20>; .reg .b64 %%rd<8>;
.shared .align 1024 .b8 s[16384]; .shared .align 8 .b8 bar[8];
mov.b64 %%rd1, map; cvta.param.u64 %%rd2, %%rd1; ld.param.u64 %%rd3, [a];
ld.param.u32 %%r10, [at]; ld.param.u32 %%r11, [at+4]; ld.param.u32 %%r12, [at+8]; ld.param.u32 %%r13, [at+12]; ld.param.u32 %%r14, [at+16];
mov.u32 %%r1, s; mov.u32 %%r2, 0;
`)
	loop := fmt.Sprintf("L: %%s add.u32 %%%%r1, %%%%r1, 4; add.s64 %%%%rd3, %%%%rd3, 4; add.u32 %%%%r2, %%%%r2, 1; setp.lt.u32 %%%%p1, %%%%r2, %d; @%%%%p1 bra L;\n", words)
	if load {
		text += fmt.Sprintf(`mbarrier.init.shared.b64 [bar], 1; mbarrier.arrive.expect_tx.shared.b64 _, [bar], %d;
cp.async.bulk.tensor.%dd.shared::cluster.global.mbarrier::complete_tx::bytes [s], [%%rd2, {%s}], [bar];
W: mbarrier.try_wait.parity.shared.b64 %%p1, [bar], 0; @!%%p1 bra W;
`, 4*words, rank, c) + fmt.Sprintf(loop, "ld.shared.u32 %r3, [%r1]; st.global.u32 [%rd3], %r3;")
	} else {
		text += fmt.Sprintf(loop, "ld.global.u32 %r3, [%rd3]; st.shared.u32 [%r1], %r3;") + fmt.Sprintf(`fence.proxy.async.shared::cta;
cp.async.bulk.tensor.%dd.global.shared::cta.bulk_group [%%rd2, {%s}], [s]; cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;
`, rank, c)
	}
	return text + "ret;\n}\n"
}

type boxCase struct {
	name    string
	rank    int
	dims    [5]uint64
	box     [5]uint32
	steps   [5]uint32
	at      [5]int32
	swizzle driver.Swizzle
	nan     bool
}

var boxCases = []boxCase{
	{"vector, end outside", 1, [5]uint64{100}, [5]uint32{32}, [5]uint32{1}, [5]int32{80}, 0, false},
	{"matrix inside", 2, [5]uint64{64, 20}, [5]uint32{16, 8}, [5]uint32{1, 1}, [5]int32{8, 3}, 0, false},
	{"matrix, before the start", 2, [5]uint64{64, 20}, [5]uint32{16, 8}, [5]uint32{1, 1}, [5]int32{-3, -2}, 0, false},
	{"matrix, NaN outside", 2, [5]uint64{64, 20}, [5]uint32{16, 8}, [5]uint32{1, 1}, [5]int32{56, 17}, 0, true},
	{"wholly outside", 2, [5]uint64{64, 20}, [5]uint32{16, 8}, [5]uint32{1, 1}, [5]int32{64, 0}, 0, false},
	{"swizzle 32", 2, [5]uint64{64, 40}, [5]uint32{8, 32}, [5]uint32{1, 1}, [5]int32{8, 3}, driver.Swizzle32, false},
	{"swizzle 64", 2, [5]uint64{64, 40}, [5]uint32{16, 32}, [5]uint32{1, 1}, [5]int32{8, 3}, driver.Swizzle64, false},
	{"swizzle 128, end outside", 2, [5]uint64{64, 40}, [5]uint32{32, 32}, [5]uint32{1, 1}, [5]int32{40, 20}, driver.Swizzle128, false},
	{"three dimensions", 3, [5]uint64{16, 7, 5}, [5]uint32{8, 3, 2}, [5]uint32{1, 1, 1}, [5]int32{4, 5, 4}, 0, false},
	{"every second row", 2, [5]uint64{16, 20}, [5]uint32{8, 7}, [5]uint32{1, 2}, [5]int32{4, 11}, 0, false},
	{"five dimensions", 5, [5]uint64{8, 3, 3, 3, 3}, [5]uint32{4, 2, 2, 2, 2}, [5]uint32{1, 1, 1, 1, 1}, [5]int32{2, 1, 2, 0, 1}, 0, false},
}

// taken is the number of places that a box takes in a dimension.
func (c *boxCase) taken(k int) int { return int((c.box[k] + c.steps[k] - 1) / c.steps[k]) }

// TestBoxes loads boxes of float32 tensors and compares them with indexing, then stores them back into an empty tensor.
func TestBoxes(t *testing.T) {
	for _, c := range boxCases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, emu.Options{Sanitize: true})
			total, words := 1, 1
			d := driver.Tiled{Type: driver.F32, Rank: c.rank, Dims: c.dims, Box: c.box, Steps: c.steps, Swizzle: c.swizzle, NaNFill: c.nan}
			for i := range c.rank {
				total *= int(c.dims[i])
				words *= c.taken(i)
				if i+1 < c.rank {
					d.Strides[i] = uint64(4 * total)
				}
			}
			x := randoms(total, 41)
			d.Base = driver.Ptr(r.put(x))
			if err := d.Check(); err != nil {
				t.Fatal(err)
			}
			at := make([]byte, 0, 20)
			for _, v := range c.at {
				at = append(at, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
			}
			run := func(load bool, p emu.Ptr) {
				m, err := r.dev.LoadModule("box.ptx", []byte(boxKernel(c.rank, load, words)))
				if err != nil {
					t.Fatal(err)
				}
				tm := emu.EncodeTiled(&d)
				r.launch(r.fn(m, "k"), d1(1), d1(1), 0, tm[:], p, at)
			}
			got := make([]float32, words)
			p := r.put(got)
			run(true, p)
			r.get(p, got)
			want, inside := c.want(x, words)
			for i := range want {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) && !(got[i] != got[i] && want[i] != want[i]) {
					t.Fatalf("word %d of the box: got %v, want %v", i, got[i], want[i])
				}
			}
			// The way back must fill exactly the places of the tensor that lie in the box.
			empty := make([]float32, total)
			d.Base = driver.Ptr(r.put(empty))
			run(false, p)
			r.get(emu.Ptr(d.Base), empty)
			for i, v := range empty {
				if w := x[i]; inside[i] && v != w || !inside[i] && v != 0 {
					t.Fatalf("element %d of the tensor: got %v, in the box %v", i, v, inside[i])
				}
			}
		})
	}
}

// want indexes the tensor element by element: the box in shared memory, and which elements of the tensor lie in it. Rows of a swizzled box are as wide as
// the swizzle, and the 16-byte pieces of a row are permuted by the row's number, with a period of eight rows of 128 bytes.
func (c *boxCase) want(x []float32, words int) ([]float32, []bool) {
	out, inside := make([]float32, words), make([]bool, len(x))
	for i := range words {
		rest, index, stride, ok := i, 0, 1, true
		for k := range c.rank {
			j := int(c.at[k]) + rest%c.taken(k)*int(c.steps[k])
			rest /= c.taken(k)
			if j < 0 || j >= int(c.dims[k]) {
				ok = false
			}
			index += j * stride
			stride *= int(c.dims[k])
		}
		v := float32(0)
		if ok {
			v, inside[index] = x[index], true
		} else if c.nan {
			v = float32(math.NaN())
		}
		to := i
		if c.swizzle != 0 {
			width := 4 << c.swizzle // words of a row
			line := i / 32          // of 128 bytes
			row, piece := i/width, i%width/4
			piece ^= line % 8 % (1 << c.swizzle)
			to = row*width + piece*4 + i%4
		}
		out[to] = v
	}
	return out, inside
}
