package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"artel/config"
	"artel/data"
	"artel/gradsurgery"
	"artel/internal/registry"
	"artel/moe"
	"artel/nn"
	"artel/optim"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"
)

// member is a registered member as list shows it.
type member struct {
	Kind    string       `json:"kind"`
	Name    string       `json:"name"`
	Doc     string       `json:"doc"`
	Ref     string       `json:"ref"`
	Options []config.Doc `json:"options,omitempty"`
}

// members lists everything that a config file can name.
func members() []member {
	var out []member
	add := func(kind, name, doc, ref string, cfg any) {
		out = append(out, member{kind, name, doc, ref, config.Docs(cfg)})
	}
	for _, e := range moe.Entries() {
		add("router", e.Name, e.Doc, e.Ref, e.Config())
	}
	for _, e := range gradsurgery.Entries() {
		add("surgery", e.Name, e.Doc, e.Ref, e.Config())
	}
	for _, e := range optim.Entries() {
		add("optimizer", e.Name, e.Doc, e.Ref, e.Config())
	}
	for _, e := range optim.Schedules() {
		add("schedule", e.Name, e.Doc, e.Ref, e.Config())
	}
	for _, e := range nn.Losses() {
		add("loss", e.Name, e.Doc, e.Ref, e.Config())
	}
	for _, e := range data.Entries() {
		add("source", e.Name, e.Doc, e.Ref, e.Config())
	}
	for _, e := range data.Samplers() {
		add("sampler", e.Name, e.Doc, e.Ref, e.Config())
	}
	return out
}

func (a *app) listCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [KIND [NAME]]",
		Short: "List routers, surgery methods, optimizers, schedules, losses, sources and samplers",
		Args:  cobra.MaximumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			shown, err := choose(members(), args)
			if err != nil {
				return err
			}
			if asJSON {
				return a.json(shown)
			}
			if len(args) == 2 {
				a.describe(shown[0])
				return nil
			}
			w := tabwriter.NewWriter(a.out, 2, 0, 2, ' ', 0)
			for _, m := range shown {
				first, _, _ := strings.Cut(m.Doc, "\n")
				fmt.Fprintf(w, "%s\t%s\t%s\n", m.Kind, m.Name, first)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// choose keeps the members of a kind, or the one of a name.
func choose(all []member, args []string) ([]member, error) {
	for i, arg := range args {
		var kept []member
		var words []string
		for _, m := range all {
			word := []string{m.Kind, m.Name}[i]
			if word == arg {
				kept = append(kept, m)
			}
			if len(words) == 0 || words[len(words)-1] != word {
				words = append(words, word)
			}
		}
		if len(kept) == 0 {
			if near := registry.Nearest(arg, words); near != "" {
				return nil, usageError{errors.Errorf("list: %q is unknown; did you mean %q?", arg, near)}
			}
			return nil, usageError{errors.Errorf("list: %q is unknown, want one of %s", arg, strings.Join(words, ", "))}
		}
		all = kept
	}
	return all, nil
}

// describe prints one member with its options.
func (a *app) describe(m member) {
	fmt.Fprintf(a.out, "%s %s\n  %s\n  source: %s\n", m.Kind, m.Name, m.Doc, m.Ref)
	for _, o := range m.Options {
		fmt.Fprintf(a.out, "  %s (%s, default %s) %s\n", o.Key, o.Type, o.Default, o.Doc)
	}
}

// configCommand prints the effective config of the arguments, with comments.
func (a *app) configCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config [config.yaml] [key=value ...]",
		Short: "Print the config that these arguments mean, every key with its meaning",
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := readArgs(args, nil)
			if err != nil {
				return err
			}
			text, err := config.EncodeDoc(cfg)
			if err != nil {
				return err
			}
			_, err = a.out.Write(text)
			return err
		},
	}
}
