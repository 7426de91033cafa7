package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// sum is a line of SHA256SUMS.
type sum struct{ name, hex string }

// sums is the contents of SHA256SUMS, in the order of writing.
type sums []sum

// encode returns the text that sha256sum --check reads.
func (s sums) encode() []byte {
	var b bytes.Buffer
	for _, f := range s {
		fmt.Fprintf(&b, "%s  %s\n", f.hex, f.name)
	}
	return b.Bytes()
}

// has reports whether there is a line for name.
func (s sums) has(name string) bool {
	return slices.ContainsFunc(s, func(f sum) bool { return f.name == name })
}

// parseSums reads SHA256SUMS; names must be those of files beside it.
func parseSums(text []byte) (sums, error) {
	var out sums
	if len(text) == 0 || text[len(text)-1] != '\n' {
		return nil, errors.Errorf("got %d bytes without a final newline; is it cut off?", len(text))
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		hex, name, ok := strings.Cut(line, "  ")
		switch {
		case !ok || len(hex) != 2*sha256.Size || strings.Trim(hex, "0123456789abcdef") != "":
			return nil, errors.Errorf("line %d: got %q, want a hash of 64 digits, two spaces and a name", i+1, line)
		case name == sumsName || name != filepath.Base(name) || !filepath.IsLocal(name) || name == ".":
			return nil, errors.Errorf("line %d: got %q, want the name of a file beside it", i+1, name)
		case out.has(name):
			return nil, errors.Errorf("line %d: %s stands twice", i+1, name)
		}
		out = append(out, sum{name: name, hex: hex})
	}
	return out, nil
}

// verify reads dir/SHA256SUMS and every file that it lists, and returns the list. Errors name the file.
func verify(dir string) (sums, error) {
	text, err := os.ReadFile(filepath.Join(dir, sumsName))
	if err != nil {
		return nil, err
	}
	list, err := parseSums(text)
	if err != nil {
		return nil, errors.WithMessage(err, filepath.Join(dir, sumsName))
	}
	buf := make([]byte, 1<<20)
	for _, want := range list {
		path := filepath.Join(dir, want.name)
		got, err := hashFile(path, buf)
		if err != nil {
			return nil, err
		}
		if got != want.hex {
			return nil, errors.Errorf("%s: got SHA-256 %s, want %s by %s: the file is damaged", path, got, want.hex, sumsName)
		}
	}
	return list, nil
}

func hashFile(path string, buf []byte) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	// The plain reader keeps io.CopyBuffer from taking another way than buf.
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, buf); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
