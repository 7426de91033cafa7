// Command train trains multi-task mixture-of-experts models. Without arguments it runs the built-in demo; see README.md.
package main

import (
	"os"

	"artel/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
