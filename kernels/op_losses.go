package kernels

import "artel/tensor"

// Losses holds task losses. Each computes the loss and its gradient in one pass over rows: with N_t known, the gradient
// needs nothing else. Loss is F64 [1] and is added to; rows are summed in row order in float64.
type Losses struct {
	CrossEntropy func(CrossEntropy)
	BCE          func(BCE)
	Regression   func(Regression)
	Balance      func(Balance)
	ZLoss        func(ZLoss)
	Metrics      func(Metrics)
}

// CrossEntropy is softmax cross-entropy with label smoothing s over classes 0..V-1: with p = softmax(X[i,:]) and the target
// q = (1-s)*onehot(label) + s/V,
//
//	Loss += Scale * sum_i -sum_j q_j log p_j        dX[i,:] = Scale * (p - q)
//
// A row whose label is negative is ignored: it adds nothing and its dX row is 0. Classes with q_j = 0 add nothing, so without
// smoothing a logit of -Inf masks a class.
//
//	X, DX [N,V]  Label I32 [N]  Loss F64 [1]; DX may be X or none.
type CrossEntropy struct {
	X, DX, Label, Loss tensor.Tensor
	Scale, Smoothing   float64
}

// BCE is binary cross-entropy on logits, averaged over nothing: Loss += Scale * sum_ij -(y log sigmoid(x) + (1-y) log(1-sigmoid(x))),
// dX = Scale * (sigmoid(x) - y). An element whose target is NaN is ignored.
//
//	X, DX, Target [N,V]  Loss F64 [1]; DX may be X or none.
type BCE struct {
	X, DX, Target, Loss tensor.Tensor
	Scale               float64
}

// Regression is, with r = X - Target, Loss += Scale * sum_ij l(r), where l(r) = r^2 when Delta = 0 (squared error) and
// otherwise the Huber loss: r^2/2 for |r| <= Delta, Delta*(|r| - Delta/2) beyond. dX = Scale * l'(r).
// An element whose target is NaN is ignored.
//
//	X, DX, Target [N,V]  Loss F64 [1]; DX may be X or none.
type Regression struct {
	X, DX, Target, Loss tensor.Tensor
	Scale, Delta        float64
}

// Balance is the load-balancing loss of Switch Transformers (Fedus et al. 2021, eq. 4-6) over sets of rows. For set s with
// n_s rows, f_e the share of picks that went to expert e (a constant for the gradient) and P_e the mean probability:
//
//	Loss += Scale * weight_s * E * sum_e f_e * P_e      DP[i,e] = Scale * weight_s * E * f_e / n_s for the rows i of s
//
//	P, DP [N,E]  Count I32 [S,E]: picks by set and expert  Set I32 [N]: set of a row, negative for none
//	Weight [S] float  Rows I32 [S]: n_s  Loss F64 [1]. DP is overwritten. Sets without picks, and rows
//	without a set, add nothing and have zero rows in DP.
type Balance struct {
	P, DP, Count, Set, Weight, Rows, Loss tensor.Tensor
	Scale                                 float64
}

// ZLoss is the router z-loss (Zoph et al. 2022, eq. 5): with z_i = log sum_j exp(X[i,j]),
//
//	Loss += Scale * sum_i z_i^2        dX[i,:] = Scale * 2 z_i softmax(X[i,:])
//
//	X, DX [N,E]  Loss F64 [1]; DX is overwritten.
type ZLoss struct {
	X, DX, Loss tensor.Tensor
	Scale       float64
}

// Metrics counts classification results: Correct[0] += rows whose largest logit (lowest index on a tie) is the label,
// Correct[1] += rows with a label >= 0. Pred, when given, receives the argmax of every row. NaN counts as in TopK.
//
//	X [N,V]  Label I32 [N]  Correct I32 [2]  Pred I32 [N] or none
type Metrics struct{ X, Label, Correct, Pred tensor.Tensor }
