package ledgertest

import (
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// What the random calls speak of: little, so that they meet.

func accounts() []string    { return []string{account, other} }
func roleIDs() []string     { return []string{"AROA1", "AROA2"} }
func decisionIDs() []string { return []string{"dec1", "dec2", "dec3"} }
func uniqueIDs() []string   { return []string{"AIDA1", "AIDA2", "AIDA3"} }
func names() []string       { return []string{"alice", "Alice", "team/alice", "bob", "carol"} }

func one[T any](t *rapid.T, what string, of []T) T {
	t.Helper()
	return rapid.SampledFrom(of).Draw(t, what)
}

// when draws a time; some are whole seconds, as CloudTrail tells them.
func when(t *rapid.T, what string) time.Time {
	t.Helper()
	half := rapid.IntRange(0, 19).Draw(t, what)
	return at(0).Add(time.Duration(half) * 500 * time.Millisecond)
}

func aKey(t *rapid.T) ledger.Key {
	t.Helper()
	return ledger.Key{Account: one(t, "account", accounts()), EventID: one(t, "event", []string{"e1", "e2", "e3", "e1#stands"})}
}

func aPrincipal(t *rapid.T, what string) ledger.PrincipalKey {
	t.Helper()
	name := one(t, what, names())
	return user(name[strings.LastIndexByte(name, '/')+1:])
}

// itself is the key under which the roles of an account are found by their own name.
func itself(account string) ledger.PrincipalKey {
	return ledger.PrincipalKey{Account: account, Kind: ledger.OwnName, Name: state("", "", 0).Name}
}

func aState(t *rapid.T, k ledger.Key) *ledger.RoleState {
	t.Helper()
	s := state(one(t, "role", roleIDs()), k.EventID, 0)
	s.Account, s.Event, s.EventTime, s.UpdatedAt = one(t, "of", accounts()), k, when(t, "event time"), when(t, "updated")
	s.AlertID = one(t, "alert", []string{"", "alert1"})
	s.Shown = map[string]time.Time{"AIDA3": when(t, "shown")}
	s.Document = strings.Repeat(`{"Version":"2012-10-17"}`, rapid.IntRange(0, 60).Draw(t, "length"))
	for range rapid.IntRange(0, 3).Draw(t, "trusts") {
		s.Trusts = append(s.Trusts, aPrincipal(t, "trusted"))
	}
	if rapid.Bool().Draw(t, "to be found by its own name") {
		s.Trusts = append(s.Trusts, itself(s.Account))
	}
	return &s
}

func aSighting(t *rapid.T) ledger.Identity {
	t.Helper()
	return ledger.Identity{ID: one(t, "id", uniqueIDs()), ARN: userARN(one(t, "name", names())), SeenAt: when(t, "seen")}
}

func sightings(t *rapid.T) []ledger.Identity {
	t.Helper()
	return rapid.SliceOfN(rapid.Custom(aSighting), 0, 3).Draw(t, "sightings")
}

func aLetter(t *rapid.T, k ledger.Key) ledger.Letter {
	t.Helper()
	return ledger.Letter{
		ID: one(t, "letter", []string{"a", "b", "stands#a"}), Event: k, At: when(t, "written"), After: one(t, "after", []ledger.Key{{}, key("e0")}),
		Body: []byte(strings.Repeat(one(t, "body", []string{"x", "{}", "\x1f\x8b"}), rapid.IntRange(1, 900).Draw(t, "long"))),
	}
}

func (p *pair) eventCalls() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"Take": func(t *rapid.T) {
			k, now := aKey(t), when(t, "at")
			p.both(t, "Take", func(l ledger.Ledger) (any, error) { return l.Take(t.Context(), k, now) })
		},
		"Intend": func(t *rapid.T) {
			i := intent(aKey(t))
			i.Decision.ID, i.Role.Account = one(t, "decision", append(decisionIDs(), "")), one(t, "of", accounts())
			i.RoleID, i.At, i.AfterDigest = one(t, "role", roleIDs()), when(t, "at"), one(t, "after", []string{"", "sha256:x", "sha256:y"})
			i.Contains, i.Void = rapid.Bool().Draw(t, "contains"), rapid.Bool().Draw(t, "void")
			if rapid.Bool().Draw(t, "was made") {
				i.WrittenAt = when(t, "made")
			}
			p.only(t, "Intend", func(l ledger.Ledger) error { return l.Intend(t.Context(), i) })
		},
		"Decided": func(t *rapid.T) {
			id := one(t, "decision", decisionIDs())
			p.both(t, "Decided", func(l ledger.Ledger) (any, error) { return found(l.Decided(t.Context(), id)) })
		},
		"Conclude": func(t *rapid.T) {
			c := ledger.Conclusion{
				Event: aKey(t), End: one(t, "end", ledger.Ends()), At: when(t, "at"), Reason: "a test", Seen: sightings(t),
				Expect: one(t, "expect", []ledger.Expectation{ledger.Anything, ledger.NoOpenAlert}),
			}
			if rapid.Bool().Draw(t, "with a state") {
				c.State = aState(t, c.Event)
			}
			if rapid.Bool().Draw(t, "says when it was read") {
				c.ReadAt = when(t, "read")
			}
			for range rapid.IntRange(0, 2).Draw(t, "letters") {
				c.Letters = append(c.Letters, aLetter(t, c.Event))
			}
			p.only(t, "Conclude", func(l ledger.Ledger) error { return l.Conclude(t.Context(), c) })
		},
	}
}

