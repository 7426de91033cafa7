// Command surgery trains small multi-task problems with every surgery method over several seeds and prints what came out: accuracies against
// single-task models, how often task gradients conflict, milliseconds per step. Finished runs are kept in -out and not repeated, so it can be stopped, continued, and cut
// into shards that run side by side.
//
//	go run ./surgery [-out runs/surgery.jsonl] [-problems fashion,...] [-seeds 3] [-shard 0/2] [-digits digits.csv.gz]
//	go run ./surgery -report       tables of the finished runs, in Markdown
//	go run ./surgery -toy          closed-form problems, in Markdown
//
// digits.csv.gz is sklearn/datasets/data/digits.csv.gz of the wheel scikit-learn (BSD-3; data: UCI, CC BY 4.0); without it that problem is left out.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// result is one finished run.
type result struct {
	Problem, Variant string
	Seed             int
	Score            map[string]float64 // by task: accuracy or R2, larger is better
	Loss             map[string]float64 // by task: test loss, smaller is better
	Conflicts        float64            // share of pairs of tasks in conflict, mean over steps; -1 where unknown
	MS               float64            // per step
}

func main() {
	out := flag.String("out", "runs/surgery.jsonl", "file of finished runs")
	which := flag.String("problems", "", "problems to run; empty: all")
	only := flag.String("variants", "", "variants to run; empty: all")
	seeds := flag.Int("seeds", 3, "number of seeds")
	shard := flag.String("shard", "0/1", "this process does the I-th of N parts: I/N")
	digits := flag.String("digits", "", "digits.csv.gz")
	report := flag.Bool("report", false, "print tables")
	toy := flag.Bool("toy", false, "print the closed-form problems")
	flag.Parse()
	if *toy {
		printToys()
		return
	}
	done, err := load(*out)
	if err != nil {
		log.Fatal(err)
	}
	if *report {
		printTables(done)
		return
	}
	var part, parts int
	if _, err := fmt.Sscanf(*shard, "%d/%d", &part, &parts); err != nil || part < 0 || part >= parts {
		log.Fatalf("-shard: %q, want I/N with 0 <= I < N", *shard)
	}
	file := *out
	if parts > 1 {
		file = fmt.Sprintf("%s.%d", *out, part)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		log.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	n := 0
	for _, p := range problems(*digits) {
		if *which != "" && !slices.Contains(strings.Split(*which, ","), p.name) {
			continue
		}
		for seed := 1; seed <= *seeds; seed++ {
			for _, v := range variants() {
				if *only != "" && !slices.Contains(strings.Split(*only, ","), v.name) {
					continue
				}
				if n++; n%parts != part || slices.ContainsFunc(done, func(r result) bool { return r.Problem == p.name && r.Variant == v.name && r.Seed == seed }) {
					continue
				}
				r, err := v.run(p, seed)
				if err != nil {
					log.Fatalf("%s, %s, seed %d: %v", p.name, v.name, seed, err)
				}
				raw, err := json.Marshal(r)
				if err != nil {
					log.Fatal(err)
				}
				if _, err := f.Write(append(raw, '\n')); err != nil {
					log.Fatal(err)
				}
			}
		}
	}
}

// load reads finished runs, those of shards included.
func load(path string) ([]result, error) {
	files, err := filepath.Glob(path + "*")
	if err != nil {
		return nil, err
	}
	var out []result
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		s := bufio.NewScanner(f)
		for s.Scan() {
			var r result
			if err := json.Unmarshal(s.Bytes(), &r); err != nil {
				f.Close()
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			out = append(out, r)
		}
		f.Close()
		if err := s.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
