package org

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/rolewarden/rolewarden/pkg/org/strict"
)

// rules reads the whole file.
func (r *reader) rules(root *yaml.Node) *Rules {
	o := r.Object(root, "", "version", "organization", "partners", "identityProviders", "protected", "modes", "rules", "customRules", "exemptions", "limits", "baselines", "ruleChanges", "quarantine", "containment", "pruning")
	o.Require("version")
	o.Number("version", 1, 1, 1)
	rules := Empty()
	if n := o.Field("organization"); n != nil {
		rules.Organization = r.organization(n)
	}
	rules.Partners = r.partners(o, rules)
	rules.IdentityProviders = o.Texts("identityProviders", r.home(provider, rules))
	rules.Protected = o.Texts("protected", r.home(rolePattern, rules))
	if n := o.Field("modes"); n != nil {
		r.modes(n, rules)
	}
	if n := o.Field("rules"); n != nil {
		rules.Settings = r.settings(n, rules)
	}
	r.customRules(o, rules)
	r.exemptions(o, rules)
	if n := o.Field("limits"); n != nil {
		rules.Limits = r.limits(n)
	}
	r.acting(o, rules)
	return rules
}

// home narrows a form of ARNs to the organization's partition: partitions do
// not trust each other, so an ARN of another one is a slip.
func (r *reader) home(f strict.Form, rules *Rules) strict.Form {
	want := rules.Organization.Partition
	if want == "" {
		return f
	}
	f.Then = &strict.Form{
		Name:   "ARN of the partition " + want,
		Remedy: "write an ARN that begins with arn:" + want + ":, or mend organization.partition",
		OK: func(s string) bool {
			rest, isARN := strings.CutPrefix(s, "arn:")
			got, _, _ := strings.Cut(rest, ":")
			return !isARN || got == want || got == "*"
		},
	}
	return f
}

func (r *reader) organization(n *yaml.Node) Organization {
	o := r.Object(n, "organization", "id", "partition", "management", "complete", "accounts")
	o.Require("id")
	org := Organization{Partition: "aws", Complete: o.Truth("complete")}
	org.ID, _ = o.Text("id", orgID)
	if p, ok := o.Text("partition", partition); ok {
		org.Partition = p
	}
	org.Management, _ = o.Text("management", accountID)
	seen := map[string]bool{}
	for i, n := range o.Items("accounts") {
		a := r.Object(n, strict.Item(o.At("accounts"), i), "id", "name", "unit")
		a.Require("id")
		account := Account{}
		account.ID, _ = a.Text("id", accountID)
		account.Name, _ = a.Text("name", anyText)
		account.Unit, _ = a.Text("unit", unitPath)
		if account.ID != "" && seen[account.ID] {
			r.Fail(a.Field("id"), a.At("id"), fmt.Sprintf("%q a second time", account.ID), "keep one of the two")
		}
		seen[account.ID] = true
		org.Accounts = append(org.Accounts, account)
	}
	return org
}

func (r *reader) partners(o strict.Object, rules *Rules) []Partner {
	var out []Partner
	names, owners := map[string]bool{}, map[string]string{}
	for i, n := range o.Items("partners") {
		p := r.Object(n, strict.Item("partners", i), "name", "accounts", "externalId", "roles", "acceptedPrincipals")
		p.Require("name", "accounts")
		partner := Partner{
			Accounts:           p.Texts("accounts", accountID),
			Roles:              p.Texts("roles", r.home(rolePattern, rules)),
			AcceptedPrincipals: p.Texts("acceptedPrincipals", r.home(principal, rules)),
		}
		partner.Name, _ = p.Text("name", anyText)
		if partner.Name != "" && names[partner.Name] {
			r.Fail(p.Field("name"), p.At("name"), fmt.Sprintf("%q a second time", partner.Name), "give each partner a name of its own, or join the two")
		}
		names[partner.Name] = true
		if word, _ := p.Text("externalId", demandWord); word == "role-principal-suffices" {
			partner.ExternalID = RolePrincipalSuffices
		}
		r.partnerAccounts(p, partner, rules, owners)
		out = append(out, partner)
	}
	return out
}

