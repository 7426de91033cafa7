// Command recipes is train with a router, a surgery method, an update rule and a loss of its own. A program in another module does the same: it
// imports the packages that register members, and calls cli.Main.
//
//	go run ./examples/recipes list surgery
//	go run ./examples/recipes surgery.method=example_equal_length optimizer.rule=example_signum optimizer.lr=2e-4
package main

import (
	"os"

	"artel/cli"

	_ "artel/examples/recipes/loss"
	_ "artel/examples/recipes/optimizer"
	_ "artel/examples/recipes/router"
	_ "artel/examples/recipes/surgery"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
