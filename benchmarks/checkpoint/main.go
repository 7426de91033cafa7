// Command checkpoint times one gigabyte of float32 on its way to disk, synced, and back: Artel's safetensors beside the Python library's, torch.save, and a plain
// write of the same bytes, which is the disk's rate.
//
//	go run ./checkpoint [-reps 5] [-dir DIR]
package main

import (
	"flag"
	"fmt"
	"log"
	"os"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/suite"
)

func main() {
	log.SetFlags(0)
	reps := flag.Int("reps", 5, "turns per case; the median counts")
	dir := flag.String("dir", "", "directory on the disk that is measured; empty: the temporary one")
	worker := flag.String("worker", "", "run the case given as JSON on demand; see package bench")
	flag.Parse()
	if *worker != "" {
		if err := serve(*worker); err != nil {
			bench.Fail(err)
		}
		return
	}
	tmp, err := os.MkdirTemp(*dir, "artel-checkpoint")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	tools, err := suite.Open(tmp)
	if err != nil {
		log.Fatal(err)
	}
	groups, err := tools.Checkpoint(tmp, *reps)
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range groups {
		o := tools.Run(g)
		fmt.Print(o.Table())
	}
}
