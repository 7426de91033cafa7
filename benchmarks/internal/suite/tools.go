package suite

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"artel/benchmarks/internal/bench"
)

// PeersEnv names the Python of a virtual environment that lies elsewhere than in peers/.venv.
const PeersEnv = "ARTEL_PEERS"

// Tools makes the programs that a comparison starts.
type Tools struct {
	Dir    string   // for programs and numbers
	Python string   // of the peers' virtual environment; empty: there is none
	Notes  []string // what is left out, and why
	On     *bench.Machine
	Binary float64 // size of the stripped train command, MiB, once it has been built

	module string            // this module's directory
	built  map[string]string // programs by command
	failed map[string]bool
}

// Open finds what there is. dir is for programs and numbers.
func Open(dir string) (*Tools, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "artel/benchmarks").Output()
	if err != nil {
		return nil, fmt.Errorf("run this in the benchmarks module: %w", err)
	}
	t := &Tools{Dir: dir, module: strings.TrimSpace(string(out)), built: map[string]string{}, failed: map[string]bool{}}
	t.Python = os.Getenv(PeersEnv)
	if t.Python == "" {
		t.Python = filepath.Join(t.module, "peers", ".venv", "bin", "python")
	}
	return t, nil
}

// Peers tells whether there is a virtual environment with the Python peers, and notes once when there is none.
func (t *Tools) Peers() bool {
	if _, err := os.Stat(t.Python); t.Python != "" && err != nil {
		t.Note("Python peers are left out: no %s. benchmarks/peers/README.md tells how to make the virtual environment.", t.Python)
		t.Python = ""
	}
	return t.Python != ""
}

// Note adds to Notes and tells the user.
func (t *Tools) Note(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	t.Notes = append(t.Notes, s)
	fmt.Fprintln(os.Stderr, s)
}

// Own builds a command of this module and returns its path.
func (t *Tools) Own(command string) (string, error) {
	return t.build(command, t.module, "./"+command, "")
}

// Rival builds a command of the rivals module, with GOEXPERIMENT as given. An engine that cannot be built is noted once and left out: ok is false.
func (t *Tools) Rival(engine, experiment string) (path string, ok bool) {
	key := "rival-" + engine + experiment
	if t.failed[key] {
		return "", false
	}
	path, err := t.build(key, filepath.Join(t.module, "rivals"), "./"+engine, experiment)
	if err != nil {
		t.failed[key] = true
		t.Note("%s is left out: %v", strings.TrimSpace(engine+" "+experiment), err)
	}
	return path, err == nil
}

func (t *Tools) build(key, module, command, experiment string) (string, error) {
	if p, ok := t.built[key]; ok {
		return p, nil
	}
	path := filepath.Join(t.Dir, "bin-"+strings.ReplaceAll(key, "/", "-"))
	cmd := exec.Command("go", "build", "-o", path, command)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOEXPERIMENT="+experiment)
	if msg, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", command, err, strings.TrimSpace(string(msg)))
	}
	t.built[key] = path
	return path, nil
}

// tuned keeps glibc's allocator from giving large blocks back to the system after every step.
var tuned = []string{"MALLOC_MMAP_MAX_=0", "MALLOC_TRIM_THRESHOLD_=100000000000", "MALLOC_TOP_PAD_=67108864"}

// peer is a case of a Python script; config["tuned"] chooses the allocator.
func (t *Tools) peer(script, name, system string, config map[string]any) bench.Case {
	threads := runtime.GOMAXPROCS(0)
	config["threads"] = threads
	env := []string{"OMP_PROC_BIND=true", "OMP_PLACES=cores", "OMP_NUM_THREADS=" + strconv.Itoa(threads)}
	if config["tuned"] != nil {
		env = append(env, tuned...)
	}
	return bench.Case{Name: name, System: system, Command: []string{t.Python, t.script(script)}, Env: env, Config: config}
}

func (t *Tools) script(name string) string { return filepath.Join(t.module, "peers", name) }

// Versions lists what the peers and the Go rivals are, as name and version.
func (t *Tools) Versions() map[string]string {
	out := map[string]string{"go": runtime.Version()}
	if t.Peers() {
		code := "import importlib.metadata as m, sys\nfor p in 'torch transformers torchjd LibMTL safetensors numpy'.split(): print(p, m.version(p))\nprint('python', sys.version.split()[0])"
		raw, err := exec.Command(t.Python, "-c", code).Output()
		if err != nil {
			t.Note("versions of the Python peers: %v", err)
		}
		pairs(out, string(raw))
	}
	cmd := exec.Command("go", "list", "-m", "github.com/born-ml/born", "github.com/gomlx/gomlx", "github.com/gomlx/compute", "gonum.org/v1/gonum", "gorgonia.org/gorgonia")
	cmd.Dir = filepath.Join(t.module, "rivals")
	raw, err := cmd.Output()
	if err != nil {
		t.Note("versions of the Go rivals: %v", err)
	}
	pairs(out, string(raw))
	return out
}

func pairs(into map[string]string, text string) {
	for line := range strings.Lines(text) {
		if name, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			into[name] = version
		}
	}
}

// Commit returns the commit of the sources, with "+" when they have changes.
func (t *Tools) Commit() string {
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = t.module
		raw, err := cmd.Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(raw))
	}
	commit := git("rev-parse", "--short", "HEAD")
	if git("status", "--porcelain", "--", "..") != "" {
		commit += "+"
	}
	return commit
}

// Module returns the directory of the benchmarks module.
func (t *Tools) Module() string { return t.module }
