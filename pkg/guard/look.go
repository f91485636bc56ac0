package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// look judges a live role, and says how its document relates to the event's.
func (g *Guard) look(ctx context.Context, j job, live role.Role) (judged, error) {
	v := judged{role: live}
	change := j.change
	v.input = rules.Input{Role: live, Change: &change, Org: g.cfg.Rules, Now: g.cfg.Now()}
	doc, err := policy.Parse([]byte(live.TrustPolicy))
	if err != nil {
		v.report, v.shows = rules.JudgeText(v.input, live.TrustPolicy), nothingToCompare
		return v, nil //nolint:nilerr // what is no policy is judged Undecided, which tells people
	}
	v.doc, v.digest, v.input.Document = doc, doc.Digest(live.Partition), doc
	v.shows = shows(change, live, doc)
	if err := g.whoWere(ctx, &v); err != nil {
		return v, err
	}
	if v.input.Gone, err = g.goneNames(ctx, doc); err != nil {
		return v, err
	}
	looks := moreLooks
	if _, more := g.settleStep(j); !more {
		looks = lastLook
	}
	return v, g.judge(ctx, &v, looks)
}

// placeInTime compares a reading with the last event that was handled. A
// document that a later event left is what stands; one that a later event
// replaced is a reading that lags, also when it is the one that this event
// tells of. A compliant role about which nothing is open needs no such care:
// nothing is done about it.
func (j job) placeInTime(v *judged) {
	s := v.known.State
	if s == nil || s.Event == j.key {
		return
	}
	quiet := v.report.Verdict == finding.Compliant && s.AlertID == ""
	if v.shows != anotherDocument && (v.shows != sameDocument || quiet) {
		return
	}
	// CloudTrail tells whole seconds: of two events in one, nobody can say at
	// once which came later.
	later := s.EventTime.After(j.change.Time) || s.EventTime.Equal(j.change.Time) && j.attempt >= afterSeconds
	switch {
	case later && s.Digest == v.digest:
		v.shows = laterDocument
	case s.EventTime.After(j.change.Time):
		v.shows = anotherDocument
	}
}

// goneNames asks the ledger which of the users and roles that a condition lets in
// by name were deleted, and IAM whether they have come back. Where nobody may
// look the name is not known to be free, so it is not called gone.
func (g *Guard) goneNames(ctx context.Context, d policy.Document) (map[string]finding.Principal, error) {
	names := rules.NamesInConditions(d)
	if len(names) == 0 {
		return nil, nil
	}
	var keys []ledger.PrincipalKey
	for _, p := range names {
		keys = append(keys, keyOfPrincipal(p))
	}
	ends, err := g.cfg.Ledger.Ends(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("asking the ledger whether %s still exists: %w", names[0].Value, err)
	}
	var out map[string]finding.Principal
	for _, end := range ends {
		for _, p := range names {
			if keyOfPrincipal(p) != end.Principal {
				continue
			}
			_, err := g.cfg.Reader.PrincipalID(ctx, p.Value)
			switch {
			case errors.Is(err, role.ErrNotFound):
				if out == nil {
					out = map[string]finding.Principal{}
				}
				out[strings.ToLower(p.Value)] = finding.Principal{ARN: p.Value, DeletedBy: end.By, DeletedAt: end.At, DeletedEvent: end.Event.EventID, RenamedTo: end.RenamedTo}
			case errors.Is(err, role.ErrAccessDenied):
				g.cfg.Log.Warn("could not look whether a deleted name in a condition lives again", "principal", p.Value, "reason", err.Error())
			case err != nil:
				// A look that may succeed later is no reason to call the role fine now.
				return nil, fmt.Errorf("looking whether %s lives again: %w", p.Value, err)
			}
		}
	}
	return out, nil
}
