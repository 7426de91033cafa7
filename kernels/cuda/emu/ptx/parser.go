package ptx

import (
	"fmt"
	"strings"
)

// parser reads a module token by token.
type parser struct {
	lex   lexer
	tok   token
	mod   *Module
	scope *scope // of the module, or of the innermost braces

	kernel *Kernel
	params map[string]int
	funcs  map[string]*Func
	fixups []fixup
}

// Parse reads a module. The error is an *Error with the file's name as given and the line.
func Parse(file string, text []byte) (*Module, error) {
	p := &parser{lex: lexer{file: file, src: string(text), line: 1}, mod: &Module{File: file}, scope: newScope(nil), funcs: map[string]*Func{}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	for p.tok.kind != kEOF {
		if err := p.top(); err != nil {
			return nil, err
		}
	}
	if p.mod.Target == "" {
		return nil, p.fail("no .target directive: is this PTX?")
	}
	return p.mod, nil
}

func (p *parser) fail(format string, args ...any) error {
	return &Error{p.lex.file, p.tok.line, fmt.Sprintf(format, args...)}
}

func (p *parser) advance() (err error) {
	p.tok, err = p.lex.next()
	return err
}

// take consumes the current token when it is the punctuation mark.
func (p *parser) take(punct string) (bool, error) {
	if !p.tok.is(punct) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(punct string) error {
	if !p.tok.is(punct) {
		return p.fail("%s found, want '%s'", p.tok, punct)
	}
	return p.advance()
}

// word consumes a name.
func (p *parser) word(what string) (string, error) {
	if p.tok.kind != kName {
		return "", p.fail("%s found, want %s", p.tok, what)
	}
	s := p.tok.text
	return s, p.advance()
}

// integer consumes an integer that fits an int and is at most limit.
func (p *parser) integer(what string, limit uint64) (int, error) {
	if p.tok.kind != kInt || p.tok.bits > limit {
		return 0, p.fail("%s found, want %s, at most %d", p.tok, what, limit)
	}
	n := int(p.tok.bits)
	return n, p.advance()
}

// line skips the rest of a directive that ends with its line.
func (p *parser) skipLine() error {
	for at := p.tok.line; p.tok.kind != kEOF && p.tok.line == at; {
		if err := p.advance(); err != nil {
			return err
		}
	}
	return nil
}

// top reads one directive at module level.
func (p *parser) top() error {
	if p.tok.kind != kDot {
		return p.fail("%s found, want a directive", p.tok)
	}
	switch d := p.tok.text[1:]; d {
	case "version":
		// "9.0" is read as a number.
		if err := p.advance(); err != nil {
			return err
		}
		p.mod.Version = p.tok.text
		return p.advance()
	case "target":
		if err := p.advance(); err != nil {
			return err
		}
		p.mod.Target = p.tok.text
		return p.skipLine()
	case "address_size":
		if err := p.advance(); err != nil {
			return err
		}
		n, err := p.integer("an address size", 64)
		if err == nil && n != 64 {
			err = p.fail("address size %d, want 64", n)
		}
		return err
	case "file", "loc":
		return p.skipLine()
	case "section":
		return p.section()
	case "alias":
		return p.fail(".%s is not supported", d)
	}
	return p.linkage()
}

// section skips debug sections.
func (p *parser) section() error {
	for depth := 0; p.tok.kind != kEOF; {
		switch {
		case p.tok.is("{"):
			depth++
		case p.tok.is("}"):
			if depth--; depth == 0 {
				return p.advance()
			}
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
	return p.fail(".section without end")
}

// linkage reads what may follow .visible, .extern, .weak and .common: an entry or a variable.
func (p *parser) linkage() error {
	extern := false
	for p.tok.kind == kDot {
		switch d := p.tok.text[1:]; d {
		case "visible", "weak", "common":
		case "extern":
			extern = true
		case "entry":
			if err := p.advance(); err != nil {
				return err
			}
			return p.entry()
		case "func":
			if err := p.advance(); err != nil {
				return err
			}
			return p.function(extern)
		default:
			if SpaceOf(d) == NoSpace {
				return p.fail("directive .%s is not known", d)
			}
			return p.variables(extern, func(v *Var) { p.mod.Vars = append(p.mod.Vars, v) })
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
	return p.fail("%s found, want .entry or a variable", p.tok)
}

// align rounds up to a multiple.
func align(n, to int) int { return (n + to - 1) / to * to }

// modifiers splits an opcode.
func modifiers(opcode string) (op string, mods []string) {
	parts := strings.Split(opcode, ".")
	return parts[0], parts[1:]
}
