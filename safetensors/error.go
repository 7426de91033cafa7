package safetensors

import "fmt"

// Error says what is wrong with a file, a declaration or a call.
type Error struct {
	File   string // path, or the name given to Parse or NewWriter
	Tensor string // name, or "" when the mistake is not one tensor's
	Msg    string // what: got X, want Y
}

// Error gives "safetensors: FILE: tensor "NAME": MSG".
func (e *Error) Error() string {
	s := "safetensors: "
	if e.File != "" {
		s += e.File + ": "
	}
	if e.Tensor != "" {
		s += fmt.Sprintf("tensor %q: ", e.Tensor)
	}
	return s + e.Msg
}
