// Command demo trains the default run and its alternatives over several seeds and prints a Markdown table: mean and standard deviation of the test
// accuracies; then the first variant seed by seed. Finished runs are kept under -out and not run again, so it can be stopped and continued. Accuracies do not
// depend on the machine's load; times do, so -times measures them by themselves, in short runs.
//
//	go run ./demo [-out DIR] [-seeds 5] [-only NAME]
//	go run ./demo -times
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"

	"artel/benchmarks/internal/binary"
)

// variant is one line of the table; several runs (single-task models) may make one line.
type variant struct {
	name string
	runs []run
}

// run is one training: arguments and the tasks that are read from it.
type run struct {
	args  []string
	tasks []string
}

var tasks = []string{"left", "right", "same", "placement"}

// dense replaces the mixtures by networks with the same active arithmetic: as many hidden units as the picked experts and the shared expert have.
const dense = "model.blocks=[{mlp: {hidden: 256}}, {expand: {}}, {mlp: {hidden: 192}}]"

func variants() []variant {
	vs := []variant{
		{"PCGrad (default)", []run{{nil, tasks}}},
		{"tuned fixed weights (the default's), plain sum", []run{{[]string{"surgery.method=sum"}, tasks}}},
		{"plain sum, equal weights", []run{{[]string{"surgery.method=sum", "tasks.left.weight=1", "tasks.right.weight=1"}, tasks}}},
		{"PCGrad, equal weights", []run{{[]string{"tasks.left.weight=1", "tasks.right.weight=1"}, tasks}}},
		{"task-blind routing", []run{{[]string{"model.blocks.2.moe.router=softmax_topk"}, tasks}}},
		{"dense, same active FLOPs", []run{{[]string{dense}, tasks}}},
		{name: "single-task models"},
	}
	single := &vs[len(vs)-1]
	for _, t := range tasks {
		args := []string{"surgery.method=sum"}
		for _, o := range tasks {
			if o != t {
				args = append(args, "tasks."+o+".weight=0")
			}
		}
		single.runs = append(single.runs, run{args, []string{t}})
	}
	return append(vs, variant{"PCGrad, precision=bf16", []run{{[]string{"precision=bf16"}, tasks}}}) // at the end: runs lie in directories by number
}

func main() {
	out := flag.String("out", "runs/demo", "directory of the runs")
	seeds := flag.Int("seeds", 5, "number of seeds")
	only := flag.String("only", "", "run one variant")
	times := flag.Bool("times", false, "measure times per step instead")
	train := flag.String("train", "", "the train binary; empty: build it")
	flag.Parse()
	if *train == "" {
		path, err := binary.Train(os.TempDir())
		if err != nil {
			log.Fatal(err)
		}
		*train = path
	}
	if *times {
		if err := printTimes(*train); err != nil {
			log.Fatal(err)
		}
		return
	}
	var first map[string][]float64
	fmt.Println("| variant | left % | right % | same % | placement % |\n|---|---|---|---|---|")
	for i, v := range variants() {
		if *only != "" && *only != v.name {
			continue
		}
		acc, err := v.measure(*train, filepath.Join(*out, fmt.Sprint(i)), *seeds)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("| %s", v.name)
		for _, t := range tasks {
			fmt.Printf(" | %s", spread(acc[t]))
		}
		fmt.Println(" |")
		if i == 0 {
			first = acc
		}
	}
	if first == nil {
		return
	}
	fmt.Println("\n| seed | left % | right % | same % | placement % |\n|---|---|---|---|---|")
	for i := range *seeds {
		fmt.Printf("| %d", i+1)
		for _, t := range tasks {
			fmt.Printf(" | %.2f", first[t][i])
		}
		fmt.Println(" |")
	}
}

// printTimes prints the milliseconds per training step of every variant, the least of three short runs.
func printTimes(train string) error {
	const steps = 300
	dir, err := os.MkdirTemp("", "artel-demo")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Println("| variant | ms per step |\n|---|---|")
	for _, v := range variants() {
		least := math.Inf(1)
		for try := range 3 {
			r := run{args: append([]string{fmt.Sprint("steps=", steps)}, v.runs[0].args...)}
			s, err := r.run(train, filepath.Join(dir, fmt.Sprint(v.name[:3], try)), 1)
			if err != nil {
				return err
			}
			least = min(least, 1e3*s.Seconds/steps)
			os.RemoveAll(filepath.Join(dir, fmt.Sprint(v.name[:3], try)))
		}
		fmt.Printf("| %s | %.2f |\n", v.name, least)
	}
	return nil
}

// summary is what is read of a run's summary.json.
type summary struct {
	Tasks   map[string]map[string]float64 `json:"tasks"`
	Seconds float64                       `json:"seconds"`
}

// measure runs a variant for all seeds and returns the tasks' accuracies in percent, by seed.
func (v variant) measure(train, dir string, seeds int) (acc map[string][]float64, err error) {
	acc = map[string][]float64{}
	for seed := 1; seed <= seeds; seed++ {
		for i, r := range v.runs {
			s, err := r.run(train, filepath.Join(dir, fmt.Sprintf("%d-%d", seed, i)), seed)
			if err != nil {
				return nil, fmt.Errorf("%s: seed %d: %w", v.name, seed, err)
			}
			for _, t := range r.tasks {
				acc[t] = append(acc[t], 100*s.Tasks[t]["accuracy"])
			}
		}
	}
	return acc, nil
}

// run trains unless a finished run is there.
func (r run) run(train, dir string, seed int) (*summary, error) {
	path := filepath.Join(dir, "summary.json")
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		os.RemoveAll(dir)
		args := append([]string{"out=" + dir, fmt.Sprintf("seed=%d", seed), "eval.every=0", "log.every=100"}, r.args...)
		cmd := exec.Command(train, args...)
		if msg, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v: %w\n%s", args, err, msg)
		}
		os.RemoveAll(filepath.Join(dir, "checkpoints"))
		raw, err = os.ReadFile(path)
		if err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	var s summary
	return &s, json.Unmarshal(raw, &s)
}

func moments(x []float64) (mean, std float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		std += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(std / math.Max(1, float64(len(x)-1)))
}

func spread(x []float64) string {
	mean, std := moments(x)
	return fmt.Sprintf("%.2f ± %.2f", mean, std)
}
