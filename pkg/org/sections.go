package org

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// rules reads the whole file.
func (r *reader) rules(root *yaml.Node) *Rules {
	o := r.object(root, "", "version", "organization", "partners", "identityProviders", "protected", "modes", "rules", "exemptions", "limits")
	o.require("version")
	o.number("version", 1, 1, 1)
	rules := Empty()
	if n := o.fields["organization"]; n != nil {
		rules.Organization = r.organization(n)
	}
	rules.Partners = r.partners(o, rules)
	rules.IdentityProviders = o.texts("identityProviders", r.home(provider, rules))
	rules.Protected = o.texts("protected", r.home(rolePattern, rules))
	if n := o.fields["modes"]; n != nil {
		r.modes(n, rules)
	}
	if n := o.fields["rules"]; n != nil {
		rules.Settings = r.settings(n, rules)
	}
	r.exemptions(o, rules)
	if n := o.fields["limits"]; n != nil {
		rules.Limits = r.limits(n)
	}
	return rules
}

// home narrows a form of ARNs to the organization's partition: partitions do
// not trust each other, so an ARN of another one is a slip.
func (r *reader) home(f form, rules *Rules) form {
	want := rules.Organization.Partition
	if want == "" {
		return f
	}
	f.then = &form{
		name:   "ARN of the partition " + want,
		remedy: "write an ARN that begins with arn:" + want + ":, or mend organization.partition",
		ok: func(s string) bool {
			rest, isARN := strings.CutPrefix(s, "arn:")
			got, _, _ := strings.Cut(rest, ":")
			return !isARN || got == want || got == "*"
		},
	}
	return f
}

func (r *reader) organization(n *yaml.Node) Organization {
	o := r.object(n, "organization", "id", "partition", "management", "complete", "accounts")
	o.require("id")
	org := Organization{Partition: "aws", Complete: o.truth("complete")}
	org.ID, _ = o.text("id", orgID)
	if p, ok := o.text("partition", partition); ok {
		org.Partition = p
	}
	org.Management, _ = o.text("management", accountID)
	seen := map[string]bool{}
	for i, n := range o.items("accounts") {
		a := r.object(n, item(o.at("accounts"), i), "id", "name", "unit")
		a.require("id")
		account := Account{}
		account.ID, _ = a.text("id", accountID)
		account.Name, _ = a.text("name", anyText)
		account.Unit, _ = a.text("unit", unitPath)
		if account.ID != "" && seen[account.ID] {
			r.fail(a.fields["id"], a.at("id"), fmt.Sprintf("%q a second time", account.ID), "keep one of the two")
		}
		seen[account.ID] = true
		org.Accounts = append(org.Accounts, account)
	}
	return org
}

func (r *reader) partners(o object, rules *Rules) []Partner {
	var out []Partner
	names, owners := map[string]bool{}, map[string]string{}
	for i, n := range o.items("partners") {
		p := r.object(n, item("partners", i), "name", "accounts", "externalId", "roles", "acceptedPrincipals")
		p.require("name", "accounts")
		partner := Partner{
			Accounts:           p.texts("accounts", accountID),
			Roles:              p.texts("roles", r.home(rolePattern, rules)),
			AcceptedPrincipals: p.texts("acceptedPrincipals", r.home(principal, rules)),
		}
		partner.Name, _ = p.text("name", anyText)
		if partner.Name != "" && names[partner.Name] {
			r.fail(p.fields["name"], p.at("name"), fmt.Sprintf("%q a second time", partner.Name), "give each partner a name of its own, or join the two")
		}
		names[partner.Name] = true
		if word, _ := p.text("externalId", demandWord); word == "role-principal-suffices" {
			partner.ExternalID = RolePrincipalSuffices
		}
		r.partnerAccounts(p, partner, rules, owners)
		out = append(out, partner)
	}
	return out
}

// partnerAccounts notes accounts that cannot be this partner's, and principals
// outside of them.
func (r *reader) partnerAccounts(p object, partner Partner, rules *Rules, owners map[string]string) {
	if n := p.fields["accounts"]; n != nil && n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		r.fail(n, p.at("accounts"), "a partner without accounts", "list its accounts, or leave the partner out")
	}
	for i, n := range p.items("accounts") {
		path := item(p.at("accounts"), i)
		owner, taken := owners[n.Value]
		switch {
		case n.Kind != yaml.ScalarNode || !slices.Contains(partner.Accounts, n.Value):
		case rules.Member(n.Value):
			r.fail(n, path, fmt.Sprintf("%q is an account of the organization", n.Value), "a partner is somebody else: take it out here or there")
		case taken && owner != partner.Name:
			r.fail(n, path, fmt.Sprintf("%q is an account of the partner %q too", n.Value, owner), "an account has one owner: take it out here or there")
		default:
			owners[n.Value] = partner.Name
		}
	}
	for i, n := range p.items("acceptedPrincipals") {
		if parts := strings.Split(n.Value, ":"); slices.Contains(partner.AcceptedPrincipals, n.Value) && !slices.Contains(partner.Accounts, parts[4]) {
			r.fail(n, item(p.at("acceptedPrincipals"), i), fmt.Sprintf("%q is in none of the partner's accounts", n.Value), "name a user or role of the partner")
		}
	}
}

func (r *reader) modes(n *yaml.Node, rules *Rules) {
	o := r.object(n, "modes", "default", "units", "accounts")
	rules.Default = r.mode(o, "default")
	if n := o.fields["units"]; n != nil {
		rules.Units = r.modeMap(n, o.at("units"), unitPath, func(unit string) string {
			if unit == root || slices.ContainsFunc(rules.Organization.Accounts, func(a Account) bool { return within(a.Unit, unit) }) {
				return ""
			}
			return "no account of the organization is in the unit"
		})
	}
	if n := o.fields["accounts"]; n != nil {
		rules.AccountModes = r.modeMap(n, o.at("accounts"), accountID, func(account string) string {
			if rules.Member(account) {
				return ""
			}
			return "the organization has no such account"
		})
	}
}

