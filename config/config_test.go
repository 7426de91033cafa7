package config_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"artel/config"
)

type inner struct {
	Width int     `yaml:"width" range:"1..4096" doc:"the width"`
	Rate  float64 `yaml:"rate" range:"0<..1"`
}

func (i *inner) SetDefaults() { *i = inner{Width: 8, Rate: 0.5} }

type options struct {
	Order string    `yaml:"order" oneof:"random index given"`
	Beta  []float64 `yaml:"beta"`
}

type sample struct {
	Seed    uint64           `yaml:"seed" doc:"seed of everything"`
	Name    string           `yaml:"name"`
	On      bool             `yaml:"on"`
	Limit   time.Duration    `yaml:"limit" range:"0..3600"`
	Model   inner            `yaml:"model" doc:"the model"`
	Blocks  []inner          `yaml:"blocks"`
	Maybe   *inner           `yaml:"maybe"`
	Weights map[string]inner `yaml:"weights"`
	Words   []string         `yaml:"words"`
	Table   [][]int          `yaml:"table"`
	Surgery config.Member    `yaml:"surgery"`
}

func defaults() sample {
	return sample{Seed: 1, Name: "demo", Limit: time.Minute, Model: inner{16, 0.1}, Surgery: config.Member{Name: "sum"}}
}

const good = `# a comment
seed: 7
name: "true"
limit: 90s
model:
  width: 1e3
blocks:
  - width: 3
  - {rate: 0.25}
maybe: {}
weights:
  left: {width: 2}
words: [a, "b c", "1"]
table: [[0, 1], [2]]
surgery: {name: pcgrad, order: index}
`

func TestDecode(t *testing.T) {
	c := defaults()
	sources := append([]config.Source{config.File("a.yaml", []byte(good))},
		config.Args([]string{"model.rate=0.75", "blocks.1.width=5", "surgery.beta=[1, 2]", "weights.left.rate=1"})...)
	o, err := config.Decode(&c, sources...)
	if err != nil {
		t.Fatal(err)
	}
	opt := options{Order: "random"}
	if err := c.Surgery.Decode(&opt); err != nil {
		t.Fatal(err)
	}
	if c.Seed != 7 || c.Name != "true" || c.Limit != 90*time.Second || c.Model != (inner{1000, 0.75}) || c.Blocks[0] != (inner{3, 0.5}) ||
		c.Blocks[1] != (inner{5, 0.25}) || *c.Maybe != (inner{8, 0.5}) || c.Weights["left"] != (inner{2, 1}) || c.Words[2] != "1" ||
		c.Table[1][0] != 2 || c.Surgery.Name != "pcgrad" || opt.Order != "index" || !reflect.DeepEqual(opt.Beta, []float64{1, 2}) {
		t.Errorf("decoded %+v, options %+v", c, opt)
	}
	for key, want := range map[string]string{"seed": "a.yaml:2:7", "model.rate": "argument `model.rate=0.75`", "on": "default", "blocks.1.width": "argument `blocks.1.width=5`"} {
		if got := o.Of(key); got != want {
			t.Errorf("origin of %s = %q, want %q", key, got, want)
		}
	}
	for _, text := range []string{string(config.Encode(&c)), string(config.EncodeDoc(&c))} {
		back := sample{}
		if _, err := config.Decode(&back, config.File("b.yaml", []byte(text))); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		var opt2 options
		if err := back.Surgery.Decode(&opt2); err != nil {
			t.Fatal(err)
		}
		if got := string(config.Encode(&back)); got != string(config.Encode(&c)) {
			t.Errorf("round trip:\n%s\nbecame\n%s", config.Encode(&c), got)
		}
	}
	if !strings.Contains(string(config.EncodeDoc(&c)), "# seed of everything\nseed: 7\n") {
		t.Error("EncodeDoc lacks the doc comment")
	}
}

// TestMistakes checks whole messages, all of one file at once.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		args []string
		want string
	}{
		"several at once": {file: "seed: -1\nmodel:\n  widht: 3\n  rate: 0\non: maybe\n", want: "f.yaml:1:7: seed: got \"-1\", want a whole number from 0\n    seed: -1\n          ^\n" +
			"f.yaml:3:3: model.widht: unknown key; did you mean \"width\"?\n      widht: 3\n      ^\n" +
			"f.yaml:4:9: model.rate: got 0, want 0<..1\n      rate: 0\n            ^\n" +
			"f.yaml:5:5: on: got \"maybe\", want true or false\n    on: maybe\n        ^"},
		"twice":           {file: "seed: 1\nseed: 2\n", want: "f.yaml:2:1: not valid YAML: mapping key \"seed\" already defined at [1:1]\n    seed: 2\n    ^"},
		"argument":        {args: []string{"modle.width=3"}, want: "argument `modle.width=3`: modle: unknown key; did you mean \"model\"?"},
		"no value":        {args: []string{"seed"}, want: "argument `seed`: want key=value, such as model.width=256"},
		"index":           {args: []string{"blocks.2.width=1"}, want: "argument `blocks.2.width=1`: blocks.2: want an index from 0 to -1"},
		"quoted number":   {file: "seed: \"3\"\n", want: "f.yaml:1:7: seed: got \"3\", want a whole number from 0\n    seed: \"3\"\n          ^"},
		"not finite":      {file: "model: {rate: .nan}\n", want: "f.yaml:1:15: model.rate: got \".nan\", want a number\n    model: {rate: .nan}\n                  ^"},
		"list for object": {file: "model: [1]\n", want: "f.yaml:1:8: model: got a list, want the keys width, rate\n    model: [1]\n           ^"},
		"member options":  {file: "surgery: {order: index}\n", want: "f.yaml:1:11: surgery: want a name, such as surgery: {name: ...}\n    surgery: {order: index}\n              ^"},
		"below a scalar":  {args: []string{"seed.x=3"}, want: "argument `seed.x=3`: seed.x: there are no keys below seed"},
	} {
		s := defaults()
		var sources []config.Source
		if c.file != "" {
			sources = append(sources, config.File("f.yaml", []byte(c.file)))
		}
		_, err := config.Decode(&s, append(sources, config.Args(c.args)...)...)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got\n%v\nwant\n%s", name, err, c.want)
		}
	}
	s := defaults()
	if _, err := config.Decode(&s, config.File("f.yaml", []byte("surgery: {name: pcgrad, order: indx}\n"))); err != nil {
		t.Fatal(err)
	}
	err := s.Surgery.Decode(&options{})
	if err == nil || !strings.Contains(err.Error(), `f.yaml:1:32: surgery.order: got "indx"; did you mean "index"?`) {
		t.Errorf("member option: %v", err)
	}
	if _, err := config.Decode(&s, config.File("f.yaml", []byte("a: [1\n"))); err == nil || !strings.Contains(err.Error(), "f.yaml:1:") || !strings.Contains(err.Error(), "not valid YAML") {
		t.Errorf("syntax: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(good), "model.width=3")
	f.Add([]byte("a: &x 1\nb: *x\n"), "surgery={name: x, y: [1]}")
	f.Add([]byte("- 1\n---\n? x\n"), "blocks.0=")
	f.Fuzz(func(t *testing.T, data []byte, arg string) {
		c := defaults()
		if _, err := config.Decode(&c, append([]config.Source{config.File("f", data)}, config.Args([]string{arg})...)...); err == nil {
			back := sample{}
			if _, err := config.Decode(&back, config.File("b", config.Encode(&c))); err != nil && c.Surgery.Name != "" {
				t.Fatalf("encoded config does not decode: %v\n%s", err, config.Encode(&c))
			}
		}
	})
}
