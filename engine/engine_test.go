package engine_test

import (
	"fmt"
	"testing"
	"time"

	"artel/data"
	"artel/engine"
)

func TestTry(t *testing.T) {
	cfg := engine.Default()
	cfg.Steps = 300
	be, _, err := engine.OpenDevice(cfg.Device, "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(&cfg, be)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	start := time.Now()
	for i := 0; i < 300; i++ {
		if err := e.Step(); err != nil {
			t.Fatal(err)
		}
		if i%100 == 99 {
			m, err := e.Evaluate(data.Test)
			fmt.Println(i, time.Since(start), m, err)
		}
	}
}
