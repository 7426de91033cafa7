package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

func summary(left string) string {
	return fmt.Sprintf(`{"tasks": {"left": {%s}, "right": {"accuracy": 1}, "same": {"accuracy": 1}, "placement": {"accuracy": 1, "loss": 2}}, "steps": 3}`, left)
}

func TestGate(t *testing.T) {
	just := fmt.Sprint(thresholds[0].percent / 100)
	for text, want := range map[string]string{
		summary(`"accuracy": ` + just): "",
		summary(`"accuracy": 0.5`):     "1 of 4",
		summary(`"rmse": 1`):           "1 of 4",
		`{}`:                           "4 of 4",
		`{"tasks": [`:                  "summary.json",
	} {
		err := check([]byte(text), io.Discard)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
