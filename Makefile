# Shorthands; every target is one or two commands that can be typed instead.
.PHONY: build test race purego generate bench bench-compare lint ci

build:
	CGO_ENABLED=0 go build -o train ./cmd/train

test:
	go test ./...

race:
	bash .ci/run race

purego:
	bash .ci/run purego

generate:
	go generate ./kernels/...
	go run ./cmd/train config > examples/default.yaml

bench:
	go test -run '^$$' -bench . ./kernels/... ./optim ./internal/linalg
	cd benchmarks && go run ./step

# make bench-compare REF=COMMIT: this tree against another commit, in turns, by benchstat
bench-compare:
	cd benchmarks && go run ./versus -ref $(or $(REF),$(error REF is missing: make bench-compare REF=COMMIT))

lint:
	bash .ci/run lint

ci:
	bash .ci/run
