// Command gen makes fashion.bin from the four IDX files of Fashion-MNIST, as found in Debian's package dataset-fashion-mnist under
// usr/share/datasets/fashion-mnist (apt-get download dataset-fashion-mnist; dpkg -x).
//
//	go run ./data/fashion/gen -in DIR -out data/fashion/fashion.bin
package main

import (
	"flag"
	"log"
	"os"
)

func main() {
	in := flag.String("in", "/usr/share/datasets/fashion-mnist", "directory of the IDX files")
	out := flag.String("out", "fashion.bin", "file to write")
	flag.Parse()
	blob, err := Make(*in)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, blob, 0o644); err != nil {
		log.Fatal(err)
	}
}
