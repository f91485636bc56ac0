package invariant

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// Judge judges documents for the checks: by the rules alone, without tags,
// without an event, and with the members that there really are. It remembers
// what it has judged, and is safe for concurrent use.
type Judge struct {
	mu       sync.Mutex
	verdicts map[verdictKey]finding.Verdict
	texts    map[string]text
	widened  map[widenedKey]string
}

type verdictKey struct {
	rules, joined, arn, id, document string
	day                              int64
}

type widenedKey struct{ account, older, newer string }

// text is a document that was read once.
type text struct {
	document   policy.Document
	digest     string
	quarantine bool
	err        error
}

// NewJudge makes a Judge that remembers nothing yet.
func NewJudge() *Judge {
	return &Judge{verdicts: map[verdictKey]finding.Verdict{}, texts: map[string]text{}, widened: map[widenedKey]string{}}
}

// Verdict judges a role's document under a rules file, with more members than it lists.
func (j *Judge) Verdict(o *org.Rules, joined []string, r role.Role, at time.Time) finding.Verdict {
	k := verdictKey{rules: o.Hash, joined: strings.Join(joined, " "), arn: r.ARN, id: r.ID, document: r.TrustPolicy}
	if len(o.Exemptions) > 0 {
		// Exemptions end at the beginning of a day.
		k.day = at.Unix() / 86400
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if v, ok := j.verdicts[k]; ok {
		return v
	}
	if len(joined) > 0 {
		more := *o
		more.Organization.Accounts = slices.Clone(o.Organization.Accounts)
		for _, a := range joined {
			more.Organization.Accounts = append(more.Organization.Accounts, org.Account{ID: a})
		}
		o = &more
	}
	r.Tags = nil
	v := rules.JudgeText(rules.Input{Role: r, Org: o, Now: at}, r.TrustPolicy).Verdict
	j.verdicts[k] = v
	return v
}

// read gives a document's parts.
func (j *Judge) read(document string) text {
	j.mu.Lock()
	defer j.mu.Unlock()
	if t, ok := j.texts[document]; ok {
		return t
	}
	var t text
	if t.document, t.err = policy.Parse([]byte(document)); t.err == nil {
		t.digest, t.quarantine = t.document.Digest("aws"), remediate.IsQuarantine(document)
	}
	j.texts[document] = t
	return t
}

// Same says whether two texts are one document, as IAM may spell it.
func (j *Judge) Same(a, b string) bool {
	if a == b {
		return true
	}
	x, y := j.read(a), j.read(b)
	return x.err == nil && y.err == nil && x.digest == y.digest
}

// wider says whom the newer document lets in whom the older did not; empty when
// that is proven to be nobody.
func (j *Judge) wider(account, older, newer string) string {
	k := widenedKey{account, older, newer}
	j.mu.Lock()
	why, ok := j.widened[k]
	j.mu.Unlock()
	if ok {
		return why
	}
	x, y := j.read(older), j.read(newer)
	switch {
	case y.err != nil:
		why = "what was written cannot be read: " + y.err.Error()
	case x.err != nil:
		// Nobody is known to get in by what cannot be read.
		x.document = policy.Document{}
		fallthrough
	default:
		switch a := proof.Compare(x.document, y.document, proof.World{Own: account}).New; a.Outcome {
		case proof.None:
		case proof.Found:
			why = a.Witness.Sentence()
		case proof.Unknown:
			why = "it is not settled: " + strings.Join(a.Undecided, "; ")
		default:
			why = "it is not known"
		}
	}
	j.mu.Lock()
	j.widened[k] = why
	j.mu.Unlock()
	return why
}
