// Package wordnet embeds 20,000 glosses of WordNet 3.1 with their part of speech and semantic field. WordNet is by Princeton University;
// its licence is in this directory.
package wordnet

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"io"
	"strings"
	"sync"

	"github.com/pkg/errors"
)

//go:generate go run ./gen -out wordnet.bin

// Sizes of the splits.
const (
	Train = 18000
	Test  = 2000
)

// POSNames are the parts of speech.
var POSNames = []string{"noun", "verb", "adjective", "adverb"}

// FieldNames are the semantic fields: WordNet's lexicographer files, by their numbers.
var FieldNames = strings.Fields(`adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition
	noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person noun.phenomenon
	noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape noun.state noun.substance noun.time verb.body
	verb.change verb.cognition verb.communication verb.competition verb.consumption verb.contact verb.creation verb.emotion verb.motion
	verb.perception verb.possession verb.social verb.stative verb.weather adj.ppl`)

// Glosses is a set of labelled definitions.
type Glosses struct {
	Text  []string
	POS   []uint8 // index into POSNames
	Field []uint8 // index into FieldNames
}

//go:embed wordnet.bin
var blob []byte

// Load returns the training and the test glosses, decoded once. The caller must not change them.
func Load() (train, test *Glosses, err error) {
	both, err := load()
	if err != nil {
		return nil, nil, err
	}
	return both[0], both[1], nil
}

// The blob is, deflated: all parts of speech as bytes, all fields as bytes, then the texts, each ended by a newline; training glosses come first.
var load = sync.OnceValues(func() ([2]*Glosses, error) {
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(blob)))
	if err != nil {
		return [2]*Glosses{}, errors.Wrap(err, "wordnet: embedded blob")
	}
	const n = Train + Test
	if len(raw) < 2*n {
		return [2]*Glosses{}, errors.Errorf("wordnet: embedded blob has %d bytes, want more than %d", len(raw), 2*n)
	}
	texts := strings.Split(strings.TrimSuffix(string(raw[2*n:]), "\n"), "\n")
	if len(texts) != n {
		return [2]*Glosses{}, errors.Errorf("wordnet: embedded blob has %d glosses, want %d", len(texts), n)
	}
	return [2]*Glosses{
		{texts[:Train], raw[:Train], raw[n : n+Train]},
		{texts[Train:], raw[Train:n], raw[n+Train : 2*n]},
	}, nil
})