func (p *pair) letterCalls() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"Post": func(t *rapid.T) {
			token, x := one(t, "token", []string{"", "t1", "t2", "t3"}), aLetter(t, ledger.Key{})
			p.both(t, "Post", func(l ledger.Ledger) (any, error) { return l.Post(t.Context(), token, x) })
		},
		"Undelivered": func(t *rapid.T) {
			limit := rapid.IntRange(0, 5).Draw(t, "limit")
			p.both(t, "Undelivered", func(l ledger.Ledger) (any, error) { return l.Undelivered(t.Context(), limit) })
		},
		"Delivered": func(t *rapid.T) {
			x := aLetter(t, ledger.Key{})
			if rapid.Bool().Draw(t, "of an event") {
				x.Event = aKey(t)
			}
			p.only(t, "Delivered", func(l ledger.Ledger) error { return l.Delivered(t.Context(), x) })
		},
		"Deliver the oldest": func(t *rapid.T) {
			p.only(t, "Delivered", func(l ledger.Ledger) error {
				list, err := l.Undelivered(t.Context(), 1)
				if err != nil || len(list) == 0 {
					return err
				}
				return l.Delivered(t.Context(), list[0])
			})
		},
	}
}

func aBaseline(t *rapid.T) role.Baseline {
	t.Helper()
	b := baseline(one(t, "digest", []string{"sha256:a", "sha256:b", ""}), 0)
	b.Account, b.RoleID = one(t, "of", accounts()), one(t, "role", roleIDs())
	b.Since, b.Sealed = when(t, "since"), when(t, "sealed")
	b.Provenance = one(t, "provenance", []role.Provenance{role.Unreviewed, role.Observed})
	return b
}

