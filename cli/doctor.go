package cli

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"artel/engine"
	"artel/internal/nvtx"
	"artel/kernels/cpu"
	"artel/kernels/cuda"
	"artel/kernels/cuda/driver/dl"

	"github.com/spf13/cobra"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Tell what this machine has to train on, and what would be chosen",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			be, why, err := engine.OpenDevice("auto", "")
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "version   %s, %s, %s/%s\n", engine.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			fmt.Fprintf(a.out, "cpu       %d processors for Go; kernels %s, the best first\n", runtime.GOMAXPROCS(0), strings.Join(cpu.Variants(), ", "))
			fmt.Fprintf(a.out, "gpu       %s\n", strings.ReplaceAll(cuda.Probe(), "\n", "\n          "))
			fmt.Fprintf(a.out, "profiler  %s\n", map[bool]string{true: "listens", false: "none (it would be in " + nvtx.Env + ")"}[nvtx.Active()])
			for _, name := range [...]string{engine.DeviceEnv, dl.Env, "CUDA_VISIBLE_DEVICES"} {
				if v, ok := os.LookupEnv(name); ok {
					fmt.Fprintf(a.out, "set       %s=%s\n", name, v)
				}
			}
			fmt.Fprintf(a.out, "device    auto is %s (%s)\n", be.Name, why)
			return nil
		},
	}
}
