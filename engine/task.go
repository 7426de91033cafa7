package engine

import (
	"artel/config"
	"artel/data"
	"artel/model"
	"artel/nn"

	"github.com/pkg/errors"
)

// task is a task of the run: what the data says of it, its loss and its weight.
type task struct {
	data.Task
	loss    nn.Loss
	entry   nn.LossEntry
	weight  float64
	classes bool
}

// newTasks joins the data's tasks with their settings. cfg then holds the effective settings of all tasks.
func newTasks(m *data.Mixture, cfg map[string]Task) ([]task, error) {
	for name := range cfg {
		if _, err := m.TaskIndex(name); err != nil {
			return nil, errors.Wrap(err, "tasks")
		}
	}
	var out []task
	for _, t := range m.Tasks {
		c := cfg[t.Name]
		if c.Weight == nil {
			w := t.Weight
			if w == 0 {
				w = 1
			}
			c.Weight = &w
		}
		if c.Loss.Name == "" {
			c.Loss = config.Member{Name: "mse"}
			if t.Classes != nil {
				c.Loss.Name = "cross_entropy"
			}
		}
		loss, entry, err := nn.BuildLoss(&c.Loss)
		if err != nil {
			return nil, err
		}
		if entry.Classes != (t.Classes != nil) {
			return nil, errors.Errorf("tasks.%s.loss: %s does not fit: the task has %s", t.Name, c.Loss.Name, kind(t.Classes != nil))
		}
		cfg[t.Name] = c
		out = append(out, task{Task: t, loss: loss, entry: entry, weight: *c.Weight, classes: t.Classes != nil})
	}
	return out, nil
}

func kind(classes bool) string {
	if classes {
		return "classes"
	}
	return "values"
}

// heads are the model's view of the tasks.
func heads(tasks []task) []model.Task {
	var out []model.Task
	for _, t := range tasks {
		n := t.Outputs
		if t.classes {
			n = len(t.Classes)
		}
		out = append(out, model.Task{Name: t.Name, Out: n})
	}
	return out
}
