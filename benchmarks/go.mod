module artel/benchmarks

go 1.26.0

replace artel => ../
