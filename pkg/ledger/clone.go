package ledger

import (
	"maps"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// What goes in and out is copied, so that nobody holds a part of the memory.

func cloneIntent(i Intent) Intent {
	i.Decision.Reasons = slices.Clone(i.Decision.Reasons)
	i.Decision.Rules = slices.Clone(i.Decision.Rules)
	return i
}

func cloneState(s RoleState) RoleState {
	s.OpenRules = slices.Clone(s.OpenRules)
	s.Changers = slices.Clone(s.Changers)
	s.Findings = slices.Clone(s.Findings)
	s.Trusts = slices.Clone(s.Trusts)
	s.Principals = maps.Clone(s.Principals)
	s.Shown = maps.Clone(s.Shown)
	return s
}

func cloneLetter(l Letter) Letter {
	l.Body = slices.Clone(l.Body)
	return l
}

func cloneBaseline(b role.Baseline) role.Baseline {
	b.Principals = maps.Clone(b.Principals)
	b.Seal = slices.Clone(b.Seal)
	return b
}
