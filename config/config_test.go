package config_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"artel/config"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

type inner struct {
	Width int     `yaml:"width" range:"1..4096" doc:"the width"`
	Rate  float64 `yaml:"rate" range:"0<..1"`
}

func (i *inner) SetDefaults() { *i = inner{Width: 8, Rate: 0.5} }

// union is a list element of which one pointer is set.
type union struct {
	A *inner   `yaml:"a"`
	B *nothing `yaml:"b"`
}

type nothing struct{}

type options struct {
	Order string        `yaml:"order" oneof:"random index given" doc:"order of tasks"`
	Beta  []float64     `yaml:"beta" range:"0.."`
	Inner config.Member `yaml:"inner"`
}

type sample struct {
	Seed    uint64           `yaml:"seed" doc:"seed of everything"`
	Name    string           `yaml:"name"`
	On      bool             `yaml:"on"`
	Limit   time.Duration    `yaml:"limit" range:"0s..1h"`
	Small   int8             `yaml:"small"`
	Single  float32          `yaml:"single"`
	Model   inner            `yaml:"model" doc:"the model"`
	Blocks  []inner          `yaml:"blocks"`
	Unions  []union          `yaml:"unions"`
	Maybe   *inner           `yaml:"maybe"`
	Weights map[string]inner `yaml:"weights"`
	Words   []string         `yaml:"words"`
	Table   [][]int          `yaml:"table"`
	Surgery config.Member    `yaml:"surgery" doc:"how task gradients are combined"`
	Extra   []config.Member  `yaml:"extra"`
	Ignored int
}

func defaults() sample {
	return sample{Seed: 1, Name: "demo", Limit: time.Minute, Model: inner{16, 0.1}, Surgery: config.Member{Name: "sum"}}
}

const good = `# a comment
seed: 7
name: "true"
limit: 90s
small: -12
single: 1_000.5
model:
  width: 1e3
blocks:
  - width: 3
  - {rate: 0.25}
unions:
- a: {width: 9}
- b:
maybe:
weights:
  left: {width: 2}
words: [a, "b c", "1"]
table: [[0, 0x10], [2]]
surgery: {name: pcgrad, order: index}
extra: [sum, {name: mgda, beta: [1]}]
`

func TestDecode(t *testing.T) {
	c := defaults()
	o, err := config.Decode(&c, config.File("a.yaml", []byte(good)),
		config.Args([]string{"model.rate=0.75", "blocks.1.width=5", "surgery.beta=[1, 2]", "weights.left.rate=1", "weights.new.width=3"}))
	if err != nil {
		t.Fatal(err)
	}
	opt := options{Order: "random"}
	if err := c.Surgery.Decode(&opt); err != nil {
		t.Fatal(err)
	}
	want := sample{
		Seed: 7, Name: "true", Limit: 90 * time.Second, Small: -12, Single: 1000.5, Model: inner{1000, 0.75},
		Blocks: []inner{{3, 0.5}, {5, 0.25}}, Unions: []union{{A: &inner{9, 0.5}}, {B: &nothing{}}}, Maybe: &inner{8, 0.5},
		Weights: map[string]inner{"left": {2, 1}, "new": {3, 0.5}}, Words: []string{"a", "b c", "1"}, Table: [][]int{{0, 16}, {2}},
	}
	if d := cmp.Diff(want, c, cmpopts.IgnoreFields(sample{}, "Surgery", "Extra")); d != "" || c.Surgery.Name != "pcgrad" || c.Extra[1].Name != "mgda" {
		t.Errorf("decoded %s, %s, %v", d, c.Surgery.Name, c.Extra)
	}
	if opt.Order != "index" || !reflect.DeepEqual(opt.Beta, []float64{1, 2}) || c.Surgery.Options() != any(&opt) {
		t.Errorf("options %+v", opt)
	}
	for key, want := range map[string]string{
		"seed": "a.yaml:2:7", "model.width": "a.yaml:8:10", "model.rate": "argument `model.rate=0.75`", "on": "default",
		"blocks.0.width": "a.yaml:10:12", "blocks.0.rate": "default", "blocks.1.width": "argument `blocks.1.width=5`", "blocks.1.rate": "a.yaml:11:12",
		"weights.left.width": "a.yaml:17:17", "weights.new.width": "argument `weights.new.width=3`", "surgery.order": "a.yaml:20:32",
		"surgery.beta.1": "argument `surgery.beta=[1, 2]`", "surgery.inner": "default", "extra.1.beta": "a.yaml:21:33", "no.such": "default",
	} {
		if got := o.Of(key); got != want {
			t.Errorf("origin of %s = %q, want %q", key, got, want)
		}
	}
}

