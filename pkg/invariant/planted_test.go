package invariant_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	good  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`
	other = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	bad   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
	odd   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"sts:AssumeRole"}]}`
	loose = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole"}]}`
	alice = "arn:aws:iam::111122223333:user/alice"
	topic = "topic"
)

var (
	start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	event = ledger.Key{Account: "111122223333", EventID: "ev-1"}
)

// story is a history that anybody may break: a role is opened, a handling
// reverts it, tells and records it, and the event of the revert ends well.
type story struct {
	*invariant.History
	at    time.Time
	rules *org.Rules
	// seen and judged are the role as the handling read it, live as it is.
	live role.Role
}

func digest(t *testing.T, text string) string {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d.Digest("aws")
}

func (s *story) say(run int, facts ...invariant.Fact) {
	for _, f := range facts {
		s.at = s.at.Add(50 * time.Millisecond)
		s.Add(s.at, run, f)
	}
}

func with(r role.Role, document string) role.Role {
	r.TrustPolicy = document
	return r
}

// begin gives the world before anything is wrong.
func begin(t *testing.T) *story {
	t.Helper()
	rules, err := org.Parse("rules.yaml", []byte("version: 1\norganization:\n  id: o-exampleorg1\n  management: \"111122223333\"\nmodes:\n  default: enforce\n"), start)
	if err != nil {
		t.Fatal(err)
	}
	s := &story{History: &invariant.History{Channels: []string{topic}, Secrets: []string{"hush-4711"}}, at: start, rules: rules}
	s.live = role.Role{Partition: "aws", Account: "111122223333", Name: "app", Path: "/", ARN: "arn:aws:iam::111122223333:role/app", ID: "AROAAPP", TrustPolicy: bad}
	s.say(0,
		invariant.Ruled{Rules: rules},
		invariant.Principal{ARN: alice, ID: "AIDAALICE"},
		invariant.Baselined{Baseline: role.Baseline{Account: "111122223333", RoleID: "AROAAPP", Document: good, Digest: digest(t, good), Principals: map[string]string{alice: "AIDAALICE"}}},
		invariant.Wrote{Role: with(s.live, good), Call: invariant.UpdateTrust, Document: bad, By: "mallory"},
		invariant.Arrived{Key: event},
	)
	return s
}

func (s *story) counters() []ledger.Counter {
	return []ledger.Counter{{Name: "role/111122223333/AROAAPP", Window: 24 * time.Hour, Limit: 1}}
}

func (s *story) state(document string, v finding.Verdict, done decision.Action, alertID string, t *testing.T) *ledger.RoleState {
	return &ledger.RoleState{
		Account: "111122223333", RoleID: "AROAAPP", Name: "app", ARN: s.live.ARN, Document: document, Digest: digest(t, document),
		Event: event, EventTime: start, Verdict: v, RulesHash: s.rules.Hash, Action: done, Decided: done, Decision: "d1", AlertID: alertID,
	}
}

func (s *story) alert(state alert.State) alert.Alert {
	return alert.Alert{ID: "a1", State: state, Account: "111122223333", Role: alert.Role{ARN: s.live.ARN, ID: "AROAAPP"}, Verdict: "Noncompliant", Decision: alert.Decision{ID: "d1", Action: "Revert"}, Change: &alert.Change{EventID: "ev-1"}}
}

// parts are the facts of the handling, in order, by name, so that a plant can
// leave one out or put another in its place.
func (s *story) parts(t *testing.T) ([]string, map[string]invariant.Fact) {
	return []string{"began", "took", "read", "looked", "spent", "intended", "again", "weighed", "wrote", "shown", "concluded", "told", "kept", "ended"}, map[string]invariant.Fact{
		"began":     invariant.Began{Key: event, What: "an event"},
		"took":      invariant.Took{Key: event},
		"read":      invariant.Read{Role: s.live},
		"looked":    invariant.Looked{ARN: alice, ID: "AIDAALICE"},
		"spent":     invariant.Spent{Token: "d1", Counters: s.counters(), Answer: invariant.Yes},
		"intended":  invariant.Intended{Intent: ledger.Intent{Event: event, Role: s.live.Ref(), RoleID: "AROAAPP", Before: bad, After: good, Decision: decision.Decision{ID: "d1", Action: decision.Revert}}},
		"again":     invariant.Read{Role: s.live},
		"weighed":   invariant.Weighed{Switch: decision.WritesAllowed},
		"wrote":     invariant.Wrote{Role: s.live, Call: invariant.UpdateTrust, Document: good},
		"shown":     invariant.Read{Role: with(s.live, good)},
		"told":      invariant.Told{Channel: topic, Alert: s.alert(alert.Opened), Answer: invariant.Yes},
		"kept":      invariant.Delivered{Letter: "a1"},
		"concluded": invariant.Concluded{Conclusion: ledger.Conclusion{Event: event, End: ledger.Reverted, State: s.state(good, finding.Noncompliant, decision.Revert, "a1", t)}},
		"ended":     invariant.Ended{How: invariant.Done},
	}
}

