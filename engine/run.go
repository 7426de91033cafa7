package engine

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"artel/checkpoint"
	"artel/config"
	"artel/data"
	"artel/report"

	"github.com/pkg/errors"
	"go.uber.org/zap"
)

// Version is the version of this program; it goes into checkpoints and summaries.
const Version = "0.1.0"

// Progress is what a run tells about itself now and then.
type Progress struct {
	Step, Steps int64
	Seconds     float64            // of training so far, evaluation and checkpoints not counted
	Losses      map[string]float64 // by task; the same map every time
	RowsPerSec  float64
	LR, Norm    float64
}

// Run is a run on disk: an engine and its directory.
type Run struct {
	Engine *Engine
	Dir    string
	// OnProgress, when set, hears of every step.
	OnProgress func(p *Progress)
	// OnEval, when set, hears of every evaluation.
	OnEval func(step int64, seconds float64, m Metrics)

	log      *zap.Logger
	metrics  *metricsFile
	seconds  float64 // of training before this process
	spent    time.Duration
	waited   time.Duration // since steps were reported
	progress Progress
	last     Metrics
	saved    int64 // step of the last checkpoint
}

// Start makes the directory of a new run and writes its config. A directory that holds a run already is refused.
func Start(e *Engine, log *zap.Logger) (*Run, error) {
	dir := e.Config.Out
	if _, err := os.Stat(filepath.Join(dir, "checkpoints")); err == nil {
		return nil, errors.Errorf("out: %s holds a run already; continue it with 'train resume %s', or choose another directory with out=DIR", dir, dir)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	text, err := config.EncodeDoc(&e.Config)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), text, 0o666); err != nil {
		return nil, err
	}
	return open(e, dir, log, true)
}

// Continue restores a run's newest checkpoint into e, which was built from the run's own config.
func Continue(e *Engine, dir string, log *zap.Logger) (*Run, error) {
	path, err := checkpoint.Latest(dir)
	if err != nil {
		return nil, err
	}
	l, err := checkpoint.Load(path)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	seconds, err := e.Restore(l)
	if err != nil {
		return nil, err
	}
	r, err := open(e, dir, log, false)
	if err != nil {
		return nil, err
	}
	r.seconds, r.saved = seconds, e.step
	return r, nil
}

func open(e *Engine, dir string, log *zap.Logger, fresh bool) (*Run, error) {
	m, err := openMetrics(filepath.Join(dir, "metrics.jsonl"), fresh, e.step)
	if err != nil {
		return nil, err
	}
	r := &Run{Engine: e, Dir: dir, log: log, metrics: m}
	r.progress.Losses = map[string]float64{}
	return r, nil
}

// ErrInterrupted says that the context ended the run; its state is in a checkpoint.
var ErrInterrupted = errors.New("interrupted; the state is saved")

// Train runs to the last step, or until ctx ends, and leaves a checkpoint, curves.svg and summary.json. A loss that is not finite ends it with a checkpoint of the last good
// step and a *NotFiniteError.
func (r *Run) Train(ctx context.Context) error {
	e := r.Engine
	e.be.Sync()
	lastSave, c := time.Now(), &e.Config.Checkpoint
	for e.step < e.Config.Steps {
		if ctx.Err() != nil {
			if err := r.settle(); err != nil {
				return r.failed(err)
			}
			if err := r.save(); err != nil {
				return err
			}
			return ErrInterrupted
		}
		start := time.Now()
		err := e.Step()
		evaluates := e.Config.Eval.Every > 0 && e.step%e.Config.Eval.Every == 0 && e.step < e.Config.Steps
		saves := c.Every > 0 && e.step%c.Every == 0 || c.Time > 0 && time.Since(lastSave) >= c.Time
		if err == nil && (r.due(e.step) || evaluates || saves || e.step == e.Config.Steps) {
			err = e.Finish() // others may be under way when the next step begins
		}
		took := time.Since(start)
		r.spent += took
		if err2 := r.report(took); err2 != nil {
			return err2
		}
		if err != nil {
			return r.failed(err)
		}
		if evaluates {
			if err := r.evaluate(); err != nil {
				return err
			}
		}
		if saves {
			if err := r.save(); err != nil {
				return err
			}
			lastSave = time.Now()
		}
	}
	if err := r.evaluate(); err != nil {
		return err
	}
	if err := r.save(); err != nil {
		return err
	}
	if err := report.Write(r.Dir); err != nil {
		return err
	}
	return r.summary()
}

