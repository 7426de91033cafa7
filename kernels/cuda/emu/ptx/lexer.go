package ptx

import (
	"math"
	"strconv"
	"strings"
)

// lexer cuts text into tokens.
type lexer struct {
	file string
	src  string
	pos  int
	line int
}

func (l *lexer) fail(msg string) error { return &Error{l.file, l.line, msg} }

// space skips blanks and comments.
func (l *lexer) space() error {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case rest[0] == '\n':
			l.line++
			l.pos++
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r' || rest[0] == 0:
			l.pos++
		case strings.HasPrefix(rest, "//"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			l.pos += n
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest, "*/")
			if n < 0 {
				return l.fail("comment without end")
			}
			l.line += strings.Count(rest[:n], "\n")
			l.pos += n + 2
		default:
			return nil
		}
	}
	return nil
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c == '%'
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// next returns the next token.
func (l *lexer) next() (token, error) {
	if err := l.space(); err != nil {
		return token{}, err
	}
	if l.pos >= len(l.src) {
		return token{kind: kEOF, line: l.line}, nil
	}
	c := l.src[l.pos]
	dotted := c == '.' && l.pos+1 < len(l.src) && letter(l.src[l.pos+1])
	switch {
	case letter(c) || dotted:
		return l.name(dotted), nil
	case digit(c):
		return l.number()
	case c == '"':
		n := strings.IndexByte(l.src[l.pos+1:], '"')
		if n < 0 {
			return token{}, l.fail("string without end")
		}
		t := token{kind: kText, line: l.line, text: l.src[l.pos+1 : l.pos+1+n]}
		l.line += strings.Count(t.text, "\n")
		l.pos += n + 2
		return t, nil
	case strings.IndexByte(",;:{}[]()+-!|@<>=~*/", c) >= 0:
		l.pos++
		return token{kind: kPunct, line: l.line, text: string(c)}, nil
	}
	return token{}, l.fail("character " + strconv.QuoteRune(rune(c)) + " is not part of PTX")
}

// name reads a name; dots and double colons inside it belong to it, as in ld.global.nc.u32, %tid.x and shared::cta.
func (l *lexer) name(dotted bool) token {
	start := l.pos
	l.pos++
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		if letter(c) || digit(c) {
			l.pos++
			continue
		}
		if c == '.' && !dotted && l.pos+1 < len(l.src) && (letter(l.src[l.pos+1]) || digit(l.src[l.pos+1])) {
			l.pos++
			continue
		}
		if strings.HasPrefix(l.src[l.pos:], "::") {
			l.pos += 2
			continue
		}
		break
	}
	t := token{kind: kName, line: l.line, text: l.src[start:l.pos]}
	if dotted {
		t.kind = kDot
	}
	return t
}

// number reads an integer or a floating-point literal; the sign is a token of its own.
func (l *lexer) number() (token, error) {
	start := l.pos
	for l.pos < len(l.src) && (letter(l.src[l.pos]) || digit(l.src[l.pos]) || l.src[l.pos] == '.') {
		// An exponent may have a sign.
		if c := l.src[l.pos]; (c == 'e' || c == 'E') && strings.Contains(l.src[start:l.pos], ".") && l.pos+1 < len(l.src) && (l.src[l.pos+1] == '-' || l.src[l.pos+1] == '+') {
			l.pos++
		}
		l.pos++
	}
	text := l.src[start:l.pos]
	t := token{line: l.line, text: text}
	var err error
	switch {
	case len(text) > 2 && (text[:2] == "0f" || text[:2] == "0F"):
		t.kind = kF32
		t.bits, err = strconv.ParseUint(text[2:], 16, 32)
	case len(text) > 2 && (text[:2] == "0d" || text[:2] == "0D"):
		t.kind = kF64
		t.bits, err = strconv.ParseUint(text[2:], 16, 64)
	case strings.Contains(text, "."):
		var f float64
		t.kind = kF64
		f, err = strconv.ParseFloat(text, 64)
		t.bits = math.Float64bits(f)
	default:
		t.kind = kInt
		t.bits, err = strconv.ParseUint(strings.TrimSuffix(text, "U"), 0, 64)
	}
	if err != nil {
		return t, l.fail("number " + text + " cannot be read")
	}
	return t, nil
}