func (s *story) end(document string) {
	s.say(0, invariant.Healed{}, invariant.Stands{Role: with(s.live, document), Rules: s.rules}, invariant.Over{})
}

// tell tells the whole story, with changes.
func tell(t *testing.T, change func(s *story, parts map[string]invariant.Fact)) *invariant.History {
	t.Helper()
	s := begin(t)
	order, parts := s.parts(t)
	if change != nil {
		change(s, parts)
	}
	for _, name := range order {
		if f, ok := parts[name]; ok {
			s.say(1, f)
		}
	}
	s.resolve(t)
	s.end(good)
	return s.History
}

// resolve handles the event of the revert: the alert is resolved.
func (s *story) resolve(t *testing.T) {
	ours := ledger.Key{Account: event.Account, EventID: "ev-ours"}
	state := s.state(good, finding.Compliant, decision.Ignore, "", t)
	state.Event = ours
	resolved := s.alert(alert.Resolved)
	resolved.Change, resolved.Decision = &alert.Change{EventID: ours.EventID}, alert.Decision{ID: "d2", Action: "Clear"}
	s.say(0, invariant.Arrived{Key: ours})
	s.say(2,
		invariant.Began{Key: ours, What: "our own event"}, invariant.Took{Key: ours}, invariant.Read{Role: with(s.live, good)},
		invariant.Concluded{Conclusion: ledger.Conclusion{Event: ours, End: ledger.Compliant, State: state}},
		invariant.Told{Channel: topic, Alert: resolved, Answer: invariant.Yes}, invariant.Delivered{Letter: "a1/resolved"}, invariant.Ended{How: invariant.Done},
	)
}

func TestAHistoryInWhichAllIsWellHasNoViolation(t *testing.T) {
	for _, v := range invariant.Check(tell(t, nil)) {
		t.Error(v)
	}
}

// plant is one thing gone wrong, and the invariant that must notice it.
type plant struct {
	name string
	id   invariant.ID
	do   func(s *story, parts map[string]invariant.Fact)
}

func document(parts map[string]invariant.Fact, text string) {
	w := parts["wrote"].(invariant.Wrote)
	w.Document = text
	parts["wrote"] = w
	i := parts["intended"].(invariant.Intended)
	i.Intent.After = text
	parts["intended"] = i
}

