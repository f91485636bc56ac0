package sweep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// consider does what is due. The unique ids of the users and roles that a
// document names are read between two equal readings of it: a name alone can be
// taken over (T5, T60).
func (p *Promoter) consider(ctx context.Context, a aspirant) (Promotion, error) {
	doc, why := p.fit(a)
	if why != "" {
		return Promotion{Reason: why}, nil
	}
	digest := doc.Digest(a.first.Partition)
	next, done := p.due(a, digest)
	if done != nil {
		return *done, nil
	}
	ids, read, err := p.principals(ctx, a, doc)
	if err != nil {
		return Promotion{}, err
	}
	second := a.second
	if second == nil || read {
		live, err := p.cfg.Reader.Role(ctx, a.first.Ref())
		switch {
		case errors.Is(err, role.ErrNotFound):
			return Promotion{Reason: "the role is gone"}, nil
		case err != nil:
			return Promotion{}, fmt.Errorf("reading role %s once more for a baseline: %w", a.first.Ref(), err)
		}
		second = &live
	}
	if !stands(*second, a.first.ID, digest) {
		return Promotion{Reason: "the role does not show the same document twice"}, nil
	}
	next.Account, next.RoleID, next.Document, next.Digest = a.first.Account, a.first.ID, second.TrustPolicy, digest
	if next.Since.IsZero() {
		return p.candidate(ctx, next, ids)
	}
	return p.confirm(ctx, next, ids)
}

// wants gives the users and roles whose unique ids are needed to see to a role's
// past; none where nothing is due.
func (p *Promoter) wants(a aspirant) []string {
	doc, why := p.fit(a)
	if why != "" {
		return nil
	}
	if _, done := p.due(a, doc.Digest(a.first.Partition)); done != nil {
		return nil
	}
	return named(doc)
}

// fit says why a role's document becomes no baseline, whatever is remembered of it.
func (p *Promoter) fit(a aspirant) (policy.Document, string) {
	doc, err := policy.Parse([]byte(a.first.TrustPolicy))
	if err != nil {
		return doc, "the document is no valid policy"
	}
	if reason, protected := role.Protected(a.first, p.cfg.Rules.Protected); protected {
		return doc, "the role is never written, so it needs nothing to go back to: " + reason
	}
	switch {
	case slices.ContainsFunc(doc.Statements, showsID):
		return doc, "IAM shows somebody by a unique id, who would not be known again"
	case remediate.IsQuarantine(a.first.TrustPolicy):
		return doc, "nobody wants to go back to a quarantine"
	case a.report.Verdict != finding.Compliant:
		return doc, "the document is " + a.report.Verdict.String() + " under today's rules"
	}
	return doc, ""
}

// showsID says whether a statement names somebody by a unique id.
func showsID(s policy.Statement) bool {
	return slices.ContainsFunc(slices.Concat(s.Principal.List, s.NotPrincipal.List), policy.Principal.OrphanLike)
}

// due gives what is to be recorded next: a baseline to be, or the beginning of a
// candidate, which has no Since yet. Where nothing is due it says so.
func (p *Promoter) due(a aspirant, digest string) (next role.Baseline, done *Promotion) {
	c, old := a.recalled.Candidate, sealed(a.recalled.Baselines, digest)
	if c != nil && (c.Digest != digest || c.Since.IsZero() || a.interrupted(c.Since)) {
		c = nil
	}
	switch {
	case c == nil && old == nil:
		return origin(a, digest), nil
	case c == nil, old != nil && maps.Equal(old.Principals, c.Principals) && old.Provenance >= c.Provenance:
		return role.Baseline{}, &Promotion{Standing: Kept, Reason: "the document is a baseline already"}
	case p.cfg.Now().Sub(c.Since) < p.cfg.Rules.Baselines.Age:
		return role.Baseline{}, &Promotion{Standing: Young, Reason: "the document has not stood for long enough"}
	default:
		return *c, nil
	}
}

// interrupted says whether another document was handled since a time: what came
// back is as old as its coming back.
func (a aspirant) interrupted(since time.Time) bool {
	s := a.recalled.State
	return s != nil && s.Since.After(since)
}

