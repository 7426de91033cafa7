// Package lines times the cases of one engine and prints a JSON line for each, in the form of the other comparisons.
package lines

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Case is one thing to time.
type Case struct {
	Name   string
	Config map[string]any
	Flops  float64 // useful arithmetic of one step
	Tokens int     // rows of one step, 0 for products
	Step   func() error
}

// Shape is a product C [M,N] = A [M,K] B [K,N].
type Shape struct{ M, N, K int }

// Layer is the shape of a mixture layer.
type Layer struct {
	Name          string
	T, D, F, E, K int
}

// Shapes are the products of the PyTorch comparison.
func Shapes() []Shape {
	return []Shape{{512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}, {4096, 512, 1024}, {64, 1024, 512}, {16, 1024, 512}}
}

// LayerC is the small layer of the PyTorch comparison.
func LayerC() Layer { return Layer{"C", 2048, 64, 128, 8, 2} }

// Flops are 2*T*K*D*F multiplications and additions for each of three matrices, forward once and backward twice: what a sparse layer needs, whatever is executed.
func (l Layer) Flops() float64 { return 3 * 2 * 3 * float64(l.T*l.K) * float64(l.D*l.F) }

// Config is the shape as a line shows it.
func (l Layer) Config() map[string]any {
	return map[string]any{"shape": l.Name, "T": l.T, "D": l.D, "F": l.F, "E": l.E, "K": l.K, "dtype": "f32"}
}

// Product is a case for s.
func Product(engine string, s Shape, step func() error) Case {
	return Case{
		Name: "gemm f32 " + engine, Config: map[string]any{"m": s.M, "n": s.N, "k": s.K}, Flops: 2 * float64(s.M) * float64(s.N) * float64(s.K), Step: step,
	}
}

// Mixture is a case for l, forward and backward; how says in what way the engine computes it.
func Mixture(engine, how string, l Layer, step func() error) Case {
	return Case{Name: fmt.Sprintf("moe %s f32 %s [%s]", l.Name, engine, how), Config: l.Config(), Flops: l.Flops(), Tokens: l.T, Step: step}
}

// Random fills n numbers in [-scale,scale) from a fixed sequence.
func Random(n int, scale float32) []float32 {
	out, s := make([]float32, n), uint32(1)
	for i := range out {
		s = s*1664525 + 1013904223
		out[i] = scale * (float32(s>>8)/(1<<23) - 1)
	}
	return out
}

type line struct {
	Name       string         `json:"name"`
	Config     map[string]any `json:"config"`
	Flops      float64        `json:"flops,omitempty"`
	MedianMS   float64        `json:"median_ms,omitempty"`
	MinMS      float64        `json:"min_ms,omitempty"`
	Reps       int            `json:"reps,omitempty"`
	Gflops     float64        `json:"gflops_median,omitempty"`
	TokensPerS float64        `json:"tokens_per_s,omitempty"`
	RSS        float64        `json:"peak_rss_mb,omitempty"`
	CPU        string         `json:"cpu"`
	Error      string         `json:"error,omitempty"`
}

// Run times all cases in turns, so that a slow moment of the machine hits all of them, and prints their lines.
func Run(cases []Case) {
	reps := flag.Int("reps", 7, "repetitions; the median counts")
	only := flag.String("only", "", "part of the names of the cases to run; empty: all")
	flag.Parse()
	cases = slices.DeleteFunc(cases, func(c Case) bool { return !strings.Contains(c.Name, *only) })
	times, failed := make([][]float64, len(cases)), make([]error, len(cases))
	for r := -1; r < *reps; r++ {
		for i := range cases {
			if failed[i] != nil {
				continue
			}
			begin := time.Now()
			failed[i] = cases[i].Step()
			if r >= 0 {
				times[i] = append(times[i], float64(time.Since(begin).Nanoseconds())/1e6)
			}
		}
	}
	enc := json.NewEncoder(os.Stdout)
	for i, c := range cases {
		l := line{Name: c.Name, Config: c.Config, Flops: c.Flops, RSS: peakRSS(), CPU: processor()}
		l.Config["threads"] = runtime.GOMAXPROCS(0)
		if failed[i] != nil {
			l.Error = failed[i].Error()
		} else if len(times[i]) > 0 {
			slices.Sort(times[i])
			l.MedianMS, l.MinMS, l.Reps = times[i][len(times[i])/2], times[i][0], len(times[i])
			l.Gflops, l.TokensPerS = c.Flops/l.MedianMS/1e6, float64(c.Tokens)/l.MedianMS*1e3
		}
		if err := enc.Encode(l); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// field returns what file says after a key, or "".
func field(file, key string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for l := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// peakRSS is the largest memory of this process so far in MiB; the cases of one program share it.
func peakRSS() float64 {
	var kb float64
	fmt.Sscan(field("/proc/self/status", "VmHWM"), &kb)
	return kb / 1024
}

func processor() string {
	return fmt.Sprintf("%s family %s model %s", field("/proc/cpuinfo", "model name"), field("/proc/cpuinfo", "cpu family"), field("/proc/cpuinfo", "model"))
}
