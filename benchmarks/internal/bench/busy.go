package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Hold gives this process the machine while it is open. Its command waits until nobody else measures, prints a line, and gives the machine back when its
// standard input ends: on a shared machine, a script around a lock.
type Hold struct {
	cmd *exec.Cmd
	in  io.Closer
}

// Take runs command and waits for its line. Without a command the machine is ours already.
func Take(command []string) (*Hold, error) {
	if len(command) == 0 {
		return &Hold{}, nil
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("to have the machine alone: %w", err)
	}
	if !bufio.NewScanner(out).Scan() {
		return nil, fmt.Errorf("to have the machine alone: %s ended without a line: %v", command[0], cmd.Wait())
	}
	return &Hold{cmd, in}, nil
}

// Give gives the machine back.
func (h *Hold) Give() {
	if h.cmd != nil {
		h.in.Close()
		h.cmd.Wait()
	}
}

// longest is how long the machine is kept from others at a stretch.
const longest = 40 * time.Second

// meter has the machine while turns run, and counts what others do meanwhile.
type meter struct {
	alone   []string
	workers []*running

	hold           *Hold
	since          time.Time
	before         float64
	spent, foreign float64 // seconds; seconds of processors
	err            error
}

func (m *meter) take() {
	if m.hold != nil || m.err != nil {
		return
	}
	if m.hold, m.err = Take(m.alone); m.err == nil {
		m.since, m.before = time.Now(), busy(m.workers)
	}
}

// pause lets others in when it is time.
func (m *meter) pause() {
	if len(m.alone) > 0 && m.hold != nil && time.Since(m.since) > longest {
		m.give()
	}
}

func (m *meter) give() {
	if m.hold == nil {
		return
	}
	m.spent += time.Since(m.since).Seconds()
	m.foreign += max(0, busy(m.workers)-m.before)
	m.hold.Give()
	m.hold = nil
}

// seconds is the time of turns so far.
func (m *meter) seconds() float64 {
	if m.hold == nil {
		return m.spent
	}
	return m.spent + time.Since(m.since).Seconds()
}

// ticks is the length of the kernel's unit of time, USER_HZ, which is 100 everywhere Go runs.
const ticks = 100

// busy returns the seconds that the machine's processors spent on others than the workers and this process: what disturbs a measurement.
func busy(workers []*running) float64 {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	total := 0.0
	for i, f := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // name, idle, waiting, guests (counted as user)
			continue
		}
		v, _ := strconv.ParseFloat(f, 64)
		total += v
	}
	total -= own(os.Getpid())
	for _, w := range workers {
		if w.cmd != nil {
			total -= own(w.cmd.Process.Pid)
		}
	}
	return total / ticks
}

// own returns the ticks that a process has used.
func own(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return user + system
}
