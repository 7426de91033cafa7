// Package arch holds no code but tests: they check the source tree itself. Which package may import which, how long a file may be, what must be
// documented, and what may live at package level are rules of this project, and a rule that no test enforces does not last.
package arch