// sealed gives the sealed baseline of a digest. One without a seal is none: it
// is from before baselines were sealed.
func sealed(list []role.Baseline, digest string) *role.Baseline {
	i := slices.IndexFunc(list, func(b role.Baseline) bool { return b.Digest == digest && len(b.Seal) > 0 })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// origin says who made a document: whom an event named that was handled and
// found it compliant, else nobody, and then it is Unreviewed (T62).
func origin(a aspirant, digest string) role.Baseline {
	s := a.recalled.State
	if s == nil || s.Digest != digest || s.Verdict != finding.Compliant || s.Actor == "" || guard.Unwitnessed(s.Event.EventID) {
		return role.Baseline{}
	}
	return role.Baseline{Provenance: role.Observed, Actor: s.Actor, EventID: s.Event.EventID}
}

// principals gives the unique ids of the users and roles that a document names,
// and whether any had to be read just now. One that cannot be read has none: a
// baseline that names it is no target unless the rules file accepts it.
func (p *Promoter) principals(ctx context.Context, a aspirant, doc policy.Document) (ids map[string]string, read bool, err error) {
	ids = map[string]string{}
	for _, arn := range named(doc) {
		id, known := a.ids[arn]
		if !known {
			read = true
			if id, err = idOf(ctx, p.cfg.Reader, arn); err != nil {
				return nil, read, err
			}
		}
		if id != "" {
			ids[arn] = id
		}
	}
	return ids, read, nil
}

// idOf gives the unique id of a user or role; empty when nobody may read it, or
// nobody has that ARN.
func idOf(ctx context.Context, r Reader, arn string) (string, error) {
	id, err := r.PrincipalID(ctx, arn)
	switch {
	case errors.Is(err, role.ErrNotFound), errors.Is(err, role.ErrAccessDenied):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("reading who %s is: %w", arn, err)
	}
	return id, nil
}

// named gives the ARNs of the users and roles that a document names, each once.
func named(d policy.Document) []string {
	var out []string
	for _, s := range d.Statements {
		for _, p := range slices.Concat(s.Principal.List, s.NotPrincipal.List) {
			if (p.Kind == policy.User || p.Kind == policy.Role) && !slices.Contains(out, p.Value) {
				out = append(out, p.Value)
			}
		}
	}
	return out
}

// stands says whether a reading shows a document of a role.
func stands(live role.Role, id, digest string) bool {
	doc, err := policy.Parse([]byte(live.TrustPolicy))
	return err == nil && live.ID == id && doc.Digest(live.Partition) == digest
}

// candidate records a document that may become a baseline. Its time begins now,
// when it was read twice and its principals between.
func (p *Promoter) candidate(ctx context.Context, b role.Baseline, ids map[string]string) (Promotion, error) {
	b.Principals, b.RulesHash, b.Since, b.Sealed, b.Seal = ids, p.cfg.Rules.Hash, p.moment(), time.Time{}, nil
	if err := p.cfg.Ledger.SetCandidate(ctx, b); err != nil {
		return Promotion{}, fmt.Errorf("recording a candidate of role %s/%s: %w", b.Account, b.RoleID, err)
	}
	return Promotion{Standing: Candidate, Reason: "the document may become a baseline, once it has stood for long enough", Baseline: b}, nil
}

// confirm seals a candidate whose principals are whom they were. One of whom
// anything else is known now begins anew, and where a name has another id it
// is a document whose maker nobody knows.
func (p *Promoter) confirm(ctx context.Context, b role.Baseline, ids map[string]string) (Promotion, error) {
	var hidden, others []string
	for _, arn := range slices.Sorted(maps.Keys(b.Principals)) {
		switch ids[arn] {
		case b.Principals[arn]:
		case "":
			hidden = append(hidden, arn)
		default:
			others = append(others, arn)
		}
	}
	switch {
	case len(others) > 0:
		p.cfg.Log.Warn("a document names somebody else than when it was seen first, so its time begins anew", "account", b.Account, "role_id", b.RoleID, "principal", others)
		return p.candidate(ctx, role.Baseline{Account: b.Account, RoleID: b.RoleID, Document: b.Document, Digest: b.Digest}, ids)
	case len(hidden) > 0:
		return Promotion{Reason: "it cannot be read now who " + strings.Join(hidden, ", ") + " is"}, nil
	case len(ids) != len(b.Principals):
		return p.candidate(ctx, b, ids)
	case p.cfg.Sealer == nil:
		return Promotion{Standing: Young, Reason: "there is no key to seal it with"}, nil
	}
	return p.seal(ctx, b)
}

// seal makes a baseline.
func (p *Promoter) seal(ctx context.Context, b role.Baseline) (Promotion, error) {
	b.RulesHash, b.Sealed, b.Seal = p.cfg.Rules.Hash, p.moment(), nil
	mac, err := p.cfg.Sealer.Seal(ctx, b)
	if err != nil {
		return Promotion{}, fmt.Errorf("sealing a baseline of role %s/%s: %w", b.Account, b.RoleID, err)
	}
	if len(mac) == 0 {
		return Promotion{}, fmt.Errorf("sealing a baseline of role %s/%s: the seal is empty", b.Account, b.RoleID)
	}
	b.Seal = mac
	if err := p.cfg.Ledger.AddBaseline(ctx, b); err != nil {
		return Promotion{}, fmt.Errorf("recording a baseline of role %s/%s: %w", b.Account, b.RoleID, err)
	}
	return Promotion{Standing: Sealed, Reason: "the document has stood long enough and is a baseline now", Baseline: b}, nil
}

// moment is now as it is sealed: what the ledger gives back is the same moment,
// whatever becomes of the clock's finer parts and its zone.
func (p *Promoter) moment() time.Time { return p.cfg.Now().UTC().Truncate(time.Millisecond) }
