// Command memory compares what a mixture layer's forward and backward pass keeps and needs: bytes saved from forward to backward, and the largest resident memory of
// a process that does nothing else, for Artel and the Python peers.
//
//	go run ./memory [-shapes A,B,C] [-dtypes f32,bf16]
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"artel/benchmarks/internal/suite"
)

func main() {
	log.SetFlags(0)
	shapes := flag.String("shapes", "A,B,C", "shapes")
	dtypes := flag.String("dtypes", "f32,bf16", "precisions")
	flag.Parse()
	tmp, err := os.MkdirTemp("", "artel-memory")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	tools, err := suite.Open(tmp)
	if err != nil {
		log.Fatal(err)
	}
	groups, err := tools.Layer(strings.Split(*shapes, ","), strings.Split(*dtypes, ","), false)
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range groups {
		g.Check, g.Plan.Reps, g.Plan.Burst = nil, 3, 1
		for i := range g.Cases { // one at a time, so that large shapes fit small machines
			one := g
			one.Cases = g.Cases[i : i+1]
			r := tools.Run(one).Results[0]
			if i == 0 {
				fmt.Printf("\n## %s\n\n| implementation | saved MiB | peak RSS MiB |\n|---|---|---|\n", g.Title)
			}
			if r.Error != "" {
				fmt.Printf("| %s | %s | |\n", r.Name, r.Error)
				continue
			}
			saved := "not seen"
			if r.SavedMB > 0 {
				saved = fmt.Sprintf("%.1f", r.SavedMB)
			}
			fmt.Printf("| %s | %s | %.0f |\n", r.Name, saved, r.PeakRSSMB)
		}
	}
}
