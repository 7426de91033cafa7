package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// meter counts the time of turns, and what others do meanwhile.
type meter struct {
	workers        []*running
	since          time.Time
	before         float64
	spent, foreign float64 // seconds; seconds of processors
}

func (m *meter) begin() { m.since, m.before = time.Now(), busy(m.workers) }

func (m *meter) end() {
	m.spent += time.Since(m.since).Seconds()
	m.foreign += max(0, busy(m.workers)-m.before)
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

// own returns the ticks that a process and those that it has waited for have used.
func own(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	if len(f) < 15 {
		return 0
	}
	sum := 0.0
	for _, s := range f[11:15] { // user and system; of children, user and system
		v, _ := strconv.ParseFloat(s, 64)
		sum += v
	}
	return sum
}
