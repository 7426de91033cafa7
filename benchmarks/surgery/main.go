// Command surgery compares all surgery methods with fixed weights, single-task models and equal weights, and prints Markdown tables. Every run is a file under
// -out and is not run again, so it can be stopped and continued. Results do not depend on the machine's load; times do, and are measured apart.
//
//	go run ./surgery                     all methods, five seeds, and the tables
//	go run ./surgery -problem yeast      one problem; -method pcgrad: one method
//	go run ./surgery -table              tables of the finished runs
//	go run ./surgery -times              milliseconds per step of every method, on a quiet machine
//	go run ./surgery -toy                the two-task problems with a known Pareto set
//
// The problem yeast needs -data FILE, which surgery/yeast.sh gets from a package.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	s := suite{}
	flag.StringVar(&s.out, "out", "runs/surgery", "directory of the results")
	flag.StringVar(&s.only, "problem", "", "one problem")
	flag.StringVar(&s.method, "method", "", "one method")
	flag.StringVar(&s.yeast, "data", "runs/surgery/yeast.csv", "the yeast set; the problem is left out, and said to be, when it is not there")
	table := flag.Bool("table", false, "print tables of the finished runs")
	times := flag.Bool("times", false, "measure times per step")
	toy := flag.Bool("toy", false, "run the closed-form problems")
	flag.Parse()
	if err := run(&s, *table, *times, *toy); err != nil {
		log.Fatal(err)
	}
}

func run(s *suite, table, times, toy bool) error {
	if toy {
		return printToys(os.Stdout)
	}
	if err := s.prepare(); err != nil {
		return err
	}
	switch {
	case times:
		return s.printTimes()
	case !table:
		if err := s.all(); err != nil {
			return err
		}
	}
	if s.method != "" {
		return nil
	}
	for _, p := range s.problems {
		if err := s.printTable(os.Stdout, p); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if s.only != "" {
		return nil
	}
	return s.printSummary(os.Stdout)
}
