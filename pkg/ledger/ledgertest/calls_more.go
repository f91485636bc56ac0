package ledgertest

import (
	"time"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func (p *pair) principalCalls() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"Record": func(t *rapid.T) {
			ids := sightings(t)
			p.only(t, "Record", func(l ledger.Ledger) error { return l.Record(t.Context(), ids) })
		},
		"Identify": func(t *rapid.T) {
			id, name := one(t, "id", uniqueIDs()), one(t, "name", names())
			p.both(t, "Identify", func(l ledger.Ledger) (any, error) {
				who, ok, err := l.Identify(t.Context(), id)
				return []any{who, ok}, err
			})
			p.both(t, "Identities", func(l ledger.Ledger) (any, error) { return l.Identities(t.Context(), userARN(name)) })
		},
		"Deleted": func(t *rapid.T) {
			d := ledger.Deletion{Principal: aPrincipal(t, "deleted"), By: one(t, "by", []string{"", userARN("mallory")}), At: when(t, "at"), Event: aKey(t), RenamedTo: one(t, "renamed to", []string{"", "", userARN("dave")})}
			p.both(t, "Deleted", func(l ledger.Ledger) (any, error) { return l.Deleted(t.Context(), d) })
		},
		"Ends": func(t *rapid.T) {
			list := []ledger.PrincipalKey{aPrincipal(t, "first"), aPrincipal(t, "second")}
			p.both(t, "Ends", func(l ledger.Ledger) (any, error) { return l.Ends(t.Context(), list) })
		},
		"Renamed": func(t *rapid.T) {
			from, to, now := aPrincipal(t, "from"), aPrincipal(t, "to"), when(t, "at")
			p.only(t, "Renamed", func(l ledger.Ledger) error { return l.Renamed(t.Context(), from, to, userARN(to.Name), now) })
		},
		"Trusting": func(t *rapid.T) {
			who := one(t, "whom", []ledger.PrincipalKey{aPrincipal(t, "trusted"), itself(account), itself(other)})
			p.both(t, "Trusting", func(l ledger.Ledger) (any, error) { return l.Trusting(t.Context(), who) })
		},
	}
}

func (p *pair) sweepCalls() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"SeeRules": func(t *rapid.T) {
			hash, now := one(t, "hash", []string{"", "sha256:a", "sha256:b"}), when(t, "at")
			p.both(t, "SeeRules", func(l ledger.Ledger) (any, error) { return l.SeeRules(t.Context(), hash, now) })
		},
		"ConfirmRules": func(t *rapid.T) {
			hash, by, now := one(t, "hash", []string{"", "sha256:a", "sha256:b"}), one(t, "by", []string{"", "alice", "bob"}), when(t, "at")
			p.only(t, "ConfirmRules", func(l ledger.Ledger) error { return l.ConfirmRules(t.Context(), hash, by, "a test", now) })
		},
		"BeginSweep": func(t *rapid.T) {
			s := aSweep(one(t, "sweep", []string{"", "s1", "s2"}), accounts()...)
			s.At = when(t, "at")
			p.both(t, "BeginSweep", func(l ledger.Ledger) (any, error) { return l.BeginSweep(t.Context(), s) })
		},
		"Sweeping": func(t *rapid.T) {
			id := one(t, "sweep", []string{"s1", "s2"})
			a := one(t, "of", accounts())
			p.both(t, "Swept", func(l ledger.Ledger) (any, error) {
				got, ok, err := l.Swept(t.Context(), id, a)
				return []any{got, ok}, err
			})
			p.both(t, "Sweeping", func(l ledger.Ledger) (any, error) { return swept(l.Sweeping(t.Context(), id)) })
		},
		"SaveSwept": func(t *rapid.T) {
			a := ledger.SweptAccount{
				Sweep: one(t, "sweep", []string{"s1", "s2"}), Account: one(t, "of", append(accounts(), "")), Marker: one(t, "marker", []string{"", "page2", "page3"}),
				Ended: one(t, "ended", []time.Time{{}, at(8), at(9)}), Counts: map[string]int{"roles": rapid.IntRange(0, 9).Draw(t, "roles")},
			}
			p.only(t, "SaveSwept", func(l ledger.Ledger) error { return l.SaveSwept(t.Context(), a) })
		},
	}
}
