//go:build !amd64

package peak

func kinds() []Kind { return nil }
