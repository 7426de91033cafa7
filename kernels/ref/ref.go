// Package ref implements every op of package kernels by plain float64 loops. It is the living definition: each function
// reads like the formula in the op's doc comment, and package kerneltest measures the fast backends against it.
//
// It runs on one thread, touches host memory only and is meant to be read; device=ref trains small models with it when a
// result of another backend is in doubt. One file per family mirrors kernels/op_*.go.
package ref

import (
	"artel/dtype"
	"artel/kernels"
	"artel/kernels/internal/host"
	"artel/tensor"
)

// New returns the reference backend: name "ref", F64, all ops present.
func New() *kernels.Backend {
	b := &kernels.Backend{
		Name:  "ref",
		Float: dtype.F64,
		Alloc: tensor.NewHost, AllocShared: tensor.NewHost,
		Moves: kernels.Moves{
			Fill: host.Fill, Copy: func(a kernels.Copy) { host.Copy(a.Dst, a.Src) }, Axpy: axpy, GatherRows: gatherRows, ScatterRows: scatterRows, GatherCols: gatherCols, ScatterCols: scatterCols,
		},
		Linear: kernels.Linear{
			GEMM: gemm, GroupedGEMM: groupedGEMM, GradW: gradW, GradB: gradB, Embed: embed, EmbedGrad: embedGrad,
		},
		Elementwise: kernels.Elementwise{
			Map: mapElements, MapGrad: mapGrad, Mul: mul, Gated: gated, GatedGrad: gatedGrad,
			RowScale: rowScale, RowDot: rowDot, Dropout: dropout, Noise: noise, AddByRow: addByRow,
		},
		Norms: kernels.Norms{
			RMSNorm: rmsNorm, RMSNormGrad: rmsNormGrad, LayerNorm: layerNorm, LayerNormGrad: layerNormGrad,
			Softmax: softmax, SoftmaxGrad: softmaxGrad,
		},
		Losses: kernels.Losses{
			CrossEntropy: crossEntropy, BCE: bce, Regression: regression, Balance: balance, ZLoss: zLoss, Metrics: metrics,
		},
		Routing: kernels.Routing{
			TopK: topK, TopKGrad: topKGrad, RoutePlan: routePlan, GatherSum: gatherSum,
			RowNormalize: rowNormalize, RowNormalizeGrad: rowNormalizeGrad, CountPicks: countPicks,
		},
		Training: kernels.Training{
			Gram: gram, CrossGram: crossGram, Combine: combine, SumSquares: sumSquares, SGD: sgd, Adam: adam, Lion: lion,
		},
		Steps: steps(),
		Surgery: kernels.Surgery{
			GradDrop: gradDrop, TrimmedMean: trimmedMean, Track: track, Excess: excess, MaskRows: maskRows, Select: selectElements, Saliency: saliency, CellGram: cellGram,
		},
	}
	b.Experts = kernels.Composed(b.Linear, b.Elementwise)
	b.AtOnce()
	return b
}