func plants() []plant {
	return []plant{
		{"an event vanishes", invariant.I1, func(_ *story, p map[string]invariant.Fact) { delete(p, "concluded") }},
		{"an event arrives and is never taken", invariant.I1, func(s *story, _ map[string]invariant.Fact) {
			s.say(0, invariant.Arrived{Key: ledger.Key{Account: "111122223333", EventID: "ev-2"}})
		}},
		{"an event ends twice", invariant.I1, func(_ *story, p map[string]invariant.Fact) { p["ended"] = p["concluded"] }},
		{"an event ends in no end", invariant.I1, func(_ *story, p map[string]invariant.Fact) {
			p["concluded"] = invariant.Concluded{Conclusion: ledger.Conclusion{Event: event}}
		}},
		{"no intent", invariant.I2, func(_ *story, p map[string]invariant.Fact) { delete(p, "intended") }},
		{"no reading", invariant.I2, func(_ *story, p map[string]invariant.Fact) { delete(p, "read"); delete(p, "again") }},
		{"an old reading", invariant.I2, func(s *story, p map[string]invariant.Fact) { delete(p, "again"); p["spent"] = slow{s, p["spent"]} }},
		{"a good role", invariant.I2, func(s *story, p map[string]invariant.Fact) { p["again"] = invariant.Read{Role: with(s.live, other)} }},
		{"an undecided role", invariant.I2, func(s *story, p map[string]invariant.Fact) { p["again"] = invariant.Read{Role: with(s.live, odd)} }},
		{"another RoleId than intended", invariant.I2, func(s *story, p map[string]invariant.Fact) {
			r := s.live
			r.ID = "AROAANOTHER"
			p["again"] = invariant.Read{Role: r}
		}},
		{"another document than intended", invariant.I2, func(_ *story, p map[string]invariant.Fact) {
			i := p["intended"].(invariant.Intended)
			i.Intent.After = other
			p["intended"] = i
		}},
		{"two handlings write at once", invariant.I2, func(s *story, p map[string]invariant.Fact) { p["again"] = both{s, p["again"], p["wrote"]} }},
		{"what is written is bad", invariant.I3, func(_ *story, p map[string]invariant.Fact) { document(p, bad) }},
		{"what is written is of another role", invariant.I3, func(s *story, p map[string]invariant.Fact) {
			b := s.Entries[2].Fact.(invariant.Baselined)
			b.Baseline.RoleID = "AROAANOTHER"
			s.Entries[2].Fact = b
		}},
		{"somebody else has the name", invariant.I3, func(_ *story, p map[string]invariant.Fact) {
			p["looked"] = invariant.Looked{ARN: alice, ID: "AIDANEWONE"}
		}},
		{"nobody knows who had the name", invariant.I3, func(s *story, p map[string]invariant.Fact) {
			b := s.Entries[2].Fact.(invariant.Baselined)
			b.Baseline.Principals = nil
			s.Entries[2].Fact = b
		}},
		{"wider than the baseline", invariant.I4, func(s *story, p map[string]invariant.Fact) {
			p["read"], p["again"] = invariant.Read{Role: with(s.live, loose)}, invariant.Read{Role: with(s.live, loose)}
			w := p["wrote"].(invariant.Wrote)
			w.Role.TrustPolicy = loose
			p["wrote"] = w
			document(p, strings.Replace(good, "alice", "bob", 1))
		}},
		{"a protected role", invariant.I5, func(_ *story, p map[string]invariant.Fact) {
			w := p["wrote"].(invariant.Wrote)
			w.Role.Path = "/breakglass/"
			p["wrote"] = w
		}},
		{"nobody is told", invariant.I7, func(_ *story, p map[string]invariant.Fact) { delete(p, "told") }},
		{"somebody is told twice", invariant.I7, func(_ *story, p map[string]invariant.Fact) {
			p["took"], p["looked"] = p["told"], p["kept"]
		}},
		{"a verdict that no document bears out", invariant.I8, func(_ *story, p map[string]invariant.Fact) {
			c := p["concluded"].(invariant.Concluded)
			state := *c.Conclusion.State
			state.Document, state.Action = other, decision.Tell
			c.Conclusion.State = &state
			p["concluded"] = c
		}},
		{"compliant without a reading", invariant.I9, func(s *story, p map[string]invariant.Fact) {
			c := p["concluded"].(invariant.Concluded)
			state := *c.Conclusion.State
			state.Document, state.Action, state.Verdict = other, decision.Ignore, finding.Compliant
			c.Conclusion.State, c.Conclusion.End = &state, ledger.Compliant
			p["concluded"] = c
		}},
		{"past the limit", invariant.I10, func(_ *story, p map[string]invariant.Fact) {
			sp := p["spent"].(invariant.Spent)
			sp.Counters[0].Limit = 0
			p["spent"] = sp
		}},
		{"no limit is asked", invariant.I10, func(_ *story, p map[string]invariant.Fact) { delete(p, "spent") }},
		{"the switch says stop", invariant.I10, func(s *story, _ map[string]invariant.Fact) {
			s.say(0, invariant.Turned{Switch: decision.WritesStopped})
			s.at = s.at.Add(2 * time.Minute)
		}},
		{"a secret is said", invariant.I11, func(s *story, _ map[string]invariant.Fact) { s.Say(s.at, 1, "the log", "the id is hush-4711") }},
		{"a panic", invariant.I12, func(_ *story, p map[string]invariant.Fact) { p["shown"] = invariant.Panicked{Value: "boom"} }},
		{"a handling without end", invariant.I12, func(s *story, _ map[string]invariant.Fact) { s.MaxCalls = 5 }},
	}
}

// slow and both are parts that are more than one fact.
type (
	slow struct {
		s *story
		invariant.Fact
	}
	both struct {
		s *story
		invariant.Fact
		then invariant.Fact
	}
)

// Each invariant is shown to notice: a story that is broken in one place is not
// let pass.
func TestAPlantedViolationIsNoticed(t *testing.T) {
	covered := map[invariant.ID]bool{invariant.I6: true}
	for _, p := range plants() {
		covered[p.id] = true
		t.Run(p.id.String()+" "+p.name, func(t *testing.T) {
			found := invariant.Check(flatten(tell(t, p.do)))
			if !slices.ContainsFunc(found, func(v invariant.Violation) bool { return v.Invariant == p.id && v.Sentence != "" }) {
				t.Errorf("not noticed; found %v", found)
			}
		})
	}
	for _, id := range invariant.All() {
		if !covered[id] {
			t.Errorf("nothing shows that %s (%s) notices", id, id.Title())
		}
	}
}

// flatten takes apart the parts that are more than one fact.
func flatten(h *invariant.History) *invariant.History {
	var out []invariant.Entry
	var late time.Duration
	for _, e := range h.Entries {
		e.At = e.At.Add(late)
		switch f := e.Fact.(type) {
		case slow:
			e.Fact, late = f.Fact, late+6*time.Second
			out = append(out, e)
		case both:
			e.Fact = f.Fact
			out = append(out, e, invariant.Entry{At: e.At, Run: 2, Fact: f.then})
		default:
			out = append(out, e)
		}
	}
	h.Entries = out
	return h
}

// The words of a violation say what, where and about whom.
func TestAViolationReadsWell(t *testing.T) {
	v := invariant.Violation{Invariant: invariant.I5, Sentence: "it was written", At: 7, Role: "111122223333/app", Event: event.String()}
	if got, want := v.String(), "I5 (protected roles are never written), entry 7, role 111122223333/app, event 111122223333#ev-1: it was written"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, e := range tell(t, nil).Entries {
		if l := e.Line(start); strings.Contains(l, "invariant.") || strings.Contains(l, "%!") {
			t.Errorf("a line that does not read: %s", l)
		}
	}
}
