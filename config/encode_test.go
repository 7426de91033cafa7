package config_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"artel/config"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

const encoded = `seed: 7
name: "true"
on: false
limit: 1m30s
small: 0
single: 0.1
model:
  width: 1000
  rate: 1e-09
blocks:
  - width: 3
    rate: 0.5
unions:
  - a:
      width: 9
      rate: 0.5
  - b: {}
  - {}
maybe: null
weights:
  "1 x":
    width: 2
    rate: 1
words: ["", a, "b c", "1"]
table:
  - [0, 16]
  - []
surgery:
  name: pcgrad
  order: index
  beta: [1, 2]
  inner: hash
extra:
  - sum
  - name: mgda
    order: ""
    beta: []
    inner: ""
`

func exampleConfig() sample {
	return sample{
		Seed: 7, Name: "true", Limit: 90 * time.Second, Single: 0.1, Model: inner{1000, 1e-9}, Blocks: []inner{{3, 0.5}},
		Unions: []union{{A: &inner{9, 0.5}}, {B: &nothing{}}, {}}, Weights: map[string]inner{"1 x": {2, 1}}, Words: []string{"", "a", "b c", "1"},
		Table: [][]int{{0, 16}, {}}, Surgery: config.With("pcgrad", &options{Order: "index", Beta: []float64{1, 2}, Inner: config.Member{Name: "hash"}}),
		Extra: []config.Member{{Name: "sum"}, config.With("mgda", &options{})},
	}
}

func TestEncode(t *testing.T) {
	c := exampleConfig()
	got, err := config.Encode(&c)
	if err != nil || cmp.Diff(encoded, string(got)) != "" {
		t.Errorf("%v %s", err, cmp.Diff(encoded, string(got)))
	}
	docs, err := config.EncodeDoc(c)
	if err != nil || !strings.HasPrefix(string(docs), "# seed of everything\nseed: 7\nname:") ||
		!strings.Contains(string(docs), "blocks:\n  -\n    # the width\n    width: 3\n") || !strings.Contains(string(docs), "  name: pcgrad\n  # order of tasks\n  order: index\n") {
		t.Errorf("%v\n%s", err, docs)
	}
	h1, err1 := config.SHA256(&c)
	c.Model.Rate = math.Nextafter(c.Model.Rate, 1)
	h2, err2 := config.SHA256(&c)
	if err1 != nil || err2 != nil || len(h1) != 64 || h1 == h2 {
		t.Errorf("%s, %v; %s, %v", h1, err1, h2, err2)
	}
}