// partnerAccounts notes accounts that cannot be this partner's, and principals
// outside of them.
func (r *reader) partnerAccounts(p strict.Object, partner Partner, rules *Rules, owners map[string]string) {
	if n := p.Field("accounts"); n != nil && n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		r.Fail(n, p.At("accounts"), "a partner without accounts", "list its accounts, or leave the partner out")
	}
	for i, n := range p.Items("accounts") {
		path := strict.Item(p.At("accounts"), i)
		owner, taken := owners[n.Value]
		switch {
		case n.Kind != yaml.ScalarNode || !slices.Contains(partner.Accounts, n.Value):
		case rules.Member(n.Value):
			r.Fail(n, path, fmt.Sprintf("%q is an account of the organization", n.Value), "a partner is somebody else: take it out here or there")
		case taken && owner != partner.Name:
			r.Fail(n, path, fmt.Sprintf("%q is an account of the partner %q too", n.Value, owner), "an account has one owner: take it out here or there")
		default:
			owners[n.Value] = partner.Name
		}
	}
	for i, n := range p.Items("acceptedPrincipals") {
		if parts := strings.Split(n.Value, ":"); slices.Contains(partner.AcceptedPrincipals, n.Value) && !slices.Contains(partner.Accounts, parts[4]) {
			r.Fail(n, strict.Item(p.At("acceptedPrincipals"), i), fmt.Sprintf("%q is in none of the partner's accounts", n.Value), "name a user or role of the partner")
		}
	}
}

func (r *reader) modes(n *yaml.Node, rules *Rules) {
	o := r.Object(n, "modes", "default", "units", "accounts")
	rules.Default = r.mode(o, "default")
	if n := o.Field("units"); n != nil {
		rules.Units = r.modeMap(n, o.At("units"), unitPath, func(unit string) string {
			if unit == root || slices.ContainsFunc(rules.Organization.Accounts, func(a Account) bool { return within(a.Unit, unit) }) {
				return ""
			}
			return "no account of the organization is in the unit"
		})
	}
	if n := o.Field("accounts"); n != nil {
		rules.AccountModes = r.modeMap(n, o.At("accounts"), accountID, func(account string) string {
			if rules.Member(account) {
				return ""
			}
			return "the organization has no such account"
		})
	}
}

// modeMap reads modes by place. A place that is nowhere is a mistake: the
// restriction it was meant to be would be lost.
func (r *reader) modeMap(n *yaml.Node, path string, keys strict.Form, nowhere func(string) string) map[string]Mode {
	out := map[string]Mode{}
	for _, p := range r.Pairs(n, path) {
		where := strict.Join(path, p.Key.Value)
		if !keys.OK(p.Key.Value) {
			r.Fail(p.Key, where, fmt.Sprintf("%q is no %s", p.Key.Value, keys.Name), keys.Remedy)
			continue
		}
		if problem := nowhere(p.Key.Value); problem != "" {
			r.Fail(p.Key, where, problem, "list the account in organization.accounts, or mend the spelling")
			continue
		}
		if word, ok := r.Text(p.Value, where, modeWord); ok {
			out[p.Key.Value] = modeNamed(word)
		}
	}
	return out
}

func (r *reader) mode(o strict.Object, name string) Mode {
	word, _ := o.Text(name, modeWord)
	return modeNamed(word)
}