// TestLayers: what a later source gives over what an earlier one gave, and what the defaults keep.
func TestLayers(t *testing.T) {
	shared := &inner{100, 0.1}
	list := []inner{{1, 0.1}, {2, 0.2}}
	c := sample{Maybe: shared, Blocks: list, Weights: map[string]inner{"w": {1, 1}}}
	o, err := config.Decode(&c, config.File("a", []byte("maybe: {width: 5}\nblocks: [{width: 7}, {width: 8}]\nmodel: {width: 3}\n")),
		config.File("b", []byte("maybe: {rate: 0.9}\nmodel:\nweights: {v: {}}\n")), config.Args([]string{"blocks.1.rate=1", "weights.w.width=9"}))
	if err != nil {
		t.Fatal(err)
	}
	if *c.Maybe != (inner{5, 0.9}) || c.Model.Width != 3 || !reflect.DeepEqual(c.Blocks, []inner{{7, 0.5}, {8, 1}}) ||
		!reflect.DeepEqual(c.Weights, map[string]inner{"w": {9, 1}, "v": {8, 0.5}}) {
		t.Errorf("%+v, %+v", c, c.Maybe)
	}
	if *shared != (inner{100, 0.1}) || list[1] != (inner{2, 0.2}) {
		t.Errorf("decoding changed the caller's defaults: %v, %v", *shared, list)
	}
	if o.Of("blocks.0.width") != "a:1:1" && !strings.HasPrefix(o.Of("blocks.0.width"), "a:2:") {
		t.Errorf("origin %s", o.Of("blocks.0.width"))
	}
	o, err = config.Decode(&c, config.File("a", []byte("blocks: [{width: 7}]\n")), config.Args([]string{"blocks=[{rate: 1}]", "maybe=null"}))
	if err != nil || c.Maybe != nil || len(c.Blocks) != 1 || o.Of("blocks.0.width") != "default" || o.Of("blocks.0.rate") != "argument `blocks=[{rate: 1}]`" {
		t.Errorf("%v: %+v, origins %+v", err, c, o)
	}
	if _, err := config.Decode(&c); err != nil {
		t.Error(err)
	}
	if _, err := config.Decode(&c, config.File("", nil), config.Args(nil)); err != nil {
		t.Error(err)
	}
	before := c
	if _, err := config.Decode(&c, config.File("a", []byte("seed: 99\nmodel: {width: 0}\n"))); err == nil || !reflect.DeepEqual(before, c) {
		t.Errorf("after an error: %v, %+v", err, c)
	}
}

