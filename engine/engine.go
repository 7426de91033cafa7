package engine

import (
	"strings"

	"artel/autograd"
	"artel/data"
	"artel/gradsurgery"
	"artel/kernels"
	"artel/model"
	"artel/moe"
	"artel/optim"
	"artel/param"
	"artel/rng"
	"artel/tensor"

	"github.com/pkg/errors"
)

// Engine is a model in training. It is not safe for concurrent use.
type Engine struct {
	Config Config
	Set    *param.Set
	Model  *model.Model

	be      *kernels.Backend
	mixture *data.Mixture
	tasks   []task
	loader  *data.Loader
	feed    *feed
	tape    *autograd.Tape
	sinks   []*param.Sink // one for every independent batch
	sink    *param.Sink   // the last of them, which the step's gradient is made from
	surgeon *surgeon
	methods []*gradsurgery.Surgery // the run's and those of its rules
	method  *gradsurgery.Surgery   // the first of them
	blend   *blend                 // plain passes weighted by surgery, or nil
	mask    *mask                  // what does not train, or nil
	at      *at                    // task gradients at an activation, or nil
	held    *operands              // task gradients that stay operands, or nil
	banks   []bankUse
	opt     *optim.Optimizer
	flights *flights
	ema     tensor.Tensor // [P], none without averaging
	backup  tensor.Tensor // [P]: the parameters while evaluation uses the average

	step       int64
	cursor     data.Cursor   // position of the data after the last whole step
	fetched    []*data.Batch // all passes of the step at hand
	batches    []*data.Batch // those of the independent batch at hand
	labels     []int         // its labels by task
	everywhere []bool        // tasks with labels in all independent batches
	active     tensor.Tensor // the same with the auxiliary one, for kernels; none before it is asked for
	losses     []float64     // loss by task in the step
	aux        float64       // auxiliary losses of the step
	seeds      []float64     // loss weights from a method that reads losses
	weights    tensor.Tensor // F64 [M]: the same where no host has seen them, or none
	ids        []int         // tasks with labels
	small      []float64
	quiet      bool  // a pass repeats one whose losses are known
	kept       *kept // where losses go that no host looks at yet
	stats      []*moe.Stats
	watch      func(stage string, err error) // or nil
}

// New builds everything that cfg describes, on a backend from OpenDevice. cfg's choices then hold their effective options.
func New(cfg *Config, be *kernels.Backend) (*Engine, error) {
	m, err := data.NewMixture(&cfg.Data)
	if err != nil {
		return nil, err
	}
	return NewOn(cfg, be, m)
}

// NewOn is New with a given mixture, for data that a config file cannot name.
func NewOn(cfg *Config, be *kernels.Backend, m *data.Mixture) (*Engine, error) {
	if lacking := be.Lacking(); len(lacking) > 0 {
		return nil, errors.Errorf("device %s lacks the ops %s", be.Name, strings.Join(lacking, ", "))
	}
	e := &Engine{be: be, mixture: m, feed: newFeed(be)}
	if cfg.Batch < cfg.Accumulate || cfg.Batch%cfg.Accumulate != 0 {
		return nil, errors.Errorf("accumulate: %d does not divide the batch of %d rows", cfg.Accumulate, cfg.Batch)
	}
	if cfg.Tasks == nil {
		cfg.Tasks = map[string]Task{}
	}
	var err error
	if e.tasks, err = newTasks(m, cfg.Tasks); err != nil {
		return nil, err
	}
	if len(e.tasks) > autograd.MaxTasks {
		return nil, errors.Errorf("%d tasks, want at most %d", len(e.tasks), autograd.MaxTasks)
	}
	seed := rng.New(cfg.Seed)
	b := param.NewBuilder()
	var domains []model.Domain
	for _, s := range m.Specs {
		domains = append(domains, model.Domain{Name: s.Name, Dense: s.Dense, Image: s.Image, Buckets: s.Buckets})
	}
	if e.Model, err = model.New(b, cfg.Model, domains, heads(e.tasks), seed.Sub("model")); err != nil {
		return nil, err
	}
	if e.Set, err = b.Build(be, seed.Sub("parameters")); err != nil {
		return nil, err
	}
	if e.opt, err = optim.New(be, e.Set, &cfg.Optimizer, cfg.Steps); err != nil {
		return nil, err
	}
	e.tape = autograd.NewTape(be, len(e.tasks))
	if err := e.newSurgery(cfg, seed); err != nil {
		return nil, err
	}
	e.surgeon.met = e.met
	if e.loader, err = data.NewLoader(m, cfg.Batch/cfg.Accumulate, cfg.Accumulate*len(e.sinks), cfg.Data.Prefetch, seed); err != nil {
		return nil, err
	}
	if cfg.EMA > 0 {
		e.ema, e.backup = be.New(be.Float, e.Set.Flat.Len()), be.New(be.Float, e.Set.Flat.Len())
		be.Copy(kernels.Copy{Dst: e.ema, Src: e.Set.Flat})
	}
	n := len(e.tasks)
	e.flights = newFlights(be, n)
	e.newAsked()
	e.everywhere = make([]bool, n)
	e.labels, e.losses, e.seeds, e.ids, e.small = make([]int, n), make([]float64, n), make([]float64, n), make([]int, 0, n), make([]float64, n)
	for _, l := range e.Model.Mixtures {
		e.stats = append(e.stats, l.NewStats())
	}
	e.cursor = e.loader.Cursor()
	e.Config = *cfg
	return e, nil
}

// forward records the model for a batch.
func (e *Engine) forward(b *data.Batch) *autograd.Var {
	s := e.feed.space(e.tape, b)
	return e.Model.Forward(e.tape, s, e.feed.inputs(e.tape, b))
}

// recordLoss records the loss of a segment's task: scale times the sum over its rows.
func (e *Engine) recordLoss(h *autograd.Var, s *data.Segment, scale float64) {
	if e.tape.Err() != nil {
		return
	}
	logits, ok := e.Model.Head(e.tape, h, s.Task)
	if !ok {
		return
	}
	t := &e.tasks[s.Task]
	t.loss.Record(e.tape, logits, e.target(s), scale)
}

// target is the labels or values of a segment.
func (e *Engine) target(s *data.Segment) tensor.Tensor {
	if e.tasks[s.Task].classes {
		return e.feed.ints(e.tape, s.Labels, s.N)
	}
	return e.feed.floats(e.tape, s.Values, s.N, len(s.Values)/s.N)
}

// Steps returns the number of steps made.
func (e *Engine) Steps() int64 { return e.step }

// Backend returns the kernels that the engine computes with.
func (e *Engine) Backend() *kernels.Backend { return e.be }

// Close stops background work.
func (e *Engine) Close() { e.loader.Close() }
