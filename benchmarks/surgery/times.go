package main

import (
	"fmt"
	"math"
	"time"
)

// printTimes prints milliseconds per step of every method, the least of five windows of 20 steps.
func (s *suite) printTimes() error {
	fmt.Print("| method |")
	for _, p := range s.problems {
		fmt.Printf(" %s |", p.name)
	}
	fmt.Print("\n|---|")
	for range s.problems {
		fmt.Print("---|")
	}
	fmt.Println()
	for _, m := range s.methods {
		fmt.Printf("| %s |", m.name)
		for _, p := range s.problems {
			j := job{p: p, name: m.name, args: m.args, seed: 1}
			e, err := j.newEngine()
			if err != nil {
				return err
			}
			least := math.Inf(1)
			for range 5 {
				start := time.Now()
				for range 20 {
					if err = e.Step(); err != nil {
						break
					}
				}
				least = min(least, time.Since(start).Seconds()/20)
			}
			e.Close()
			if err != nil {
				fmt.Print(" no answer |")
				continue
			}
			fmt.Printf(" %.2f |", 1e3*least)
		}
		fmt.Println()
	}
	return nil
}
