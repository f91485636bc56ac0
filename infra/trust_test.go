package main

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// trusted is a role of the templates with its trust policy.
type trusted struct {
	document
	name, arn string
	parsed    policy.Document
	// org is what the rules file says of the organization it is in.
	d *deployment.Deployment
}

// trustPolicies gives the trust policies of all templates.
func trustPolicies(t *testing.T) []trusted {
	t.Helper()
	hub, single := load1(t, "organization.yaml", "hub"), load1(t, "single.yaml", "")
	var out []trusted
	for _, doc := range documents(t) {
		if doc.kind != trustDocument {
			continue
		}
		one := trusted{document: doc, name: doc.of.Properties["RoleName"].(string), d: hub}
		if doc.place.account == single.Account {
			one.d = single
		}
		one.arn = "arn:aws:iam::" + doc.place.account + ":role" + doc.of.Properties["Path"].(string) + one.name
		var err error
		if one.parsed, err = policy.Parse([]byte(doc.text(t))); err != nil {
			t.Fatalf("%s: %v", doc.where, err)
		}
		out = append(out, one)
	}
	if len(out) < 15 {
		t.Fatalf("only %d trust policies", len(out))
	}
	return out
}

func (one trusted) input() rules.Input {
	return rules.Input{
		Role: role.Role{Partition: "aws", Account: one.place.account, Name: one.name, Path: one.of.Properties["Path"].(string), ARN: one.arn, ID: "AROAEXAMPLE0000000001"},
		Org:  one.d.Rules, Now: today(),
	}
}

// T73: what rolewarden asks of everybody's trust policies it keeps in its own:
// each is compliant under every rule, without a finding of any severity but the one
// that is meant.
func TestT73OwnTrustPoliciesPassOwnRules(t *testing.T) {
	t.Parallel()
	for _, one := range trustPolicies(t) {
		r := rules.JudgeText(one.input(), one.text(t))
		if r.Verdict != finding.Compliant || len(r.Reasons) > 0 {
			t.Errorf("%s is %s: %q", one.where, r.Verdict, r.Reasons)
		}
		meant := false
		for _, f := range r.Findings {
			// That nobody can use it is what the canary's target is for.
			if one.name == deployment.CanaryTarget && f.Rule == "no-effect" {
				meant = true
				continue
			}
			t.Errorf("%s: %s (%s): %s", one.where, f.Rule, f.Severity, f.Message)
		}
		if meant != (one.name == deployment.CanaryTarget) {
			t.Errorf("%s: somebody may use it", one.where)
		}
	}
}

// visitor is somebody who asks to assume a role.
type visitor struct {
	name    string
	request access.Request
}

// invited gives the callers that a role is for, as AWS describes the call: one,
// two for the role that reads, and nobody for the canary's target.
func invited(t *testing.T, one trusted) []visitor {
	t.Helper()
	hub := one.d.Account
	ours := func(roleName string) visitor {
		return visitor{roleName, access.Request{
			Actions: []string{"sts:AssumeRole", "sts:SetSourceIdentity"}, Role: one.arn,
			Caller: access.Caller{
				AWS:    "arn:aws:sts::" + hub + ":assumed-role/" + roleName + "/" + roleName,
				ID:     "AROAHUB0000000000001:" + roleName,
				Issuer: "arn:aws:iam::" + hub + ":role" + deployment.Path + roleName,
			},
			Context: map[string]access.Value{
				"sts:RoleSessionName": access.One("rw-1234"), "sts:SourceIdentity": access.One("rolewarden-1234"),
				"sts:ExternalId": access.One(sampleExternalID),
			},
		}}
	}
	byService := func(service string, context map[string]string) visitor {
		v := visitor{service, access.Request{Actions: []string{"sts:AssumeRole"}, Role: one.arn, Caller: access.Caller{Service: service}, Context: map[string]access.Value{}}}
		for k, value := range context {
			v.request.Context[k] = access.One(value)
		}
		return v
	}
	switch one.name {
	case deployment.ReaderRole:
		return []visitor{ours(deployment.GuardRole), ours(deployment.SweepRole)}
	case deployment.RemediatorRole:
		return []visitor{ours(deployment.GuardRole)}
	case deployment.CanaryWriterRole:
		return []visitor{ours(deployment.CanaryRole)}
	case deployment.GuardRole, deployment.NotifyRole, deployment.CanaryRole, deployment.SweepRole:
		// A role is passed to a service of its own account only, so there is no
		// other account to keep out (IAM User Guide, id_roles_use_passrole).
		return []visitor{byService("lambda.amazonaws.com", nil)}
	case deployment.EventsRole:
		rule := deployment.ForwardRule
		if one.d.Way == deployment.Single {
			rule = deployment.AssumeRoleRule + "-1"
		}
		region := map[bool]string{true: "eu-west-1", false: "us-east-1"}[one.d.Way == deployment.Single]
		return []visitor{byService("events.amazonaws.com", map[string]string{
			"aws:SourceAccount": one.place.account, "aws:SourceArn": "arn:aws:events:" + region + ":" + one.place.account + ":rule/" + rule,
		})}
	case deployment.CanaryTarget:
		return nil
	}
	t.Fatalf("%s: nobody said who %s is for", one.where, one.name)
	return nil
}

// accounts says which organization an account is in.
type accounts string

func (a accounts) OrganizationOf(account string) (string, bool) {
	if account == "123456789012" || a == "" {
		return "", true
	}
	return string(a), true
}

