package bench

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Info is what a worker says of its case before the first repetition.
type Info struct {
	Flops     float64 `json:"flops,omitempty"`               // useful arithmetic of one repetition
	Tokens    float64 `json:"tokens,omitempty"`              // rows of one repetition
	Bytes     float64 `json:"bytes,omitempty"`               // moved by one repetition
	SavedMB   float64 `json:"saved_activation_mb,omitempty"` // kept from forward to backward, MiB
	Peak      float64 `json:"peak_gflops,omitempty"`         // measured peak of the processor, all threads, just before the case
	PeakRSSMB float64 `json:"peak_rss_mb,omitempty"`         // largest resident memory of the process so far, MiB
	Load      float64 `json:"load_max_over_mean,omitempty"`  // rows of the fullest expert over the mean
	Allocs    float64 `json:"allocations,omitempty"`         // heap allocations of one repetition
	Way       string  `json:"way,omitempty"`                 // which of its ways the worker found to be the fastest
	Error     string  `json:"error,omitempty"`
}

// Result is the line of a case. Names of fields are those of the Python peers.
type Result struct {
	Name   string         `json:"name"`
	System string         `json:"system,omitempty"` // who ran it
	Config map[string]any `json:"config,omitempty"`
	Info
	Apart        float64 `json:"distance_from_artel,omitempty"` // of its answers, relative, before timing
	MedianMS     float64 `json:"median_ms,omitempty"`
	MinMS        float64 `json:"min_ms,omitempty"`
	Reps         int     `json:"reps,omitempty"`
	Gflops       float64 `json:"gflops_median,omitempty"`
	TokensPerS   float64 `json:"tokens_per_s,omitempty"`
	GBPerS       float64 `json:"gb_per_s,omitempty"`
	ShareOfPeak  float64 `json:"share_of_peak,omitempty"`
	ForeignCPUs  float64 `json:"foreign_cpus,omitempty"`  // processors' worth of work of others while it ran
	ForeignS     float64 `json:"foreign_cpu_s,omitempty"` // the same in seconds of a processor
	CPU          string  `json:"cpu,omitempty"`
	measurements []float64
}

// finish fills what follows from the measurements, in milliseconds.
func (r *Result) finish() {
	if len(r.measurements) == 0 || r.Error != "" { // turns before a failure do not count
		return
	}
	r.MedianMS, r.MinMS, r.Reps = Median(r.measurements), slices.Min(r.measurements), len(r.measurements)
	r.Gflops = r.Flops / r.MedianMS / 1e6
	r.TokensPerS = r.Tokens / r.MedianMS * 1e3
	r.GBPerS = r.Bytes / r.MedianMS / 1e6
	if r.Peak > 0 {
		r.ShareOfPeak = r.Gflops / r.Peak
	}
	r.CPU = Processor()
}

// Measurements are the counted repetitions in milliseconds.
func (r *Result) Measurements() []float64 { return r.measurements }

// Print writes the result as one JSON line to standard output.
func (r *Result) Print() {
	raw, err := json.Marshal(r)
	if err != nil {
		panic(err) // numbers and strings only
	}
	os.Stdout.Write(append(raw, '\n'))
}

// Median is the middle of x; of an even number, the mean of the two in the middle; of none, 0.
func Median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	return (s[n/2] + s[(n-1)/2]) / 2
}

// PeakRSS returns the largest resident memory so far of this process and of those that it started and waited for, in MiB.
func PeakRSS() float64 {
	most := field("/proc/self/status", "VmHWM") // rusage of the process itself would count what its parent had before exec
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err == nil {
		most = max(most, float64(u.Maxrss))
	}
	return most / 1024
}

// field reads a number from a file of "key: number" lines, 0 when it is not there.
func field(file, key string) float64 {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if k, v, ok := strings.Cut(line, ":"); ok && k == key {
			n, _ := strconv.ParseFloat(strings.Fields(v)[0], 64)
			return n
		}
	}
	return 0
}

// Processor describes the processor: name, family, model and the number of logical processors.
func Processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	var name, family, model string
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), ":")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "processor":
			n++
		case "model name":
			name = value
		case "cpu family":
			family = value
		case "model":
			model = value
		}
	}
	return name + " family " + family + " model " + model + ", " + strconv.Itoa(n) + " logical processors"
}
