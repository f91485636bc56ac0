package org

import (
	"cmp"
	"slices"
	"time"
)

// The defaults of what the file may say of a rule.
const (
	// DefaultSessionName is what the session name of a user's session must equal.
	DefaultSessionName = "${aws:username}"
	// DefaultMinLength is the length of the shortest external id that is accepted.
	DefaultMinLength = 8
)

// Member says whether an account is known to be in the organization.
func (r *Rules) Member(account string) bool {
	if r == nil || account == "" {
		return false
	}
	return account == r.Organization.Management ||
		slices.ContainsFunc(r.Organization.Accounts, func(a Account) bool { return a.ID == account })
}

// Partner gives the partner whose account it is.
func (r *Rules) Partner(account string) (Partner, bool) {
	if r == nil {
		return Partner{}, false
	}
	for _, p := range r.Partners {
		if slices.Contains(p.Accounts, account) {
			return p, true
		}
	}
	return Partner{}, false
}

// OrganizationOf gives the organization of an account, where it is known to be
// ours. Of every other account nothing is known: it may be in another one, or
// have joined ours a minute ago.
func (r *Rules) OrganizationOf(account string) (id string, ok bool) {
	if !r.Member(account) || r.Organization.ID == "" {
		return "", false
	}
	return r.Organization.ID, true
}

// MemberIDs gives the ids of the accounts known to be in the organization, sorted.
func (r *Rules) MemberIDs() []string {
	if r == nil {
		return nil
	}
	var ids []string
	if r.Organization.Management != "" {
		ids = append(ids, r.Organization.Management)
	}
	for _, a := range r.Organization.Accounts {
		ids = append(ids, a.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// PartnerIDs gives the ids of the partners' accounts, sorted.
func (r *Rules) PartnerIDs() []string {
	if r == nil {
		return nil
	}
	var ids []string
	for _, p := range r.Partners {
		ids = append(ids, p.Accounts...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Unit gives the path of an account's organizational unit, or nothing when it
// is not known.
func (r *Rules) Unit(account string) string {
	if r == nil {
		return ""
	}
	for _, a := range r.Organization.Accounts {
		if a.ID == account {
			return a.Unit
		}
	}
	return ""
}

// Exempt gives the exemption that sets a rule's findings on a role aside. The
// role's whole ARN must be the exemption's, and where the exemption names a
// RoleId or a document's digest, they must be the role's too; it must not have
// ended.
func (r *Rules) Exempt(rule, roleARN, roleID, digest string, now time.Time) (Exemption, bool) {
	if r == nil {
		return Exemption{}, false
	}
	for _, e := range r.Exemptions {
		if e.Role == roleARN && slices.Contains(e.Rules, rule) &&
			(e.RoleID == "" || e.RoleID == roleID) &&
			(e.Digest == "" || e.Digest == digest) &&
			now.Before(e.Expires) {
			return e, true
		}
	}
	return Exemption{}, false
}

// Setting gives what the file says of a rule, with the defaults filled in.
func (r *Rules) Setting(rule string) Setting {
	var s Setting
	if r != nil {
		s = r.Settings[rule]
	}
	s.SessionName = cmp.Or(s.SessionName, DefaultSessionName)
	s.MinLength = cmp.Or(s.MinLength, DefaultMinLength)
	return s
}

// Located is a rule's id where the file writes it.
type Located struct {
	ID           string
	Line, Column int
}

// RuleIDs gives every rule id that the file writes, in the order of the file,
// so that whoever knows the catalogue can tell which are unknown.
func (r *Rules) RuleIDs() []Located {
	if r == nil {
		return nil
	}
	out := slices.Clone(r.Containment.Places)
	for id, s := range r.Settings {
		out = append(out, Located{ID: id, Line: s.Line, Column: s.Column})
	}
	for _, e := range slices.Concat(r.Exemptions, r.Expired) {
		for _, id := range e.Rules {
			out = append(out, Located{ID: id, Line: e.Line, Column: e.Column})
		}
	}
	slices.SortFunc(out, func(a, b Located) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.ID, b.ID))
	})
	return out
}
