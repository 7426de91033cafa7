package emu_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"artel/kernels/cuda/emu"
)

// form is an instruction with numbers as operands and the result that the PTX manual, or IEEE 754, gives. bits is the size of the result, 1 for a predicate.
type form struct {
	op   string
	bits int
	args string
	want uint64
}

func f32(x float64) uint64 { return uint64(math.Float32bits(float32(x))) }

func s32(x int32) uint64 { return uint64(uint32(x)) }

func s64(x int64) uint64 { return uint64(x) }

// The numbers in arguments: F:x is x as float32, D:x as float64.
var forms = []form{
	{"add.s32", 32, "2147483647, 1", 1 << 31},
	{"add.sat.s32", 32, "2147483647, 1", 1<<31 - 1},
	{"add.u16", 16, "65535, 2", 1},
	{"add.s64", 64, "-1, 1", 0},
	{"add.f32", 32, "F:1.5, F:2.25", f32(3.75)},
	{"add.rz.f32", 32, "F:1, 0f33FFFFFF", f32(1)},
	{"add.rp.f32", 32, "F:1, 0f01000000", 0x3f800001},
	{"add.rm.f32", 32, "F:-1, 0f81000000", 0xbf800001},
	{"add.ftz.f32", 32, "0f00000001, 0f00000001", 0},
	{"add.sat.f32", 32, "F:0.75, F:0.75", f32(1)},
	{"add.rn.f64", 64, "D:1, D:0.5", math.Float64bits(1.5)},
	{"add.f16", 16, "0x3c00, 0x3c00", 0x4000},
	{"add.rn.bf16", 16, "0x3f80, 0x3f80", 0x4000},
	{"add.rn.bf16x2", 32, "0x3f803f80, 0x3f80c000", 0x4000bf80},
	{"add.rn.f16x2", 32, "0x3c003c00, 0x3c00bc00", 0x40000000},
	{"sub.s32", 32, "3, 5", s32(-2)},
	{"sub.sat.s32", 32, "-2147483648, 1", 1 << 31},
	{"sub.u64", 64, "3, 5", s64(-2)},
	{"sub.f32", 32, "F:1, F:0.25", f32(0.75)},
	{"sub.f64", 64, "D:1, D:0.25", math.Float64bits(0.75)},
	{"sub.rn.f16x2", 32, "0x3c003c00, 0x3c004000", 0x0000bc00},
	{"mul.lo.s32", 32, "65537, 65537", s32(131073)},
	{"mul.hi.s32", 32, "-65536, 65536", s32(-1)},
	{"mul.hi.u32", 32, "0xffff0000, 65536", 0xffff},
	{"mul.hi.s64", 64, "-4294967296, 4294967296", s64(-1)},
	{"mul.hi.u64", 64, "0xffffffff00000000, 0x100000000", 0xffffffff},
	{"mul.wide.s16", 32, "-300, 300", s32(-90000)},
	{"mul.wide.u16", 32, "65535, 2", 131070},
	{"mul.wide.s32", 64, "-5, 7", s64(-35)},
	{"mul.wide.u32", 64, "0xffffffff, 2", 0x1fffffffe},
	{"mul.lo.u16", 16, "300, 300", 90000 & 0xffff},
	{"mul.lo.s64", 64, "-3, 5", s64(-15)},
	{"mul.f32", 32, "F:1.5, F:-2", f32(-3)},
	{"mul.rm.f32", 32, "0f3F800001, 0f3F800001", 0x3f800002},
	{"mul.rp.f32", 32, "0f3F800001, 0f3F800001", 0x3f800003},
	{"mul.f64", 64, "D:1.5, D:-2", math.Float64bits(-3)},
	{"mul.rn.bf16x2", 32, "0x3f804000, 0x40404040", 0x404040c0},
	{"mad.lo.s32", 32, "3, 4, 5", 17},
	{"mad.hi.u32", 32, "0x80000000, 4, 5", 7},
	{"mad.wide.s32", 64, "-3, 4, 5", s64(-7)},
	{"mad.wide.u32", 64, "0xffffffff, 2, 1", 0x1ffffffff},
	{"mad.lo.s64", 64, "3, 4, -5", 7},
	// The product ends halfway between two float32, and the sum is far below: rounding twice gives 0x3f800000.
	{"fma.rn.f32", 32, "F:24929, 0f38284000, 0f21800000", 0x3f800001},
	{"fma.rn.f32", 32, "F:24929, 0f38284000, 0fA1800000", 0x3f800000},
	{"fma.rz.f32", 32, "F:24929, 0f38284000, 0f21800000", 0x3f800000},
	{"fma.rn.f64", 64, "D:2, D:3, D:1", math.Float64bits(7)},
	{"fma.rn.bf16x2", 32, "0x3f803f80, 0x40004000, 0x3f800000", 0x40404000},
	{"fma.rn.f16", 16, "0x3c00, 0x4000, 0x3c00", 0x4200},
	{"fma.rn.relu.bf16", 16, "0x3f80, 0xc000, 0x3f80", 0},
	{"div.s32", 32, "-7, 2", s32(-3)},
	{"div.u32", 32, "0xfffffff9, 2", 0x7ffffffc},
	{"div.s64", 64, "-7, 2", s64(-3)},
	{"div.u16", 16, "100, 7", 14},
	{"div.rn.f32", 32, "F:1, F:3", f32(1. / 3)},
	{"div.full.f32", 32, "F:1, F:4", f32(0.25)},
	{"div.approx.f32", 32, "F:1, F:0", f32(math.Inf(1))},
	{"div.rn.f64", 64, "D:1, D:3", math.Float64bits(1. / 3)},
	{"rem.s32", 32, "-7, 2", s32(-1)},
	{"rem.u64", 64, "7, 4", 3},
	{"rcp.rn.f32", 32, "F:8", f32(0.125)},
	{"rcp.approx.ftz.f32", 32, "F:4", f32(0.25)},
	{"rcp.rn.f64", 64, "D:8", math.Float64bits(0.125)},
	{"sqrt.rn.f32", 32, "F:2", f32(math.Sqrt2)},
	{"sqrt.approx.f32", 32, "F:9", f32(3)},
	{"sqrt.rn.f64", 64, "D:2", math.Float64bits(math.Sqrt2)},
	{"rsqrt.approx.f32", 32, "F:4", f32(0.5)},
	{"rsqrt.approx.f64", 64, "D:4", math.Float64bits(0.5)},
	{"ex2.approx.f32", 32, "F:-3", f32(0.125)},
	{"ex2.approx.ftz.f32", 32, "F:-140", 0},
	{"ex2.approx.ftz.bf16", 16, "0x4000", 0x4080},
	{"lg2.approx.f32", 32, "F:8", f32(3)},
	{"sin.approx.f32", 32, "F:0", 0},
	{"cos.approx.f32", 32, "F:0", f32(1)},
	{"tanh.approx.f32", 32, "F:0", 0},
	{"tanh.approx.f16", 16, "0x0000", 0},
	{"abs.s32", 32, "-5", 5},
	{"abs.f32", 32, "F:-5", f32(5)},
	{"abs.f64", 64, "D:-5", math.Float64bits(5)},
	{"abs.bf16x2", 32, "0xbf80bf80", 0x3f803f80},
	{"neg.s32", 32, "5", s32(-5)},
	{"neg.s64", 64, "5", s64(-5)},
	{"neg.f32", 32, "F:5", f32(-5)},
	{"neg.ftz.f32", 32, "0f00000001", 1 << 31},
	{"neg.f16", 16, "0x3c00", 0xbc00},
	{"not.b32", 32, "0x0f0f0f0f", 0xf0f0f0f0},
	{"not.b64", 64, "0", math.MaxUint64},
	{"not.b16", 16, "1", 0xfffe},
	{"cnot.b32", 32, "0", 1},
	{"min.s32", 32, "-1, 1", s32(-1)},
	{"min.u32", 32, "0xffffffff, 1", 1},
	{"max.s64", 64, "-1, 1", 1},
	{"max.u16", 16, "65535, 1", 65535},
	{"min.f32", 32, "0f7FC00000, F:2", f32(2)},
	{"max.f32", 32, "F:-0, F:0", 0},
	{"min.f32", 32, "F:-0, F:0", 1 << 31},
	{"max.NaN.f32", 32, "0f7FC00000, F:2", 0x7fc00000},
	{"max.f64", 64, "D:3, D:2", math.Float64bits(3)},
	{"max.bf16x2", 32, "0x3f80bf80, 0x40000000", 0x40000000},
	{"min.f16x2", 32, "0x3c00bc00, 0x40000000", 0x3c00bc00},
	{"and.b32", 32, "12, 10", 8},
	{"or.b32", 32, "12, 10", 14},
	{"xor.b64", 64, "12, 10", 6},
	{"and.b16", 16, "12, 10", 8},
	{"shl.b32", 32, "1, 31", 1 << 31},
	{"shl.b32", 32, "1, 32", 0},
	{"shl.b64", 64, "1, 63", 1 << 63},
	{"shl.b16", 16, "1, 15", 1 << 15},
	{"shr.u32", 32, "0x80000000, 31", 1},
	{"shr.s32", 32, "-8, 1", s32(-4)},
	{"shr.s32", 32, "-8, 40", s32(-1)},
	{"shr.b64", 64, "-1, 60", 15},
	{"shr.s64", 64, "-16, 2", s64(-4)},
	{"shf.l.wrap.b32", 32, "0x80000000, 1, 33", 3},
	{"shf.l.clamp.b32", 32, "0x80000000, 1, 40", 0x80000000},
	{"shf.r.wrap.b32", 32, "2, 1, 1", 0x80000001},
	{"shf.r.clamp.b32", 32, "2, 7, 32", 7},
	{"lop3.b32", 32, "0xf0f0f0f0, 0xcccccccc, 0xaaaaaaaa, 0x96", 0x96969696},
	{"prmt.b32", 32, "0x33221100, 0x77665544, 0x7531", 0x77553311},
	{"prmt.b32", 32, "0x000000ff, 0, 0x8888", 0xffffffff},
	{"popc.b32", 32, "0xff00ff", 16},
	{"popc.b64", 32, "0xff00000000000001", 9},
	{"clz.b32", 32, "1", 31},
	{"clz.b64", 32, "0", 64},
	{"brev.b32", 32, "1", 1 << 31},
	{"brev.b64", 64, "1", 1 << 63},
	{"bfind.u32", 32, "0x100", 8},
	{"bfind.s32", 32, "-1", 0xffffffff},
	{"bfind.shiftamt.u32", 32, "0x100", 23},
	{"bfind.u64", 32, "0x100000000", 32},
	{"bfe.u32", 32, "0xabcd, 4, 8", 0xbc},
	{"bfe.s32", 32, "0x80, 4, 4", s32(-8)},
	{"bfe.s32", 32, "0x80000000, 30, 8", s32(-2)},
	{"bfe.u64", 64, "0xabcd00000000, 36, 8", 0xbc},
	{"bfi.b32", 32, "0xf, 0, 4, 2", 0x30},
	{"bfi.b64", 64, "0xff, 0x1, 32, 8", 0xff00000001},
	{"sad.s32", 32, "-3, 4, 10", 17},
	{"sad.u32", 32, "3, 9, 1", 7},
	{"dp4a.s32.s32", 32, "0xff010203, 0x01010101, 10", 15},
	{"dp4a.u32.u32", 32, "0xff010203, 0x01010101, 10", 271},
	{"copysign.f32", 32, "F:-1, F:3", f32(-3)},
	{"mov.b32", 32, "{0x1234, 0x5678}", 0x56781234},
	{"mov.b64", 64, "{1, 2}", 0x200000001},
	{"mov.f32", 32, "F:1.5", f32(1.5)},
	{"mov.u32", 32, "%ntid.x", 1},
	{"mov.u32", 32, "WARP_SZ", 32},
	{"mov.u32", 32, "%lanemask_ge", 0xffffffff},
	{"selp.b32", 32, "5, 6, 1", 5},
	{"selp.f64", 64, "D:1, D:2, 0", math.Float64bits(2)},
	{"slct.s32.s32", 32, "5, 6, -1", 6},
	{"slct.f32.f32", 32, "F:5, F:6, F:0", f32(5)},
	{"setp.eq.s32", 1, "5, 5", 1},
	{"setp.lt.s32", 1, "-1, 0", 1},
	{"setp.lt.u32", 1, "-1, 0", 0},
	{"setp.lo.u32", 1, "0, 1", 1},
	{"setp.hs.u32", 1, "0, 1", 0},
	{"setp.ge.s64", 1, "-1, -1", 1},
	{"setp.gt.u64", 1, "-1, 1", 1},
	{"setp.ne.b16", 1, "1, 2", 1},
	{"setp.le.s16", 1, "-1, 0", 1},
	{"setp.lt.f32", 1, "0f7FC00000, F:1", 0},
	{"setp.ltu.f32", 1, "0f7FC00000, F:1", 1},
	{"setp.ne.f32", 1, "0f7FC00000, F:1", 0},
	{"setp.neu.f32", 1, "0f7FC00000, F:1", 1},
	{"setp.equ.f32", 1, "F:1, F:1", 1},
	{"setp.num.f32", 1, "F:1, F:1", 1},
	{"setp.nan.f32", 1, "0f7FC00000, F:1", 1},
	{"setp.gtu.f64", 1, "D:1, D:2", 0},
	{"setp.eq.ftz.f32", 1, "0f00000001, F:0", 1},
	{"setp.gt.bf16", 1, "0x4000, 0x3f80", 1},
	{"setp.eq.f16", 1, "0x0000, 0x8000", 1},
	{"setp.lt.and.s32", 1, "1, 2, 0", 0},
	{"setp.lt.or.s32", 1, "3, 2, 1", 1},
	{"setp.lt.xor.s32", 1, "1, 2, 1", 0},
	{"set.lt.u32.s32", 32, "1, 2", 0xffffffff},
	{"set.lt.f32.s32", 32, "1, 2", f32(1)},
	{"set.gt.u32.f32", 32, "F:1, F:2", 0},
	{"testp.finite.f32", 1, "0f7F800000", 0},
	{"testp.infinite.f32", 1, "0f7F800000", 1},
	{"testp.subnormal.f32", 1, "0f00000001", 1},
	{"testp.notanumber.f64", 1, "D:1", 0},
	{"cvt.s64.s32", 64, "-5", s64(-5)},
	{"cvt.u64.u32", 64, "-5", 0xfffffffb},
	{"cvt.u32.u64", 32, "0x1234567890", 0x34567890},
	{"cvt.u16.u32", 16, "0x12345", 0x2345},
	{"cvt.s32.s16", 32, "-2", s32(-2)},
	{"cvt.s32.s8", 32, "0x80", s32(-128)},
	{"cvt.u32.u8", 32, "0x1ff", 0xff},
	{"cvt.sat.s8.s32", 32, "1000", 127},
	{"cvt.sat.u8.s32", 32, "-5", 0},
	{"cvt.rn.f32.s32", 32, "-5", f32(-5)},
	{"cvt.rn.f32.u32", 32, "0xffffffff", f32(4294967295)},
	{"cvt.rz.f32.u32", 32, "0xffffffff", 0x4f7fffff},
	{"cvt.rp.f32.s32", 32, "16777217", f32(16777218)},
	{"cvt.rm.f32.s32", 32, "-16777217", f32(-16777218)},
	{"cvt.rn.f32.s64", 32, "-9007199254740993", f32(-9007199254740993)},
	{"cvt.rn.f32.u64", 32, "0xffffff8000000001", 0x5f800000},
	{"cvt.rn.f64.s64", 64, "9007199254740993", math.Float64bits(9007199254740992)},
	{"cvt.rp.f64.s64", 64, "9007199254740993", math.Float64bits(9007199254740994)},
	{"cvt.rn.f64.s32", 64, "-5", math.Float64bits(-5)},
	{"cvt.rn.f16.s32", 16, "2049", 0x6800},
	{"cvt.rzi.s32.f32", 32, "F:-2.7", s32(-2)},
	{"cvt.rni.s32.f32", 32, "F:2.5", 2},
	{"cvt.rmi.s32.f32", 32, "F:-2.1", s32(-3)},
	{"cvt.rpi.s32.f32", 32, "F:2.1", 3},
	{"cvt.rzi.s32.f32", 32, "F:3000000000", 1<<31 - 1},
	{"cvt.rzi.u32.f32", 32, "F:-3", 0},
	{"cvt.rzi.s32.f32", 32, "0f7FC00000", 0},
	{"cvt.rzi.s64.f64", 64, "0d7FF8000000000000", 1 << 63},
	{"cvt.rzi.u64.f64", 64, "D:1e19", 10000000000000000000},
	{"cvt.rni.f32.f32", 32, "F:2.5", f32(2)},
	{"cvt.rmi.f32.f32", 32, "F:-0.5", f32(-1)},
	{"cvt.rzi.f64.f64", 64, "D:-1.5", math.Float64bits(-1)},
	{"cvt.f64.f32", 64, "F:0.5", math.Float64bits(0.5)},
	{"cvt.rn.f32.f64", 32, "D:0.1", f32(0.1)},
	{"cvt.rz.f32.f64", 32, "D:0.1", 0x3dcccccc},
	{"cvt.sat.f32.f32", 32, "F:2", f32(1)},
	{"cvt.rn.f16.f32", 16, "F:65519", 0x7bff},
	{"cvt.rn.f16.f32", 16, "F:65520", 0x7c00},
	{"cvt.rz.f16.f32", 16, "F:65535", 0x7bff},
	{"cvt.rn.f16.f32", 16, "F:5.9604645e-8", 1},
	{"cvt.f32.f16", 32, "0x0001", f32(math.Ldexp(1, -24))},
	{"cvt.f32.f16", 32, "0x7c00", f32(math.Inf(1))},
	{"cvt.rn.bf16.f32", 16, "0f3F808000", 0x3f80},
	{"cvt.rn.bf16.f32", 16, "0f3F818000", 0x3f82},
	{"cvt.rz.bf16.f32", 16, "0f3F81FFFF", 0x3f81},
	{"cvt.rn.relu.bf16.f32", 16, "F:-1", 0},
	{"cvt.f32.bf16", 32, "0x3f80", f32(1)},
	{"cvt.rn.bf16x2.f32", 32, "F:1, F:2", 0x3f804000},
	{"cvt.rn.f16x2.f32", 32, "F:1, F:2", 0x3c004000},
	{"cvt.rn.relu.bf16x2.f32", 32, "F:-1, F:2", 0x00004000},
	{"cvt.rna.tf32.f32", 32, "0f3F801000", 0x3f802000},
	{"cvta.shared.u64", 64, "16", 0x7_0000_0010},
	{"cvta.to.shared.u64", 64, "0x700000010", 16},
	{"cvta.global.u64", 64, "0x1000000000", 0x10_0000_0000},
	{"isspacep.shared", 1, "0x700000010", 1},
	{"isspacep.global", 1, "0x700000010", 0},
	{"isspacep.global", 1, "0x1000000000", 1},
	{"bmsk.clamp.b32", 32, "4, 8", 0xff0},
	{"bmsk.clamp.b32", 32, "28, 40", 0xf0000000},
	{"bmsk.wrap.b32", 32, "36, 2", 0x30},
	{"szext.clamp.s32", 32, "0x1f8, 8", s32(-8)},
	{"szext.clamp.u32", 32, "0x1f8, 8", 0xf8},
	{"szext.clamp.u32", 32, "0xfffffff8, 40", 0xfffffff8},
	{"szext.wrap.u32", 32, "0x1ff, 36", 0xf},
	{"dp2a.lo.s32.s32", 32, "0xffff0003, 0x7f7f0402, 10", 12},
	{"dp2a.hi.u32.u32", 32, "0xffff0003, 0x01020000, 10", 10 + 6 + 0xffff},
	{"vabsdiff4.u32.u32.u32", 32, "0x01ff0305, 0x02010304, 0", 0x01fe0001},
	{"vabsdiff4.u32.u32.u32.add", 32, "0x01ff0305, 0x02010304, 100", 100 + 1 + 254 + 1},
	{"vadd4.s32.s32.s32.sat", 32, "0x7f80017f, 0x01ff0180, 0", 0x7f8002ff},
	{"vadd2.u32.u32.u32", 32, "0xffff0001, 0x00020003, 0", 0x00010004},
	{"vavrg2.u32.u32.u32", 32, "0x00010004, 0x00020004, 0", 0x00020004},
	{"max.s16x2", 32, "0xffff0003, 0x00010002", 0x00010003},
	{"min.u16x2", 32, "0xffff0003, 0x00010002", 0x00010002},
	{"max.s16x2.relu", 32, "0xfffffffe, 0xfff00001", 1},
	{"add.u16x2", 32, "0xffff0001, 0x00010002", 3},
	{"set.eq.f16.f16", 16, "0x3c00, 0x3c00", 0x3c00},
	{"set.lt.bf16.bf16", 16, "0x3f80, 0x4000", 0x3f80},
	{"set.gt.f16x2.f16x2", 32, "0x40003c00, 0x3c003c00", 0x3c000000},
	{"set.ge.u32.f16x2", 32, "0x7e003c00, 0x3c003c00", 0xffff},
	{"set.geu.u32.f16x2", 32, "0x7e003c00, 0x3c003c00", 0xffffffff},
	{"set.ne.u32.bf16x2", 32, "0x3f803f80, 0x3f804000", 0xffff},
	// Formats of eight bits: OCP 8-bit floating point, revision 1.0.
	{"cvt.rn.satfinite.e4m3x2.f32", 16, "F:1, F:-448", 0x38fe},
	{"cvt.rn.satfinite.e4m3x2.f32", 16, "F:1000, F:0.001953125", 0x7e01},
	{"cvt.rn.satfinite.e4m3x2.f32", 16, "F:0.0009765625, F:0.0029296875", 0x0002},
	{"cvt.rn.satfinite.e4m3x2.f32", 16, "F:1.0625, F:1.1875", 0x383a},
	{"cvt.rn.satfinite.e4m3x2.f32", 16, "F:464, 0f7FC00000", 0x7e7f},
	{"cvt.rn.satfinite.relu.e4m3x2.f32", 16, "F:-1, F:2", 0x0040},
	{"cvt.rn.satfinite.e5m2x2.f32", 16, "F:1, F:-57344", 0x3cfb},
	{"cvt.rn.satfinite.e5m2x2.f32", 16, "0f7F800000, F:1.125", 0x7b3c},
	{"cvt.rn.satfinite.e5m2x2.f16x2", 16, "0x3c00bc00", 0x3cbc},
	{"cvt.rn.f16x2.e4m3x2", 32, "0x38fe", 0x3c00df00},
	{"cvt.rn.f16x2.e4m3x2", 32, "0x0107", 0x18002300},
	{"cvt.rn.f16x2.e5m2x2", 32, "0x3cfc", 0x3c00fc00},
	{"not.pred", 1, "1", 0},
	{"and.pred", 1, "1, 0", 0},
	{"or.pred", 1, "1, 0", 1},
	{"xor.pred", 1, "1, 1", 0},
	{"mov.pred", 1, "1", 1},
	{"activemask.b32", 32, "", 1},
}