func (p *pair) roleCalls() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"State": func(t *rapid.T) {
			a, id := one(t, "of", accounts()), one(t, "role", roleIDs())
			p.both(t, "State", func(l ledger.Ledger) (any, error) {
				s, ok, err := l.State(t.Context(), a, id)
				return []any{s, ok}, err
			})
			p.both(t, "Recall", func(l ledger.Ledger) (any, error) { return l.Recall(t.Context(), a, id) })
			p.both(t, "Baselines", func(l ledger.Ledger) (any, error) { return l.Baselines(t.Context(), a, id) })
		},
		"States": func(t *rapid.T) {
			a := one(t, "of", append(accounts(), "", "1111"))
			p.both(t, "States", func(l ledger.Ledger) (any, error) { return all(t.Context(), l, a) })
		},
		"AddBaseline": func(t *rapid.T) {
			b := aBaseline(t)
			p.only(t, "AddBaseline", func(l ledger.Ledger) error { return l.AddBaseline(t.Context(), b) })
		},
		"SetCandidate": func(t *rapid.T) {
			b := aBaseline(t)
			p.only(t, "SetCandidate", func(l ledger.Ledger) error { return l.SetCandidate(t.Context(), b) })
		},
		"GiveWord": func(t *rapid.T) {
			w := word(one(t, "digest", []string{"sha256:a", "sha256:b"}), 0)
			w.Account, w.RoleID = one(t, "of", accounts()), one(t, "role", roleIDs())
			w.At, w.Until = when(t, "at"), when(t, "until")
			p.only(t, "GiveWord", func(l ledger.Ledger) error { return l.GiveWord(t.Context(), w) })
		},
		"Lease": func(t *rapid.T) {
			r := role.Ref{Account: one(t, "of", accounts()), Name: one(t, "name", []string{"App", "APP"})}
			holder, now, until := one(t, "holder", []string{"x", "y"}), when(t, "now"), when(t, "until")
			p.only(t, "Lease", func(l ledger.Ledger) error { return l.Lease(t.Context(), r, holder, now, until) })
		},
		"Release": func(t *rapid.T) {
			r := role.Ref{Account: one(t, "of", accounts()), Name: one(t, "name", []string{"App", "APP"})}
			holder := one(t, "holder", []string{"x", "y"})
			p.only(t, "Release", func(l ledger.Ledger) error { return l.Release(t.Context(), r, holder) })
		},
	}
}

func aCounter(t *rapid.T) ledger.Counter {
	t.Helper()
	return ledger.Counter{
		Name: one(t, "counter", []string{"c", "d"}), Window: one(t, "window", []time.Duration{2 * time.Second, time.Hour}),
		Limit: rapid.IntRange(0, 4).Draw(t, "limit"), Full: one(t, "full", []ledger.OnFull{ledger.Refuse, ledger.Trip}),
	}
}

func (p *pair) limitCalls() map[string]func(*rapid.T) {
	spend := func(t *rapid.T) {
		token, now := one(t, "token", []string{"t1", "t2", "t3", "t4", "t5", "t6", "t7"}), when(t, "at")
		counters := rapid.SliceOfN(rapid.Custom(aCounter), 0, 4).Draw(t, "counters")
		p.only(t, "Spend", func(l ledger.Ledger) error { return l.Spend(t.Context(), token, now, counters) })
	}
	return map[string]func(*rapid.T){
		"Spend": spend, "Spend more": spend,
		"Breakers": func(t *rapid.T) {
			p.both(t, "Breakers", func(l ledger.Ledger) (any, error) { return l.Breakers(t.Context()) })
		},
		"Reset": func(t *rapid.T) {
			scope, by, now := one(t, "scope", []string{"c", "d"}), one(t, "by", []string{"alice", "bob", ""}), when(t, "at")
			p.only(t, "Reset", func(l ledger.Ledger) error { return l.Reset(t.Context(), scope, by, "a test", now) })
		},
		"SetSwitch": func(t *rapid.T) {
			s, now := one(t, "switch", []decision.Switch{decision.WritesAllowed, decision.WritesStopped, decision.Unreadable}), when(t, "at")
			p.only(t, "SetSwitch", func(l ledger.Ledger) error { return l.SetSwitch(t.Context(), s, "alice", "a test", now) })
		},
		"Switch": func(t *rapid.T) {
			p.both(t, "Switch", func(l ledger.Ledger) (any, error) { return l.Switch(t.Context()) })
			p.both(t, "Setting", func(l ledger.Ledger) (any, error) {
				s, ok, err := l.Setting(t.Context())
				return []any{s, ok}, err
			})
		},
	}
}
