// Command mainloops adds to a report of the assembler how many instructions of each kernel's main loop are of tensor cores; scripts/cuda-build calls it.
//
//	go run ./scripts/mainloops REPORT NAME.cu=LISTING...    listings as nvdisasm -c writes them; the new report goes to standard output
package main

import (
	"fmt"
	"log"
	"os"
	"strings"

	"artel/internal/sass"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("mainloops: want REPORT NAME.cu=LISTING...")
	}
	report, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	loops := map[string]sass.Loop{} // by the line that begins a kernel in the report
	for _, arg := range os.Args[2:] {
		name, path, ok := strings.Cut(arg, "=")
		if !ok {
			log.Fatalf("mainloops: %q; want NAME.cu=LISTING", arg)
		}
		listing, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		for _, l := range sass.MainLoops(string(listing)) {
			loops[name+" "+l.Kernel] = l
		}
	}
	var open sass.Loop
	flush := func() {
		if open.Tensor > 0 {
			fmt.Printf("    %d instructions in the main loop, %d of tensor cores\n", open.Instructions, open.Tensor)
		}
		open = sass.Loop{}
	}
	for line := range strings.Lines(string(report)) {
		if !strings.HasPrefix(line, " ") {
			flush()
			open = loops[strings.TrimSpace(line)]
		}
		fmt.Print(line)
	}
	flush()
}
