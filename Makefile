# Shorthands; every target is one or two commands that can be typed instead.
.PHONY: build test race purego generate bench lint ci

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

lint:
	bash .ci/run lint

ci:
	bash .ci/run
