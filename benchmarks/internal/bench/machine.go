package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Machine is a computer that others use, too. Its Command waits until nobody else measures, prints a line, and gives the machine back when its standard
// input ends: a script around a lock. Without a command, and for a nil Machine, the computer is ours all the time.
type Machine struct {
	Command []string

	cmd   *exec.Cmd
	in    io.Closer
	since time.Time
}

// longest is how long the machine is kept from others at a stretch, but for a step in between that takes longer.
const longest = 40 * time.Second

// Take waits for the machine, unless it is ours already.
func (m *Machine) Take() error {
	if m == nil || len(m.Command) == 0 || m.cmd != nil {
		return nil
	}
	cmd := exec.Command(m.Command[0], m.Command[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("to have the machine alone: %w", err)
	}
	if !bufio.NewScanner(out).Scan() {
		return fmt.Errorf("to have the machine alone: %s ended without a line: %v", m.Command[0], cmd.Wait())
	}
	m.cmd, m.in, m.since = cmd, in, time.Now()
	return nil
}

// Pause lets others in when it is time, and waits for the machine again.
func (m *Machine) Pause() error {
	if m != nil && m.cmd != nil && time.Since(m.since) > longest {
		m.Give()
	}
	return m.Take()
}

// Give gives the machine back.
func (m *Machine) Give() {
	if m != nil && m.cmd != nil {
		m.in.Close()
		m.cmd.Wait()
		m.cmd = nil
	}
}
