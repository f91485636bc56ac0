package rules

import (
	"bytes"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// mostSteps bounds how many findings of one rule are mended one after another.
const mostSteps = 64

// Proposal is a mended document.
type Proposal struct {
	Document policy.Document
	// Rules are those whose findings it mends, in the order in which they were mended.
	Rules []string
}

// Propose gives the document with every finding mended that can be mended
// safely: the open ones above Advice first, then advice. It goes rule by rule,
// and a rule is mended whole or not at all. Whatever is proposed is proven:
//
//   - each rule that it mends is silent afterwards and leaves nothing undecided;
//   - no rule tells of a breach that did not before, of advice only where a breach
//     is mended by it, and none is less decided;
//   - it allows nothing that the document does not (proof.Compare, None under
//     every reading of whose the role is);
//   - whoever the document names and lets in is still let in: the users and the
//     roles of each account apart;
//   - no Deny is touched.
//
// A statement that lets in whom public-principal or external-account want out is
// left alone by every other rule until that is settled, by a mend or by an
// exemption.
//
// Where one of these cannot be shown there is no proposal. Tell it only to
// people: what it narrows somebody may rely on.
func Propose(in Input, r finding.Report) (Proposal, bool) {
	in = in.settled()
	m := mending{in: in, original: in.Document, last: opinionOf(in)}
	for _, f := range r.Findings {
		if f.Exemption != "" {
			m.exempt = appendMissing(m.exempt, []string{f.Rule})
		}
	}
	for _, least := range []finding.Severity{finding.Low, finding.Advice} {
		var tried []string
		for _, f := range r.Open() {
			if f.Severity >= least && !slices.Contains(tried, f.Rule) {
				tried = append(tried, f.Rule)
				m.mend(f.Rule, least)
			}
		}
	}
	if len(m.rules) == 0 || !m.safe(m.in.Document) {
		return Proposal{}, false
	}
	return Proposal{Document: m.in.Document, Rules: m.rules}, true
}

// mending is a document on its way to the proposal.
type mending struct {
	// in holds the document as far as it is mended.
	in       Input
	original policy.Document
	// last is what the rules say of in.
	last opinion
	// exempt are the rules whose findings somebody has answered for.
	exempt []string
	// rules are those that were mended.
	rules []string
}

// mend tries to silence one rule, at least as far as its findings of a
// severity and above go. Where that fails everything stays as it was.
func (m *mending) mend(id string, least finding.Severity) {
	rule, ok := FindUnder(m.in.Org, id)
	if !ok || rule.Mend == nil {
		return
	}
	in, said := m.in, m.last
	for range mostSteps {
		f, open := said.of(id, least)
		if open && m.unwelcome(in.Document, said, f) {
			return
		}
		if !open {
			if said.doubts[id] == 0 && !bytes.Equal(in.Document.Print(), m.in.Document.Print()) {
				m.in, m.last, m.rules = in, said, appendMissing(m.rules, []string{id})
			}
			return
		}
		next, better, found := m.step(rule, in, said, f)
		if !found {
			return
		}
		in.Document, said = next, better
	}
}

// unwelcome says whether a finding is about a statement of which another rule
// says that some of whom it lets in should not be there at all. While that
// stands it is not known what becomes of the statement, and to polish it would
// make it look settled.
func (m *mending) unwelcome(d policy.Document, said opinion, f finding.Finding) bool {
	asksWho := func(rule string) bool { return rule == publicPrincipalID || rule == externalAccountID }
	i, ok := statementOf(d, f)
	return ok && !asksWho(f.Rule) && slices.ContainsFunc(said.findings, func(other finding.Finding) bool {
		j, ok := statementOf(d, other)
		return ok && i == j && asksWho(other.Rule) && !slices.Contains(m.exempt, other.Rule)
	})
}

// step gives the first candidate for a finding that mends it, harms nothing,
// and is safe. One that gives nobody anything to say is better than one by which
// a breach becomes advice, which is better than none.
func (m *mending) step(rule Rule, in Input, said opinion, f finding.Finding) (policy.Document, opinion, bool) {
	candidates := rule.Mend(in, f)
	opinions := make([]*opinion, len(candidates))
	for _, least := range []finding.Severity{finding.Advice, min(f.Severity, finding.Low)} {
		for i, c := range candidates {
			if opinions[i] == nil {
				after := in
				after.Document = c
				said := opinionOf(after)
				opinions[i] = &said
			}
			if better := *opinions[i]; mends(c, f, said, better) && better.noWorse(m.last, least) && m.safe(c) {
				return c, better, true
			}
		}
	}
	return policy.Document{}, opinion{}, false
}

// mends says whether a candidate does away with a finding: its request is
// refused, or the rule has fewer to tell of.
func mends(c policy.Document, f finding.Finding, before, after opinion) bool {
	if f.Evidence.Kind == finding.Allowed {
		return access.Evaluate(c, *f.Evidence.Request).Decision == access.Denied
	}
	return after.count(f.Rule) < before.count(f.Rule)
}

// safe proves that a candidate lets in nobody new and shuts out nobody whom the
// original names, under every reading, and that every Deny is still there.
func (m *mending) safe(c policy.Document) bool {
	if len(c.Statements) == 0 || !bytes.Equal(denies(c), denies(m.original)) {
		return false
	}
	worlds, whole := m.worlds(c)
	if !whole {
		return false
	}
	for _, w := range worlds {
		before, after := proof.Compile(m.original, w.Partition), proof.Compile(c, w.Partition)
		if after.Beyond(before, w).Outcome != proof.None {
			return false
		}
		for _, q := range namedBy(m.original, w) {
			if !keeps(before.Find(q).Outcome, after.Find(q).Outcome) {
				return false
			}
		}
	}
	return true
}

// keeps says whether somebody of a class is still let in, if somebody was.
func keeps(before, after proof.Outcome) bool {
	switch before {
	case proof.None:
		return true
	case proof.Found:
		return after == proof.Found
	case proof.Unknown:
		return after != proof.None
	default:
		return false
	}
}

// worlds gives what is known around the role, once for every reading of what is
// not: of the accounts and organizations that either document names.
func (m *mending) worlds(c policy.Document) ([]proof.World, bool) {
	both := m.in
	both.Document = policy.Document{Statements: slices.Concat(m.original.Statements, c.Statements)}
	all, whole := readings(newSaid(both), both)
	var out []proof.World
	for _, r := range all {
		out = append(out, r.in.world())
	}
	return out, whole
}

// denies prints the Denies of a document.
func denies(d policy.Document) []byte {
	d.Statements = slices.DeleteFunc(slices.Clone(d.Statements), func(st policy.Statement) bool { return st.Effect != policy.Deny })
	d.Version, d.ID = "", ""
	return d.Print()
}
