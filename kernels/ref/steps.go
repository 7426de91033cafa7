package ref

import (
	"artel/kernels"
	"artel/kernels/internal/host"
)

func steps() kernels.Steps {
	return kernels.Steps{Settle: func(a kernels.Settle) { host.Settle(a, host.Fill) }, Check: host.Check, Clip: host.Clip}
}