// TestMistakes checks whole messages, all of one source at once.
func TestMistakes(t *testing.T) {
	long := "words: [" + strings.Repeat("abcdefgh, ", 40) + "[x]]"
	for name, c := range map[string]struct {
		file string
		args []string
		want string
	}{
		"several at once": {file: "seed: -1\nmodel:\n  widht: 3\n  rate: 0\non: maybe\n", args: []string{"limt=3s"}, want: "f.yaml:1:7: seed: got -1, want a whole number from 0\n    seed: -1\n          ^\n" +
			"f.yaml:3:3: model.widht: unknown key; did you mean \"width\"?\n      widht: 3\n      ^\n" +
			"f.yaml:4:9: model.rate: got 0, want 0<..1\n      rate: 0\n            ^\n" +
			"f.yaml:5:5: on: got maybe, want true or false\n    on: maybe\n        ^\n" +
			"argument `limt=3s`: limt: unknown key; did you mean \"limit\"?"},
		"far key":           {file: "zzzzzzzzzzz: 1\n", want: "f.yaml:1:1: zzzzzzzzzzz: unknown key; want one of seed, name, on, limit, small, single, model, blocks, unions, maybe, weights, words, table, surgery, extra\n    zzzzzzzzzzz: 1\n    ^"},
		"no keys":           {file: "unions: [{b: {x: 1}}]\n", want: "f.yaml:1:15: unions.0.b.x: unknown key; there are no options here\n    unions: [{b: {x: 1}}]\n                  ^"},
		"field without tag": {args: []string{"Ignored=1"}, want: "argument `Ignored=1`: Ignored: unknown key; want one of seed, name, on, limit, small, single, model, blocks, unions, maybe, weights, words, table, surgery, extra"},
		"twice":             {file: "seed: 1\nseed: 2\n", want: "f.yaml:2:1: not valid YAML: mapping key \"seed\" already defined at [1:1]\n    seed: 2\n    ^"},
		"twice, quoted":     {file: "model: {width: 1, \"width\": 2}\n", want: "f.yaml:1:19: not valid YAML: mapping key \"width\" already defined at [1:9]\n    model: {width: 1, \"width\": 2}\n                      ^"},
		"syntax":            {file: "a: [1\n", want: "f.yaml:1:4: not valid YAML: sequence end token ']' not found\n    a: [1\n       ^"},
		"two documents":     {file: "seed: 1\n---\nseed: 2\n", want: "f.yaml:3:5: more than one YAML document; want one\n    seed: 2\n        ^"},
		"alias":             {file: "seed: &x 1\n", want: "f.yaml:1:7: seed: YAML anchors, aliases, merges and tags are not supported here\n    seed: &x 1\n          ^"},
		"merge":             {file: "model: {<<: {width: 1}}\n", want: "f.yaml:1:9: model: YAML anchors, aliases, merges, tags and keys that are not words are not supported here\n    model: {<<: {width: 1}}\n            ^"},
		"key not a word":    {file: "model: {[a]: 1}\n", want: "f.yaml:1:12: not valid YAML: found an invalid key for this map\n    model: {[a]: 1}\n               ^"},
		"twice, as number":  {file: "weights: {1: {}, \"1\": {}}\n", want: "f.yaml:1:18: not valid YAML: mapping key \"1\" already defined at [1:11]\n    weights: {1: {}, \"1\": {}}\n                     ^"},
		"scalar for map":    {file: "weights: 3\n", want: "f.yaml:1:10: weights: got 3, want named entries\n    weights: 3\n             ^"},
		"through pointer":   {args: []string{"maybe.width=0"}, want: "argument `maybe.width=0`: maybe.width: got 0, want 1..4096"},
		"negative index":    {args: []string{"words=[a]", "words.-1=c"}, want: "argument `words.-1=c`: words.-1: want an index from 0 to 0"},
		"root":              {file: "- 1\n", want: "f.yaml:1:1: got a list, want the keys seed, name, on, limit, small, single, model, blocks, unions, maybe, weights, words, table, surgery, extra\n    - 1\n    ^"},
		"argument":          {args: []string{"modle.width=3"}, want: "argument `modle.width=3`: modle: unknown key; did you mean \"model\"?"},
		"argument below":    {args: []string{"model.wdth=3"}, want: "argument `model.wdth=3`: model.wdth: unknown key; did you mean \"width\"?"},
		"no value":          {args: []string{"seed"}, want: "argument `seed`: want key=value, such as model.width=256"},
		"no key":            {args: []string{"=3"}, want: "argument `=3`: want key=value, such as model.width=256"},
		"empty value":       {args: []string{"seed="}, want: "argument `seed=`: seed: got nothing, want a whole number from 0"},
		"argument syntax":   {args: []string{"seed=[1"}, want: "argument `seed=[1`: not valid YAML: sequence end token ']' not found"},
		"empty list":        {args: []string{"blocks.2.width=1"}, want: "argument `blocks.2.width=1`: blocks.2: the list is empty"},
		"index":             {args: []string{"words=[a, b]", "words.2=c"}, want: "argument `words.2=c`: words.2: want an index from 0 to 1"},
		"below a scalar":    {args: []string{"seed.x=3"}, want: "argument `seed.x=3`: seed.x: there are no keys below seed"},
		"quoted number":     {file: "seed: \"3\"\n", want: "f.yaml:1:7: seed: got \"3\", want a whole number from 0\n    seed: \"3\"\n          ^"},
		"leading zero":      {file: "seed: 010\n", want: "f.yaml:1:7: seed: got 010, want a whole number from 0\n    seed: 010\n          ^"},
		"fraction":          {file: "small: 1.5\n", want: "f.yaml:1:8: small: got 1.5, want a whole number up to 127\n    small: 1.5\n           ^"},
		"too wide":          {file: "small: 128\n", want: "f.yaml:1:8: small: got 128, want a whole number up to 127\n    small: 128\n           ^"},
		"underscores":       {file: "single: 1__0\n", want: "f.yaml:1:9: single: got 1__0, want a finite number\n    single: 1__0\n            ^"},
		"float32 overflow":  {args: []string{"single=1e39"}, want: "argument `single=1e39`: single: got 1e39, want a finite number"},
		"NaN":               {file: "model: {rate: .nan}\n", want: "f.yaml:1:15: model.rate: got .nan, want a finite number\n    model: {rate: .nan}\n                  ^"},
		"NaN as a word":     {args: []string{"model.rate=NaN"}, want: "argument `model.rate=NaN`: model.rate: got NaN, want a finite number"},
		"infinity":          {args: []string{"model.rate=-.inf"}, want: "argument `model.rate=-.inf`: model.rate: got -.inf, want a finite number"},
		"range of elements": {file: "limit: 2h\n", want: "f.yaml:1:8: limit: got 2h, want 0s..1h\n    limit: 2h\n           ^"},
		"no unit":           {file: "limit: 60\n", want: "f.yaml:1:8: limit: got 60, want a duration such as 90s\n    limit: 60\n           ^"},
		"bool":              {file: "on: 1\n", want: "f.yaml:1:5: on: got 1, want true or false\n    on: 1\n        ^"},
		"null":              {file: "seed: ~\n", want: "f.yaml:1:7: seed: got null, want a whole number from 0\n    seed: ~\n          ^"},
		"list for string":   {file: "name: [1]\n", want: "f.yaml:1:7: name: got a list, want a string\n    name: [1]\n          ^"},
		"scalar for list":   {file: "words: a\n", want: "f.yaml:1:8: words: got a, want a list\n    words: a\n           ^"},
		"list for object":   {file: "model: [1]\n", want: "f.yaml:1:8: model: got a list, want the keys width, rate\n    model: [1]\n           ^"},
		"list for map":      {file: "weights: [1]\n", want: "f.yaml:1:10: weights: got a list, want named entries\n    weights: [1]\n             ^"},
		"map element":       {file: "weights: {a: {rate: 2}}\n", want: "f.yaml:1:21: weights.a.rate: got 2, want 0<..1\n    weights: {a: {rate: 2}}\n                        ^"},
		"member no name":    {file: "surgery: {order: index}\n", want: "f.yaml:1:11: surgery: want a name, as in {name: ...}\n    surgery: {order: index}\n              ^"},
		"member name":       {file: "surgery: {name: [1]}\n", want: "f.yaml:1:17: surgery.name: got a list, want a word\n    surgery: {name: [1]}\n                    ^"},
		"member list":       {file: "surgery: [a]\n", want: "f.yaml:1:10: surgery: got a list, want a name or {name: ..., and options}\n    surgery: [a]\n             ^"},
		"tab and CR":        {file: "name: \"\t\" \r\nseed: x\r\n", want: "f.yaml:2:7: seed: got x, want a whole number from 0\n    seed: x\n          ^"},
		"long line":         {file: long + "\n", want: "f.yaml:1:409: words.40: got a list, want a string\n    " + long[358:] + "\n    " + strings.Repeat(" ", 50) + "^"},
	} {
		s := defaults()
		var sources []config.Source
		if c.file != "" {
			sources = append(sources, config.File("f.yaml", []byte(c.file)))
		}
		_, err := config.Decode(&s, append(sources, config.Args(c.args))...)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got\n%v\nwant\n%s", name, err, c.want)
		}
		if _, ok := err.(config.Errors); !ok {
			t.Errorf("%s: got a %T", name, err)
		}
	}
}