// T72: each role lets in those that it is for, and them alone: with any single
// thing about the call changed, the answer is no.
func TestT72EachRoleLetsInThoseItIsForAndNobodyElse(t *testing.T) {
	t.Parallel()
	turnedAway := 0
	for _, one := range trustPolicies(t) {
		facts := accounts(one.d.Organization())
		guests := invited(t, one)
		for _, guest := range guests {
			if got := access.Evaluate(one.parsed, guest.request.Complete(facts)); got.Decision != access.Allowed {
				t.Errorf("%s does not let %s in: %s", one.where, guest.name, got.Reason)
			}
		}
		for _, v := range strangers(one, guests) {
			turnedAway++
			if got := access.Evaluate(one.parsed, v.request.Complete(facts)); got.Decision != access.Denied {
				t.Errorf("%s, asked by %s, is %s: %s", one.where, v.name, got.Decision, v.request.Masked().Sentence())
			}
		}
	}
	if turnedAway < 200 {
		t.Errorf("only %d strangers were tried", turnedAway)
	}
}

// Over all requests that STS could be asked, not some: a member's role lets in
// nobody from another account than the hub, nobody under another name than
// those that it is for, nobody without the external id; and the canary's target nobody at
// all.
func TestOverAllRequestsNoOtherCallerGetsIn(t *testing.T) {
	t.Parallel()
	everyone := []proof.Callers{{Kind: proof.Users}, {Kind: proof.RoleSessions}, {Kind: proof.Services}, {Kind: proof.SAMLIdentities}, {Kind: proof.OIDCIdentities}}
	for _, one := range trustPolicies(t) {
		in := one.input()
		in.Document = one.parsed
		var guest visitor
		var issuers []string
		guests := invited(t, one)
		for _, g := range guests {
			guest, issuers = g, append(issuers, g.request.Caller.Issuer)
		}
		for _, action := range []string{"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"} {
			ask := func(what string, callers []proof.Callers, where ...proof.Requirement) {
				q := proof.Query{World: rules.World(in), Callers: callers, Actions: []string{action}}
				for _, w := range where {
					q.Where = append(q.Where, []proof.Requirement{w})
				}
				if a := proof.Find(one.parsed, q); a.Outcome != proof.None {
					t.Errorf("%s: %s, %s: %s %v %q", one.where, what, action, a.Outcome, a.Witness, a.Undecided)
				}
			}
			switch {
			case len(guests) == 0:
				ask("anybody", everyone)
			case guest.request.Caller.Service != "":
				ask("a user or a role", []proof.Callers{everyone[0], everyone[1], everyone[3], everyone[4]})
				ask("another service", []proof.Callers{{Kind: proof.Services, Except: []string{guest.request.Caller.Service}}})
				for key := range guest.request.Context {
					ask("the service with another "+key, everyone, one.elsewhere(key))
				}
			default:
				ask("a user or a service", []proof.Callers{everyone[0], everyone[2], everyone[3], everyone[4]})
				ask("another account", []proof.Callers{{Kind: proof.RoleSessions, Accounts: proof.Accounts{Except: []string{one.d.Account}}}})
				ask("another role", []proof.Callers{{Kind: proof.RoleSessions, Except: issuers}})
				ask("another external id", everyone, fails("StringEquals", "sts:ExternalId", sampleExternalID))
			}
		}
	}
}

// elsewhere asks for requests of EventBridge that come for another account, or for
// another rule, than it may come for.
func (one trusted) elsewhere(key string) proof.Requirement {
	if key == "aws:SourceAccount" {
		return fails("StringEquals", key, one.place.account)
	}
	rules := ":" + one.place.account + ":rule/"
	return fails("ArnLike", key, "arn:aws:events:us-east-1"+rules+deployment.ForwardRule, "arn:aws:events:*"+rules+deployment.AssumeRoleRule+"-*")
}

// fails asks for requests in which a key is absent or has another value.
func fails(operator, key string, values ...string) proof.Requirement {
	return proof.Requirement{Condition: policy.Condition{Operator: operator, Key: key, Values: values}, Sense: proof.Fails}
}

// A rule that may not use the role it names sends nothing, and says so nowhere but
// in a metric of the member's. Each rule of each template is let in by the events
// role of its account, in whichever Region the rule is.
func TestEveryRuleMayUseTheRoleThatItNames(t *testing.T) {
	t.Parallel()
	roles, used := map[string]trusted{}, 0
	for _, one := range trustPolicies(t) {
		roles[one.arn] = one
	}
	for _, p := range everywhere(t) {
		if strings.HasPrefix(p.stack, deployment.ManagementStack) {
			p.account = load1(t, "organization.yaml", "hub").Rules.Organization.Management
		}
		for id, r := range p.Resources {
			targets, _ := r.Properties["Targets"].([]any)
			for _, target := range targets {
				name := at(target, "RoleArn")
				if name == nil {
					continue
				}
				resolved, err := p.resolve(name)
				if err != nil {
					t.Fatal(err)
				}
				used++
				one, there := roles[resolved.(string)]
				if !there {
					t.Errorf("%s: %s uses the role %s, which no template makes", p.stack, id, resolved)
					continue
				}
				request := access.Request{Actions: []string{"sts:AssumeRole"}, Role: one.arn, Caller: access.Caller{Service: "events.amazonaws.com"}, Context: map[string]access.Value{
					"aws:SourceAccount": access.One(p.account), "aws:SourceArn": access.One("arn:aws:events:" + p.region + ":" + p.account + ":rule/" + r.Properties["Name"].(string)),
				}}
				if got := access.Evaluate(one.parsed, request.Complete(accounts(one.d.Organization()))); got.Decision != access.Allowed {
					t.Errorf("%s: %s may not use %s: %s", p.stack, id, one.arn, got.Reason)
				}
			}
		}
	}
	if used < 6 {
		t.Errorf("only %d rules use a role", used)
	}
}
