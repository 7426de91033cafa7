package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"artel/benchmarks/internal/bench"
	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/rng"
	"artel/safetensors"
	"artel/tensor"

	"golang.org/x/sys/unix"
)

// One gigabyte in the tensors of a model of middling size.
const (
	count  = 50
	length = 5_000_000
)

// job is what a worker is told.
type job struct {
	What string `json:"what"` // save, load warm, load cold
	Dir  string `json:"dir"`
}

// serve holds one file ready.
func serve(raw string) error {
	var j job
	if err := json.Unmarshal([]byte(raw), &j); err != nil {
		return err
	}
	path := filepath.Join(j.Dir, "artel.safetensors")
	defer os.Remove(path)
	data := make([][]float32, count)
	var h safetensors.Header
	for i := range data {
		h.Tensors = append(h.Tensors, safetensors.Info{Name: fmt.Sprintf("layer.%d.weight", i), DType: dtype.F32, Shape: []int{length}})
		data[i] = make([]float32, length)
		s := rng.New(uint64(i))
		for k := range data[i] {
			data[i][k] = float32(s.Normal())
		}
	}
	save := func() (float64, error) {
		os.Remove(path)
		start := time.Now()
		w, err := safetensors.Create(path, h)
		if err != nil {
			return 0, err
		}
		for i, x := range data {
			w.F32(h.Tensors[i].Name, x)
		}
		err = w.Close() // syncs
		return time.Since(start).Seconds() * 1e3, err
	}
	if _, err := save(); err != nil {
		return err
	}
	step := save
	switch j.What {
	case "save":
	case "load warm", "load cold":
		data = nil
		be := cpu.New()
		step = func() (float64, error) { return load(be, path, j.What == "load cold") }
	default:
		return fmt.Errorf("checkpoint: %q; want save, load warm or load cold", j.What)
	}
	bench.Serve(bench.Info{Bytes: 4 * count * length}, 1, step)
	return nil
}

// load opens the file and reads every element once, cold from the disk, or from what the system has of it.
func load(be *kernels.Backend, path string, cold bool) (float64, error) {
	if cold {
		if err := drop(path); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	f, err := safetensors.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	sum := tensor.New(dtype.F64, 1)
	for _, t := range f.Tensors() {
		x, err := f.F32(t.Name)
		if err != nil {
			return 0, err
		}
		be.SumSquares(kernels.SumSquares{Dst: sum, X: tensor.FromF32(x, len(x))}) // reads every element, on all threads
	}
	return time.Since(start).Seconds() * 1e3, nil
}

// drop takes a file out of the page cache.
func drop(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
