// Package binary builds the train command for benchmarks that measure whole processes.
package binary

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Train builds train as a release would (no cgo, stripped) in dir and returns its path. The working directory must lie in the benchmarks module.
func Train(dir string) (string, error) {
	mod, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "artel").Output()
	if err != nil {
		return "", fmt.Errorf("the artel module beside this one: %w", err)
	}
	path, err := filepath.Abs(filepath.Join(dir, "train"))
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "./cmd/train")
	cmd.Dir = strings.TrimSpace(string(mod))
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build train: %w\n%s", err, msg)
	}
	return path, nil
}