func TestMember(t *testing.T) {
	file := config.File("f.yaml", []byte("surgery: pcgrad\n"))
	long := config.File("f.yaml", []byte("surgery:\n  name: pcgrad\n  order: index\n  beta: [3, 4]\n  inner: {name: x, order: given}\n"))
	for name, c := range map[string]struct {
		source config.Source
		args   []string
		want   string // name, order, beta, inner; or the error
	}{
		"short":             {source: file, want: "pcgrad random [0.5]"},
		"long":              {source: long, want: "pcgrad index [3 4] x"},
		"replaced":          {source: long, args: []string{"surgery=mgda"}, want: "mgda random [0.5]"},
		"replaced by name":  {source: long, args: []string{"surgery.name=mgda"}, want: "mgda random [0.5]"},
		"replaced by all":   {source: long, args: []string{"surgery={name: mgda, beta: []}"}, want: "mgda random []"},
		"option on short":   {source: file, args: []string{"surgery.order=given"}, want: "pcgrad given [0.5]"},
		"option on default": {source: config.File("", nil), args: []string{"surgery.order=given"}, want: "sum given [0.5]"},
		"option on long":    {source: long, args: []string{"surgery.order=given", "surgery.beta.1=9"}, want: "pcgrad given [3 9] x"},
		"then replaced":     {source: long, args: []string{"surgery.order=given", "surgery=sum"}, want: "sum random [0.5]"},
		"inner":             {source: file, args: []string{"surgery.inner=y", "surgery.inner.order=index"}, want: "pcgrad random [0.5] y"},
		"misspelt":          {source: config.File("f.yaml", []byte("surgery: {name: pcgrad, ordre: 1, beta: [-1]}\n")), want: "f.yaml:1:25: surgery.ordre: unknown key; did you mean \"order\"?\n    surgery: {name: pcgrad, ordre: 1, beta: [-1]}\n                            ^\nf.yaml:1:42: surgery.beta.0: got -1, want 0..\n    surgery: {name: pcgrad, ordre: 1, beta: [-1]}\n                                             ^"},
		"wrong word":        {source: file, args: []string{"surgery.order=indx"}, want: "argument `surgery.order=indx`: surgery.order: got \"indx\"; did you mean \"index\"? (want one of random, index, given)"},
		"far word":          {source: file, args: []string{"surgery.order=zzzzzzzzz"}, want: "argument `surgery.order=zzzzzzzzz`: surgery.order: got \"zzzzzzzzz\", want one of random, index, given"},
		"index":             {source: long, args: []string{"surgery.beta.2=9"}, want: "argument `surgery.beta.2=9`: surgery.beta.2: want an index from 0 to 1"},
	} {
		s := defaults()
		got := ""
		_, err := config.Decode(&s, c.source, config.Args(c.args))
		opt := options{Order: "random", Beta: []float64{0.5}}
		if err == nil {
			err = s.Surgery.Decode(&opt)
		}
		if err != nil {
			got = err.Error()
		} else {
			got = strings.TrimSpace(fmt.Sprint(s.Surgery.Name, " ", opt.Order, " ", opt.Beta, " ", opt.Inner.Name))
		}
		if got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// TestPendingOptionsAreCopied: overriding an option of a copy leaves the original as it was.
func TestPendingOptionsAreCopied(t *testing.T) {
	first := defaults()
	if _, err := config.Decode(&first, config.File("f", []byte("surgery: {name: pcgrad, order: index, beta: [1, 2], inner: {name: x}}\n"))); err != nil {
		t.Fatal(err)
	}
	second := first
	if _, err := config.Decode(&second, config.Args([]string{"surgery.order=given", "surgery.beta.0=5", "surgery.inner.name=y"})); err != nil {
		t.Fatal(err)
	}
	var a, b options
	if err := first.Surgery.Decode(&a); err != nil || a.Order != "index" || a.Beta[0] != 1 || a.Inner.Name != "x" {
		t.Errorf("%+v, %v", a, err)
	}
	if err := second.Surgery.Decode(&b); err != nil || b.Order != "given" || b.Beta[0] != 5 || b.Inner.Name != "y" {
		t.Errorf("%+v, %v", b, err)
	}
}

// TestRangeTag: a malformed tag is found by listing the keys.
func TestRangeTag(t *testing.T) {
	for _, v := range []any{&struct {
		X int `yaml:"x" range:"1-3"`
	}{}, &struct {
		X time.Duration `yaml:"x" range:"0..60"`
	}{}, &struct {
		X []float64 `yaml:"x" range:"a..b"`
	}{}} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "config: range tag") {
					t.Errorf("%T: %v", v, r)
				}
			}()
			config.Docs(v)
		}()
	}
}

// TestMemberInPrograms: options from With are the base of later arguments, and a second Decode changes nothing.
func TestMemberInPrograms(t *testing.T) {
	given := options{Order: "given", Beta: []float64{1, 2}}
	s := sample{Surgery: config.With("pcgrad", &given)}
	if _, err := config.Decode(&s, config.Args([]string{"surgery.order=index"})); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		opt := options{Beta: []float64{7}}
		if err := s.Surgery.Decode(&opt); err != nil || opt.Order != "index" || !reflect.DeepEqual(opt.Beta, []float64{1, 2}) {
			t.Errorf("%+v, %v", opt, err)
		}
	}
	if given.Order != "given" {
		t.Error("the program's options changed")
	}
	if err := s.Surgery.Decode(&inner{}); err == nil || err.Error() != `config: options of "pcgrad": got a config_test.options, want a config_test.inner` {
		t.Errorf("another type: %v", err)
	}
}
