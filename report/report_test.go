package report

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	lines := `{"step":1,"seconds":0.1,"loss":{"a":2.5,"b<c":1}}
{"step":2,"seconds":0.2,"loss":{"a":0.5,"b<c":0.01}}
{"step":2,"seconds":0.2,"eval":{"a":{"accuracy":0.5,"loss":1}}}
`
	if err := os.WriteFile(filepath.Join(dir, "metrics.jsonl"), []byte(lines), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir); err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(filepath.Join(dir, "curves.svg"))
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	curves := 0
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "polyline" {
			curves++
		}
	}
	if curves != 3 || !strings.Contains(string(svg), "b&lt;c") {
		t.Errorf("%d curves, want 3 with their names", curves)
	}
	os.WriteFile(filepath.Join(dir, "metrics.jsonl"), []byte("{\n"), 0o666)
	if err := Write(dir); err == nil || !strings.Contains(err.Error(), "metrics.jsonl:1") {
		t.Errorf("a broken file: %v", err)
	}
}

func TestTicks(t *testing.T) {
	for _, c := range [][2]float64{{0, 1}, {-3, 70}, {0.97, 0.99}, {0, 1e6}} {
		ts := ticks(c[0], c[1])
		if len(ts) < 3 || len(ts) > 7 || ts[0] < c[0] || ts[len(ts)-1] > c[1]*(1+1e-12) {
			t.Errorf("ticks(%v) = %v", c, ts)
		}
	}
}
