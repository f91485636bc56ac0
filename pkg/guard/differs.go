package guard

import (
	"context"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
)

// stays says whose word keeps this very document as it is; empty when nobody's
// does. The word is about one document of one role, until a time.
func (v judged) stays(now time.Time) string {
	w := v.known.Word
	if w == nil || w.RoleID != v.role.ID || w.Account != v.role.Account || w.Digest != v.digest || v.digest == "" || !now.Before(w.Until) {
		return ""
	}
	why := ""
	if w.Reason != "" {
		why = " (" + w.Reason + ")"
	}
	return fmt.Sprintf("%s said at %s that this document stays until %s%s", w.By, w.At.UTC().Format(time.RFC3339), w.Until.UTC().Format(time.RFC3339), why)
}

// wordOn says whose word keeps the document of a role. One is over once the role
// showed another document: who puts the first one back answers for it anew. That
// is recorded, so that it stays over.
func (g *Guard) wordOn(ctx context.Context, v judged) (string, error) {
	said := v.stays(g.cfg.Now())
	if s := v.known.State; said == "" || s == nil || s.Digest == v.digest || !s.EventTime.After(v.known.Word.At) {
		return said, nil
	}
	over := *v.known.Word
	over.Until = g.cfg.Now()
	if err := g.cfg.Ledger.GiveWord(ctx, over); err != nil {
		return "", fmt.Errorf("recording that the word of %s on role %s is over: %w", over.By, v.role.Ref(), err)
	}
	return "", nil
}

// stayed reports whether a word kept the document when it was handled last, and
// has ended since.
func (v judged) stayed(now time.Time) bool {
	s := v.known.State
	return s != nil && s.Decided == decision.Hold && v.stays(s.UpdatedAt) != "" && v.stays(now) == ""
}

// differs says that the rules changed and not the role, and how the new rules
// come to act: a document that was left as it is under other rules, and has not
// changed since, is only told of until a person confirms the new ones or enough
// time has passed, so that a mistake in the rules file rewrites nothing (T68).
func (g *Guard) differs(ctx context.Context, v judged, modes map[string]org.Mode) (string, error) {
	hash, left := g.cfg.Rules.Hash, leftBefore(v)
	if left == "" || left == hash || !acts(modes) {
		return "", nil
	}
	now := g.cfg.Now()
	seen, err := g.inUse(ctx, left, now)
	if err != nil {
		return "", fmt.Errorf("reading since when the rules %s are in use: %w", hash, err)
	}
	first := seen.First
	if first.IsZero() {
		first = now
	}
	until := first.Add(g.cfg.Rules.RuleChanges.ObserveFor)
	if seen.ConfirmedBy != "" || !now.Before(until) {
		return "", nil
	}
	return fmt.Sprintf("this document was left as it is under the rules %s, and only the rules have changed since. The new ones, %s, are in use since %s and act on such documents from %s on, or as soon as somebody confirms them: `rolewarden preview --confirm %s --deployment FILE --reason TEXT`",
		left, hash, first.UTC().Format(time.RFC3339), until.UTC().Format(time.RFC3339), hash), nil
}

// inUse says since when the rules are in use that are deployed, and whether
// somebody stands for them. Where those under which a document was left were seen
// later than these, these have come back: then it is what they differ in that is
// new, and a word that was given before does not speak of it.
func (g *Guard) inUse(ctx context.Context, left string, now time.Time) (ledger.RulesSeen, error) {
	seen, err := g.cfg.Ledger.SeeRules(ctx, g.cfg.Rules.Hash, now)
	if err != nil {
		return seen, err
	}
	was, err := g.cfg.Ledger.SeeRules(ctx, left, now)
	if err != nil || !was.First.After(seen.First) {
		return seen, err
	}
	again, err := g.cfg.Ledger.SeeRules(ctx, left+" to "+g.cfg.Rules.Hash, now)
	if seen.First = again.First; seen.ConfirmedAt.Before(was.First) {
		seen.ConfirmedBy = ""
	}
	return seen, err
}

// leftBefore is the hash of the rules under which the document was left as it
// is; empty when it was not, or is another one than is remembered.
func leftBefore(v judged) string {
	s := v.known.State
	switch {
	case s == nil || v.digest == "" || s.Digest != v.digest:
		return ""
	case s.LeftUnder == "" && s.Verdict == finding.Compliant:
		return s.RulesHash
	default:
		return s.LeftUnder
	}
}

// leftUnder is what is remembered for leftBefore.
func (g *Guard) leftUnder(v judged, d decision.Decision, o decision.Outcome) string {
	switch {
	case o.Done.Replaces():
		// What was written obeys these rules.
		return g.cfg.Rules.Hash
	case v.differs != "", v.doubt != "":
		return leftBefore(v)
	}
	switch d.Action {
	case decision.Ignore, decision.Tell, decision.Clear:
		return g.cfg.Rules.Hash
	case decision.Hold, decision.Tag, decision.Revert, decision.Quarantine, decision.Prune:
		return ""
	default:
		return ""
	}
}

// acts reports whether any rule would do more than tell.
func acts(modes map[string]org.Mode) bool {
	for _, m := range modes {
		if m != org.Observe {
			return true
		}
	}
	return false
}
