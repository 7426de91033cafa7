package ptx

// kind is the class of a token.
type kind uint8

const (
	kEOF   kind = iota
	kName       // an opcode with its modifiers, a register, a label, a variable
	kDot        // a directive or type: a name that begins with a dot
	kInt        // an integer
	kF32        // 0f and eight hexadecimal digits
	kF64        // 0d and sixteen, or a decimal fraction
	kText       // a quoted string
	kPunct      // one character
)

// token is one word of the text.
type token struct {
	kind kind
	line int
	text string
	bits uint64 // the value of a number
}

func (t token) is(punct string) bool { return t.kind == kPunct && t.text == punct }

// String is how messages show a token.
func (t token) String() string {
	if t.kind == kEOF {
		return "end of file"
	}
	return "'" + t.text + "'"
}
