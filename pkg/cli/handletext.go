package cli

import (
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/notify"
)

// print prints what became of each event, for people.
func (v handleVerb) print(s *session, result handledEvents) error {
	var b strings.Builder
	for _, e := range result.Events {
		if err := e.print(&b); err != nil {
			return err
		}
	}
	return s.show(b.String())
}

// doneWords says what was done.
func doneWords(done string, verified bool) string {
	words := "nothing was written"
	if done != decision.Ignore.String() {
		words = done + " done"
	}
	if verified {
		words += ", and a later read showed it"
	}
	return words
}

func (e *handledEvent) print(b *strings.Builder) error {
	outcome := e.End
	if e.Verdict != "" {
		outcome = verdictStyle(e.Verdict).Render(e.Verdict)
		if e.End != e.Verdict {
			outcome += ", " + e.End
		}
	}
	fmt.Fprintf(b, "%s  %s\n", bold.Render(plain(e.Path)), outcome)
	if e.Event != "" {
		what := e.Event
		if e.Actor != "" {
			what += " by " + e.Actor
		}
		if e.Role != "" {
			what += " on " + e.Role
		}
		line(b, "", what)
	}
	if !e.Routed {
		line(b, "", "(EventBridge would not have sent it)")
	}
	line(b, "", e.Reason)
	e.report.Reasons = e.Reasons
	if err := describe(b, e.report); err != nil {
		return err
	}
	if e.Action != "" && e.Action != "Ignore" {
		line(b, "decided", e.Action+"; "+doneWords(e.Done, e.Verified))
	}
	for _, a := range e.told {
		line(b, "alert", a.Subject())
		for text := range strings.Lines(notify.Plain(a)) {
			line(b, "", strings.TrimSuffix(text, "\n"))
		}
	}
	return nil
}
