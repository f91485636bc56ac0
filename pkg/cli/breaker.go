package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

type breakerVerb struct {
	Action     string `arg:"" enum:"show,reset" help:"show lists the breakers that are tripped; reset puts one back." placeholder:"show|reset"`
	Scope      string `arg:"" optional:"" help:"The breaker to reset, as show names it, such as account/111122223333." placeholder:"SCOPE"`
	Deployment string `required:"" help:"The deployment file (YAML)." placeholder:"FILE"`
	Reason     string `help:"Why it is reset; kept in the ledger. Needed for reset." placeholder:"TEXT"`
	form
}

// Help is the verb's long help.
func (breakerVerb) Help() string {
	return `Each limit on writes (per role, account, organization and rule) has a breaker. Reaching the limit trips it, and from then on nothing is written in its scope, however much time passes: rolewarden tags, as far as the limit on tags allows, and tells. Only a person puts it back, after having looked at what was written and who keeps changing the roles.

    rolewarden breaker show --deployment organization.yaml
    rolewarden breaker reset account/111122223333 --deployment organization.yaml --reason "the broken pipeline is mended"

A reset begins its counting anew. What was held meanwhile is looked at again by the next event of the role, or by the next sweep.

Status: 0 no breaker is tripped, or the one named was reset; 1 show found tripped ones; 3 they cannot be read, or the one named is not tripped.`
}

// trippedBreaker is the JSON form of one breaker.
type trippedBreaker struct {
	Scope     string `json:"scope"`
	TrippedAt string `json:"trippedAt"`
	Written   int    `json:"written"`
	Limit     int    `json:"limit"`
	Window    string `json:"window"`
	Decision  string `json:"decision,omitempty"`
}

// breakers is the JSON form of the result.
type breakers struct {
	Version int              `json:"version"`
	Tripped []trippedBreaker `json:"tripped"`
	// Reset is the scope that was reset; ResetBy says by whom.
	Reset   string `json:"reset,omitempty"`
	ResetBy string `json:"resetBy,omitempty"`
}

// fusebox is where the breakers are.
type fusebox interface {
	Breakers(ctx context.Context) ([]ledger.Breaker, error)
	Reset(ctx context.Context, scope, by, reason string, at time.Time) error
}

// Run shows the breakers, or resets one.
func (v breakerVerb) Run(s *session) error {
	if v.Action == "reset" {
		switch {
		case strings.TrimSpace(v.Scope) == "":
			return &unusable{"SCOPE", "which breaker is to be reset", "name one that rolewarden breaker show lists, such as account/111122223333"}
		case strings.TrimSpace(v.Reason) == "":
			return &unusable{"--reason", "resetting a breaker needs a reason", `say what was found and mended, such as --reason "the broken pipeline is mended"`}
		}
	} else if v.Scope != "" {
		return &unusable{v.Scope, "show lists all of them", "leave it out, or write reset before it"}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	hub, err := openHub(ctx, s, v.Deployment)
	if err != nil {
		return err
	}
	return v.turn(ctx, s, hub.table, hub.by)
}

// turn does it, and prints what the breakers are afterwards.
func (v breakerVerb) turn(ctx context.Context, s *session, box fusebox, by string) error {
	out := breakers{Version: 1, Tripped: []trippedBreaker{}}
	if v.Action == "reset" {
		err := box.Reset(ctx, v.Scope, by, v.Reason, s.now())
		switch {
		case errors.Is(err, ledger.ErrNotTripped):
			return &unusable{v.Scope, "no breaker of this name is tripped", "list them with rolewarden breaker show"}
		case err != nil:
			return err
		}
		out.Reset, out.ResetBy = v.Scope, by
	}
	list, err := box.Breakers(ctx)
	if err != nil {
		return err
	}
	for _, b := range list {
		// A decision that had to write again was counted again, under a number.
		decision, _, _ := strings.Cut(b.Token, "/")
		out.Tripped = append(out.Tripped, trippedBreaker{
			Scope: b.Scope, TrippedAt: b.TrippedAt.UTC().Format(time.RFC3339), Written: b.Count, Limit: b.Limit, Window: b.Window.String(), Decision: decision,
		})
	}
	if v.Action == "show" && len(list) > 0 {
		s.end(Found)
	}
	if v.Format == JSON {
		return writeLine(s.out, out)
	}
	return v.print(s, out)
}

func (v breakerVerb) print(s *session, out breakers) error {
	var text strings.Builder
	if out.Reset != "" {
		fmt.Fprintf(&text, "%s was reset by %s\n", bold.Render(plain(out.Reset)), plain(out.ResetBy))
	}
	if len(out.Tripped) == 0 {
		text.WriteString("no breaker is tripped\n")
	}
	for _, b := range out.Tripped {
		fmt.Fprintf(&text, "%s is tripped since %s: %d of %d writes within %s", bold.Render(plain(b.Scope)), b.TrippedAt, b.Written, b.Limit, b.Window)
		if b.Decision != "" {
			fmt.Fprintf(&text, ", by decision %s", plain(b.Decision))
		}
		text.WriteString("\n")
	}
	return s.show(text.String())
}
