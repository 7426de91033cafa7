package docs_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"artel/cli"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages are the documents of the repository.
func pages(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"../*.md", "*.md", "design/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, found...)
	}
	return out
}

// TestLinks checks that every link within the repository leads somewhere.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: link to %s: %v", page, m[1], err)
			}
		}
	}
}

// TestNamedFiles checks that every source file that a document names exists.
func TestNamedFiles(t *testing.T) {
	name := regexp.MustCompile("`([a-z0-9_]+(?:/[a-z0-9_]+)*/[a-z0-9_]+\\.(?:go|yaml))`")
	found := 0
	for _, page := range pages(t) {
		for _, m := range name.FindAllStringSubmatch(read(t, page), -1) {
			found++
			if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
	if found < 20 {
		t.Errorf("%d files are named, want the pages to name them as `dir/file.go`", found)
	}
}

// TestMembers checks that the README lists what is registered: every name, and no other.
func TestMembers(t *testing.T) {
	var out, errs bytes.Buffer
	if code := cli.Main([]string{"list", "--json"}, &out, &errs); code != cli.ExitOK {
		t.Fatalf("train list: exit code %d: %s", code, errs.String())
	}
	var members []struct{ Kind, Name string }
	if err := json.Unmarshal(out.Bytes(), &members); err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{}
	for _, m := range members {
		names[m.Kind] = append(names[m.Kind], m.Name)
	}
	text := read(t, "../README.md")
	for kind, title := range map[string]string{
		"surgery": "Surgery methods", "router": "Routers", "optimizer": "Optimizers", "schedule": "schedules", "loss": "Losses", "source": "Data", "sampler": "samplers",
	} {
		_, list, ok := strings.Cut(text, "**"+title+"**: ")
		if !ok || len(names[kind]) == 0 {
			t.Errorf("README.md: no list of %s, or none is registered", title)
			continue
		}
		list = list[:strings.IndexAny(list, ".;\n")]
		got := strings.Split(strings.ReplaceAll(list, "`", ""), ", ")
		slices.Sort(got)
		if !slices.Equal(got, names[kind]) {
			t.Errorf("README.md: %s: got %v, want %v", title, got, names[kind])
		}
	}
}

// TestTree checks that the README shows every directory of the repository, and no other.
func TestTree(t *testing.T) {
	text := read(t, "../README.md")
	dirs, err := filepath.Glob("../[a-z]*/")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		name := filepath.Base(dir)
		if name == "runs" || name == "cmd" {
			continue
		}
		if shown := regexp.MustCompile(`(?m)^    (.*; +| *)` + name + `(:| )`); !shown.MatchString(text) {
			t.Errorf("README.md: the tree does not show %s", name)
		}
	}
	_, tree, _ := strings.Cut(text, "## The tree\n\n")
	tree, _, _ = strings.Cut(tree, "\n\n")
	for _, line := range strings.Split(tree, "\n") {
		name := strings.Fields(line)[0]
		if _, err := os.Stat(filepath.Join("..", name)); err != nil {
			t.Errorf("README.md: the tree: %v", err)
		}
	}
}