func TestEncodeErrors(t *testing.T) {
	pending := sample{Surgery: config.With("x", &options{})}
	if _, err := config.Decode(&pending, config.Args([]string{"surgery.ordre=index"})); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]sample{
		"config: model.rate: got NaN, want a finite number":                                   {Model: inner{Rate: math.NaN()}},
		"config: blocks.1.rate: got +Inf, want a finite number":                               {Blocks: []inner{{}, {Rate: math.Inf(1)}}},
		`config: words.0: got "\xff", want UTF-8`:                                             {Words: []string{"\xff"}},
		"config: surgery.beta.0: got -Inf, want a finite number":                              {Surgery: config.With("x", &options{Beta: []float64{math.Inf(-1)}})},
		"argument `surgery.ordre=index`: surgery.ordre: unknown key; did you mean \"order\"?": pending,
	} {
		if _, err := config.Encode(c); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestPending: what was given to a Member and not decoded yet is not lost.
func TestPending(t *testing.T) {
	c := defaults()
	text := "surgery: {name: \"a b\", x: [1, {y: \"2\"}, [], {}], z: , w: ~, 'q r': true, s: 'no', v: a/b}\n"
	if _, err := config.Decode(&c, config.File("f", []byte(text))); err != nil {
		t.Fatal(err)
	}
	got, err := config.Encode(c)
	want := "surgery:\n  name: \"a b\"\n  x:\n    - 1\n    - \"y\": \"2\"\n    - []\n    - {}\n  z:\n  w: null\n  \"q r\": true\n  s: \"no\"\n  v: a/b\n"
	if err != nil || !strings.Contains(string(got), want) {
		t.Errorf("%v\n%s", err, got)
	}
	back := defaults()
	if _, err := config.Decode(&back, config.File("f", got)); err != nil {
		t.Fatal(err)
	}
	if again, err := config.Encode(back); err != nil || string(again) != string(got) {
		t.Errorf("%v\n%s", err, again)
	}
}

// drawInner and drawSample make any config that the tags allow.
func drawInner(t *rapid.T) inner {
	return inner{rapid.IntRange(1, 4096).Draw(t, "width"), rapid.Float64Range(math.SmallestNonzeroFloat64, 1).Draw(t, "rate")}
}

func maybe[T any](t *rapid.T, draw func(*rapid.T) T) *T {
	if !rapid.Bool().Draw(t, "present") {
		return nil
	}
	x := draw(t)
	return &x
}

func drawOptions(t *rapid.T, depth int) config.Member {
	name := rapid.String().Draw(t, "member")
	if depth == 0 || rapid.Bool().Draw(t, "short") {
		return config.Member{Name: name}
	}
	return config.With(name, &options{
		Order: rapid.SampledFrom([]string{"random", "index", "given"}).Draw(t, "order"),
		Beta:  rapid.SliceOfN(rapid.Float64Range(0, math.MaxFloat64), 0, 3).Draw(t, "beta"),
		Inner: drawOptions(t, depth-1),
	})
}

func drawSample(t *rapid.T) sample {
	in := rapid.Custom(drawInner)
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"null", "~", "true", "1e3", "0x1", "-", "---", "a: b", "- a", "#", "a #b", "'", "\"", "\\", "\u2028", "\x00", "\r\n", "\u0085", "\ufeff", "<<", "*a", "&a", "!a", "=", ".", "", " "}))
	return sample{
		Seed: rapid.Uint64().Draw(t, "seed"), Name: text.Draw(t, "name"), On: rapid.Bool().Draw(t, "on"),
		Limit: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "limit")), Small: rapid.Int8().Draw(t, "small"),
		Single: rapid.Float32().Draw(t, "single"), Model: drawInner(t), Blocks: rapid.SliceOfN(in, 0, 3).Draw(t, "blocks"),
		Unions: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) union {
			return union{maybe(t, drawInner), maybe(t, func(*rapid.T) nothing { return nothing{} })}
		}), 0, 3).Draw(t, "unions"),
		Maybe: maybe(t, drawInner), Weights: rapid.MapOfN(text, in, 0, 3).Draw(t, "weights"), Words: rapid.SliceOfN(text, 0, 4).Draw(t, "words"),
		Table:   rapid.SliceOfN(rapid.SliceOfN(rapid.Int(), 0, 3), 0, 3).Draw(t, "table"),
		Surgery: drawOptions(t, 2), Extra: []config.Member{drawOptions(t, 1), drawOptions(t, 1)},
	}
}

// decodeMembers decodes the options of m and of those inside, with and without the doc comments.
func decodeMembers(t *rapid.T, m, like *config.Member) {
	if like.Options() == nil {
		return
	}
	var o options
	if err := m.Decode(&o); err != nil {
		t.Fatal(err)
	}
	decodeMembers(t, &o.Inner, &like.Options().(*options).Inner)
}

// TestRoundTrip: the encoding of any config decodes to the same config, over zeros and over other defaults.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := drawSample(r)
		encode := config.Encode
		if rapid.Bool().Draw(r, "docs") {
			encode = config.EncodeDoc
		}
		file, err := encode(want)
		if err != nil {
			r.Fatal(err)
		}
		got := sample{}
		if rapid.Bool().Draw(r, "defaults") {
			got = exampleConfig()
			got.Weights, got.Maybe = nil, &inner{3, 3}
		}
		if _, err := config.Decode(&got, config.File("c.yaml", file)); err != nil {
			r.Fatalf("%v\n%s", err, file)
		}
		decodeMembers(r, &got.Surgery, &want.Surgery)
		decodeMembers(r, &got.Extra[0], &want.Extra[0])
		decodeMembers(r, &got.Extra[1], &want.Extra[1])
		same := []cmp.Option{cmpopts.EquateEmpty(), cmp.Transformer("member", func(m config.Member) any {
			return struct {
				Name    string
				Options any
			}{m.Name, m.Options()}
		})}
		if d := cmp.Diff(want, got, same...); d != "" {
			r.Fatalf("%s\n%s", d, file)
		}
		h1, err1 := config.SHA256(want)
		h2, err2 := config.SHA256(&got)
		if h1 != h2 || err1 != nil || err2 != nil {
			r.Fatalf("hashes %s %v, %s %v", h1, err1, h2, err2)
		}
	})
}