// modeMap reads modes by place. A place that is nowhere is a mistake: the
// restriction it was meant to be would be lost.
func (r *reader) modeMap(n *yaml.Node, path string, keys form, nowhere func(string) string) map[string]Mode {
	out := map[string]Mode{}
	for _, p := range r.pairs(n, path) {
		where := join(path, p.key.Value)
		if !keys.ok(p.key.Value) {
			r.fail(p.key, where, fmt.Sprintf("%q is no %s", p.key.Value, keys.name), keys.remedy)
			continue
		}
		if problem := nowhere(p.key.Value); problem != "" {
			r.fail(p.key, where, problem, "list the account in organization.accounts, or mend the spelling")
			continue
		}
		if word, ok := r.text(p.value, where, modeWord); ok {
			out[p.key.Value] = modeNamed(word)
		}
	}
	return out
}

func (r *reader) mode(o object, name string) Mode {
	word, _ := o.text(name, modeWord)
	return modeNamed(word)
}

func (r *reader) settings(n *yaml.Node, rules *Rules) map[string]Setting {
	out := map[string]Setting{}
	for _, p := range r.pairs(n, "rules") {
		path := join("rules", p.key.Value)
		if !ruleID.ok(p.key.Value) {
			r.fail(p.key, path, fmt.Sprintf("%q is no %s", p.key.Value, ruleID.name), ruleID.remedy)
			continue
		}
		o := r.object(p.value, path, "mode", "off", "sessionName", "callers", "values", "minLength", "roles")
		s := Setting{
			Mode: r.mode(o, "mode"), ModeSet: o.fields["mode"] != nil, Off: o.truth("off"),
			Callers: o.texts("callers", callerWord), Values: o.texts("values", identity),
			// The lengths an external id can have: AWS STS API Reference, API_AssumeRole.
			MinLength: o.number("minLength", 2, 1224, 0),
			Roles:     o.texts("roles", r.home(rolePattern, rules)), Line: p.key.Line, Column: p.key.Column,
		}
		s.SessionName, _ = o.text("sessionName", sessionName)
		if s.Off && s.ModeSet {
			r.fail(o.fields["off"], o.at("off"), "a rule that is off has a mode too", "keep one of the two")
		}
		out[p.key.Value] = s
	}
	return out
}

func (r *reader) exemptions(o object, rules *Rules) {
	for i, n := range o.items("exemptions") {
		e := r.object(n, item("exemptions", i), "rules", "role", "roleId", "digest", "owner", "reason", "ticket", "expires")
		e.require("rules", "role", "owner", "reason", "ticket", "expires")
		x := Exemption{Rules: e.texts("rules", ruleID), Line: n.Line, Column: n.Column}
		if ids := e.fields["rules"]; ids != nil && ids.Kind == yaml.SequenceNode && len(ids.Content) == 0 {
			r.fail(ids, e.at("rules"), "an exemption from no rule", "name the rules")
		}
		x.Role, _ = e.text("role", r.home(roleARN, rules))
		x.RoleID, _ = e.text("roleId", roleID)
		x.Digest, _ = e.text("digest", digest)
		x.Owner, _ = e.text("owner", anyText)
		x.Reason, _ = e.text("reason", anyText)
		x.Ticket, _ = e.text("ticket", anyText)
		if r.expires(e, &x) {
			rules.Expired = append(rules.Expired, x)
			continue
		}
		rules.Exemptions = append(rules.Exemptions, x)
	}
}

// expires reads the day on which an exemption ends, and says whether it is to
// be set aside because that day has come.
func (r *reader) expires(o object, x *Exemption) (over bool) {
	word, ok := o.text("expires", expiryDate)
	if !ok {
		return false
	}
	n := o.fields["expires"]
	day, err := time.Parse(time.DateOnly, word)
	if err != nil {
		r.fail(n, o.at("expires"), fmt.Sprintf("%q is no day of the calendar", word), expiryDate.remedy)
		return false
	}
	x.Expires = day
	if day.Sub(r.now) > MaxExemption {
		latest := r.now.Add(MaxExemption).UTC().Format(time.DateOnly)
		r.fail(n, o.at("expires"), fmt.Sprintf("%s is more than 90 days ahead", word), "write "+latest+" at the latest, and renew it when it is still needed")
		return false
	}
	if r.now.Before(day) {
		return false
	}
	if r.expired == refuseExpired {
		r.fail(n, o.at("expires"), fmt.Sprintf("the exemption ended with the beginning of %s (UTC)", word), "take it out, or renew it under a ticket")
		return false
	}
	return true
}

func (r *reader) limits(n *yaml.Node) Limits {
	const most = 1_000_000
	d := defaultLimits()
	o := r.object(n, "limits", "perRolePerDay", "perAccountPerHour", "perHour", "perRulePerHour", "tagsPerHour")
	return Limits{
		PerRolePerDay:     o.number("perRolePerDay", 1, most, d.PerRolePerDay),
		PerAccountPerHour: o.number("perAccountPerHour", 1, most, d.PerAccountPerHour),
		PerHour:           o.number("perHour", 1, most, d.PerHour),
		PerRulePerHour:    o.number("perRulePerHour", 1, most, d.PerRulePerHour),
		TagsPerHour:       o.number("tagsPerHour", 1, most, d.TagsPerHour),
	}
}

func defaultLimits() Limits {
	return Limits{PerRolePerDay: 3, PerAccountPerHour: 5, PerHour: 25, PerRulePerHour: 25, TagsPerHour: 200}
}