// failed saves the last good state of a run that cannot go on.
func (r *Run) failed(cause error) error {
	var nf *NotFiniteError
	if !errors.As(cause, &nf) {
		return cause
	}
	r.log.Error("loss is not finite", zap.Int64("step", nf.Step), zap.String("task", nf.Task), zap.String("layer", nf.Layer))
	if err := r.save(); err != nil {
		return errors.Wrapf(cause, "and the checkpoint failed: %v", err)
	}
	return cause
}

// due reports whether a step gets a line of metrics.
func (r *Run) due(step int64) bool { return step%r.Engine.Config.Log.Every == 0 || step == 1 }

// report updates the progress for every step that has finished, and writes lines of metrics that are due. took is the time since the last call.
func (r *Run) report(took time.Duration) error {
	e, p := r.Engine, &r.progress
	done := e.Results()
	if r.waited += took; len(done) == 0 {
		return nil
	}
	for i := range done {
		d := &done[i]
		p.Step, p.Steps, p.Seconds = d.Step, e.Config.Steps, r.Seconds()
		rate := float64(e.Config.Batch*len(done)) / r.waited.Seconds()
		if p.RowsPerSec == 0 {
			p.RowsPerSec = rate
		}
		p.RowsPerSec += 0.05 * (rate - p.RowsPerSec)
		p.LR, p.Norm = d.Info.LR, d.Info.Norm
		for t, v := range d.Losses {
			p.Losses[e.tasks[t].Name] = v
		}
		if r.OnProgress != nil {
			r.OnProgress(p)
		}
		for _, note := range e.be.Notes() {
			r.log.Warn("device", zap.String("note", note))
		}
		if r.due(d.Step) {
			if err := r.metrics.step(r, d.Aux); err != nil {
				return err
			}
		}
	}
	r.waited = 0
	return nil
}

// Seconds returns the time spent in steps, over all processes of the run.
func (r *Run) Seconds() float64 { return r.seconds + r.spent.Seconds() }

func (r *Run) evaluate() error {
	e := r.Engine
	if err := r.settle(); err != nil {
		return err
	}
	split := data.Test
	if e.Config.Eval.Split == "val" {
		split = data.Val
	}
	m, err := e.Evaluate(split)
	if err != nil {
		return err
	}
	r.last = m
	if r.OnEval != nil {
		r.OnEval(e.step, r.Seconds(), m)
	}
	r.log.Info("evaluated", zap.Int64("step", e.step), zap.Float64("seconds", r.Seconds()), zap.Any("tasks", m))
	return r.metrics.eval(r, m)
}

// settle waits for the steps under way and reports them.
func (r *Run) settle() error {
	start := time.Now()
	err := r.Engine.Finish()
	took := time.Since(start)
	r.spent += took
	if err2 := r.report(took); err2 != nil {
		return err2
	}
	return err
}

func (r *Run) save() error {
	e := r.Engine
	if err := r.settle(); err != nil {
		return err
	}
	if r.saved == e.step && e.step > 0 {
		return nil
	}
	s, err := e.Snapshot(r.Seconds(), Version)
	if err != nil {
		return err
	}
	dir := filepath.Join(r.Dir, "checkpoints")
	start := time.Now()
	if err := checkpoint.Save(checkpoint.Disk(), dir, s); err != nil {
		return err
	}
	r.saved = e.step
	r.log.Info("checkpoint", zap.Int64("step", e.step), zap.Duration("took", time.Since(start)))
	if e.Config.Checkpoint.Keep > 0 {
		return checkpoint.Prune(checkpoint.Disk(), dir, e.Config.Checkpoint.Keep)
	}
	return nil
}

// Summary is the contents of summary.json.
type Summary struct {
	Tasks        Metrics `json:"tasks"`
	Seconds      float64 `json:"seconds"`
	Steps        int64   `json:"steps"`
	Seed         uint64  `json:"seed"`
	Device       string  `json:"device"`
	ConfigSHA256 string  `json:"config_sha256"`
	Version      string  `json:"version"`
}

// Summary returns what summary.json holds, after an evaluation.
func (r *Run) Summary() (*Summary, error) {
	sum, err := config.SHA256(&r.Engine.Config)
	return &Summary{r.last, r.Seconds(), r.Engine.step, r.Engine.Config.Seed, r.Engine.be.Name, sum, Version}, err
}

func (r *Run) summary() error {
	s, err := r.Summary()
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.Dir, "summary.json"), append(raw, '\n'), 0o666)
}

// Close ends the run's files.
func (r *Run) Close() error {
	r.Engine.Close()
	return r.metrics.close()
}
