package cuda

import _ "embed"

//go:embed zreport.txt
var assembler string

// AssemblerReport returns what the assembler said of the kernels when they were compiled: registers, spills, shared memory, main loops. roofline.ParseAssembler reads it.
func AssemblerReport() string { return assembler }