func TestDocs(t *testing.T) {
	c := exampleConfig()
	var got strings.Builder
	for _, d := range config.Docs(&c) {
		got.WriteString(strings.Join([]string{d.Key, d.Type, d.Default, d.Range, d.Doc}, " | ") + "\n")
	}
	want := `seed | a whole number from 0 | 7 |  | seed of everything
name | a string | "true" |  | 
on | true or false | false |  | 
limit | a duration such as 90s | 1m30s | 0s..1h | 
small | a whole number up to 127 | 0 |  | 
single | a finite number | 0.1 |  | 
model | an object |  |  | the model
model.width | a whole number | 1000 | 1..4096 | the width
model.rate | a finite number | 1e-09 | 0<..1 | 
blocks | a list |  |  | 
blocks.0.width | a whole number | 8 | 1..4096 | the width
blocks.0.rate | a finite number | 0.5 | 0<..1 | 
unions | a list |  |  | 
unions.0.a | an object | null |  | 
unions.0.a.width | a whole number | 8 | 1..4096 | the width
unions.0.a.rate | a finite number | 0.5 | 0<..1 | 
unions.0.b | an object | null |  | 
maybe | an object | null |  | 
maybe.width | a whole number | 8 | 1..4096 | the width
maybe.rate | a finite number | 0.5 | 0<..1 | 
weights | named entries |  |  | 
weights.NAME.width | a whole number | 8 | 1..4096 | the width
weights.NAME.rate | a finite number | 0.5 | 0<..1 | 
words | a list, each a string | ["", a, "b c", "1"] |  | 
table | a list |  |  | 
surgery | a name, or {name: ..., and options} | pcgrad |  | how task gradients are combined
extra | a list |  |  | 
`
	if d := cmp.Diff(want, got.String()); d != "" {
		t.Error(d)
	}
	for _, d := range config.Docs(&options{Order: "index"}) {
		if d.Key == "order" && d.Range != "random index given" {
			t.Errorf("%+v", d)
		}
	}
}

// FuzzDecode: no input panics, mistakes are Errors, and what decodes can be encoded and gives the same encoding again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(good), "model.width=3")
	f.Add([]byte(encoded), "surgery.order=index")
	f.Add([]byte("a: &x 1\nb: *x\n"), "surgery={name: x, y: [1]}")
	f.Add([]byte("- 1\n---\n? x\n"), "blocks.0=")
	f.Add([]byte("surgery: {name: a, b: {c: [1, 2.5, .inf, ~, 'x', |"), "surgery.b.c.0=x")
	f.Add([]byte("words:\n- |\n  a\n  b\n- >-\n  c\n\n  d\nname: a\n  b\n"), "weights.a.width=1")
	f.Fuzz(func(t *testing.T, data []byte, arg string) {
		c := defaults()
		if _, err := config.Decode(&c, config.File("f", data), config.Args([]string{arg})); err != nil {
			if errs, ok := err.(config.Errors); !ok || len(errs) == 0 {
				t.Fatalf("a %T: %v", err, err)
			}
			return
		}
		first, err := config.Encode(c)
		if err != nil {
			return // a string that is not UTF-8
		}
		back := sample{}
		if _, err := config.Decode(&back, config.File("b", first)); err != nil {
			t.Fatalf("encoded config does not decode: %v\n%s", err, first)
		}
		if second, err := config.Encode(back); err != nil || string(first) != string(second) {
			t.Fatalf("%v\n%s\nbecame\n%s", err, first, second)
		}
	})
}