func (r *reader) settings(n *yaml.Node, rules *Rules) map[string]Setting {
	out := map[string]Setting{}
	for _, p := range r.Pairs(n, "rules") {
		path := strict.Join("rules", p.Key.Value)
		if !ruleID.OK(p.Key.Value) {
			r.Fail(p.Key, path, fmt.Sprintf("%q is no %s", p.Key.Value, ruleID.Name), ruleID.Remedy)
			continue
		}
		o := r.Object(p.Value, path, "mode", "off", "sessionName", "callers", "values", "minLength", "roles")
		s := Setting{
			Mode: r.mode(o, "mode"), ModeSet: o.Field("mode") != nil, Off: o.Truth("off"),
			Callers: o.Texts("callers", callerWord), Values: o.Texts("values", identity),
			// The lengths an external id can have: AWS STS API Reference, API_AssumeRole.
			MinLength: o.Number("minLength", 2, 1224, 0),
			Roles:     o.Texts("roles", r.home(rolePattern, rules)), Line: p.Key.Line, Column: p.Key.Column,
		}
		s.SessionName, _ = o.Text("sessionName", sessionName)
		if s.Off && s.ModeSet {
			r.Fail(o.Field("off"), o.At("off"), "a rule that is off has a mode too", "keep one of the two")
		}
		out[p.Key.Value] = s
	}
	return out
}

func (r *reader) exemptions(o strict.Object, rules *Rules) {
	for i, n := range o.Items("exemptions") {
		e := r.Object(n, strict.Item("exemptions", i), "rules", "role", "roleId", "digest", "owner", "reason", "ticket", "expires")
		e.Require("rules", "role", "owner", "reason", "ticket", "expires")
		x := Exemption{Rules: e.Texts("rules", ruleID), Line: n.Line, Column: n.Column}
		if ids := e.Field("rules"); ids != nil && ids.Kind == yaml.SequenceNode && len(ids.Content) == 0 {
			r.Fail(ids, e.At("rules"), "an exemption from no rule", "name the rules")
		}
		x.Role, _ = e.Text("role", r.home(roleARN, rules))
		x.RoleID, _ = e.Text("roleId", roleID)
		x.Digest, _ = e.Text("digest", digest)
		x.Owner, _ = e.Text("owner", anyText)
		x.Reason, _ = e.Text("reason", anyText)
		x.Ticket, _ = e.Text("ticket", anyText)
		if r.expires(e, &x) {
			rules.Expired = append(rules.Expired, x)
			continue
		}
		rules.Exemptions = append(rules.Exemptions, x)
	}
}

// expires reads the day on which an exemption ends, and says whether it is to
// be set aside because that day has come.
func (r *reader) expires(o strict.Object, x *Exemption) (over bool) {
	word, ok := o.Text("expires", expiryDate)
	if !ok {
		return false
	}
	n := o.Field("expires")
	day, err := time.Parse(time.DateOnly, word)
	if err != nil {
		r.Fail(n, o.At("expires"), fmt.Sprintf("%q is no day of the calendar", word), expiryDate.Remedy)
		return false
	}
	x.Expires = day
	if day.Sub(r.now) > MaxExemption {
		latest := r.now.Add(MaxExemption).UTC().Format(time.DateOnly)
		r.Fail(n, o.At("expires"), fmt.Sprintf("%s is more than 90 days ahead", word), "write "+latest+" at the latest, and renew it when it is still needed")
		return false
	}
	if r.now.Before(day) {
		return false
	}
	if r.expired == refuseExpired {
		r.Fail(n, o.At("expires"), fmt.Sprintf("the exemption ended with the beginning of %s (UTC)", word), "take it out, or renew it under a ticket")
		return false
	}
	return true
}

func (r *reader) limits(n *yaml.Node) Limits {
	const most = 1_000_000
	d := defaultLimits()
	o := r.Object(n, "limits", "perRolePerDay", "perAccountPerHour", "perHour", "perRulePerHour", "tagsPerHour")
	return Limits{
		PerRolePerDay:     o.Number("perRolePerDay", 1, most, d.PerRolePerDay),
		PerAccountPerHour: o.Number("perAccountPerHour", 1, most, d.PerAccountPerHour),
		PerHour:           o.Number("perHour", 1, most, d.PerHour),
		PerRulePerHour:    o.Number("perRulePerHour", 1, most, d.PerRulePerHour),
		TagsPerHour:       o.Number("tagsPerHour", 1, most, d.TagsPerHour),
	}
}

func defaultLimits() Limits {
	return Limits{PerRolePerDay: 3, PerAccountPerHour: 5, PerHour: 25, PerRulePerHour: 25, TagsPerHour: 200}
}