// numbers rewrites F:x and D:x.
func numbers(args string) string {
	fields := strings.Split(args, ", ")
	for i, f := range fields {
		var x float64
		if s, ok := strings.CutPrefix(f, "F:"); ok {
			fmt.Sscan(s, &x)
			if s == "-0" {
				x = math.Copysign(0, -1)
			}
			fields[i] = fmt.Sprintf("0f%08X", math.Float32bits(float32(x)))
		} else if s, ok := strings.CutPrefix(f, "D:"); ok {
			fmt.Sscan(s, &x)
			fields[i] = fmt.Sprintf("0d%016X", math.Float64bits(x))
		}
	}
	return strings.Join(fields, ", ")
}

func TestForms(t *testing.T) {
	r := newRig(t, emu.Options{Sanitize: true})
	var b strings.Builder
	b.WriteString(".version 8.0\n.target sm_90a\n.address_size 64\n")
	for i, f := range forms {
		args := numbers(f.args)
		if args != "" {
			args = ", " + args
		}
		reg := map[int]string{1: "%p", 16: "%h", 32: "%r", 64: "%rd"}[f.bits]
		fmt.Fprintf(&b, ".visible .entry k%d(.param .u64 out) { .reg .pred %%p; .reg .b16 %%h; .reg .b32 %%r; .reg .b64 %%rd, %%o; ld.param.u64 %%o, [out]; %s %s%s;\n", i, f.op, reg, args)
		switch f.bits {
		case 1:
			b.WriteString("selp.u64 %rd, 1, 0, %p;")
		case 16:
			b.WriteString("cvt.u64.u16 %rd, %h;")
		case 32:
			b.WriteString("cvt.u64.u32 %rd, %r;")
		}
		b.WriteString(" st.global.u64 [%o], %rd; ret; }\n")
	}
	m, err := r.dev.LoadModule("forms.ptx", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	out := r.alloc(8)
	for i, f := range forms {
		r.launch(r.fn(m, fmt.Sprintf("k%d", i)), d1(1), d1(1), 0, out)
		var got uint64
		r.get(out, &got)
		if got != f.want {
			t.Errorf("%s %s: got %#x, want %#x", f.op, f.args, got, f.want)
		}
	}
}
