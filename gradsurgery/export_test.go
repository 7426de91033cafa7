package gradsurgery

// Softmax is what methods turn logits into weights with.
func Softmax(x []float64) { softmax(x) }
