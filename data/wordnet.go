package data

import (
	"artel/data/wordnet"
	"artel/rng"
)

func init() {
	Register(Entry{
		Name:   "wordnet",
		Ref:    "WordNet 3.1, Princeton University, WordNet licence",
		Doc:    "20,000 glosses as bags of hashed words, word pairs and letter n-grams. Tasks: part of speech (4), semantic field (45)",
		Config: func() any { return &WordNetConfig{Buckets: 1 << 14} },
		New:    func(cfg any) (Source, error) { return newWordNet(cfg.(*WordNetConfig)) },
	})
}

// WordNetConfig holds the options of wordnet.
type WordNetConfig struct {
	Buckets    int `yaml:"buckets" doc:"number of different features" range:"16..16777216"`
	ValGlosses int `yaml:"val_glosses" doc:"training glosses held out for the validation split" range:"0..9000"`
}

type wordNet struct {
	cfg         WordNetConfig
	train, test *wordnet.Glosses
	ids         [2][][]int32 // features of the training and the test glosses, made once
}

func newWordNet(cfg *WordNetConfig) (Source, error) {
	train, test, err := wordnet.Load()
	if err != nil {
		return nil, err
	}
	w := &wordNet{cfg: *cfg, train: train, test: test}
	for i, g := range []*wordnet.Glosses{train, test} {
		var all []int32
		for _, text := range g.Text {
			n := len(all)
			all = wordnet.Features(all, text, cfg.Buckets)
			w.ids[i] = append(w.ids[i], all[n:len(all):len(all)])
		}
	}
	return w, nil
}

func (w *wordNet) Spec() Spec {
	return Spec{Name: "wordnet", Buckets: w.cfg.Buckets, Tasks: []TaskSpec{
		{Name: "pos", Classes: wordnet.POSNames},
		{Name: "field", Classes: wordnet.FieldNames},
	}}
}

func (w *wordNet) Len(s Split) int {
	switch s {
	case Train:
		return wordnet.Train - w.cfg.ValGlosses
	case Val:
		return w.cfg.ValGlosses
	}
	return wordnet.Test
}

func (w *wordNet) Fill(split Split, i uint64, _ rng.Stream, r *Row) {
	g, ids, at := w.train, w.ids[0], int(i)
	switch split {
	case Val:
		at += w.Len(Train)
	case Test:
		g, ids = w.test, w.ids[1]
	}
	r.IDs = append(r.IDs, ids[at]...)
	r.Labels[0], r.Labels[1] = int32(g.POS[at]), int32(g.Field[at])
}
