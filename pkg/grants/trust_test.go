package grants_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

func noon() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

func parsed(t testing.TB, d grants.Document) policy.Document {
	t.Helper()
	p, err := policy.Parse([]byte(d.JSON()))
	if err != nil {
		t.Fatalf("%v: %s", err, d.JSON())
	}
	return p
}

// member is a trust policy of a member role, and the hub's roles it is for.
type member struct {
	name     string
	hubRoles []string
	document grants.Document
}

func members(w grants.World) []member {
	return []member{
		{deployment.ReaderRole, []string{deployment.GuardRole, deployment.SweepRole}, grants.ReaderTrust(w)},
		{deployment.RemediatorRole, []string{deployment.GuardRole}, grants.RemediatorTrust(w)},
		{deployment.CanaryWriterRole, []string{deployment.CanaryRole}, grants.CanaryWriterTrust(w)},
	}
}

// inOrg tells of one account's organization.
type inOrg string

func (o inOrg) OrganizationOf(string) (string, bool) { return string(o), true }

// T72: whoever is not one of the roles of the hub that it is for, under the right names, from the
// organization and with the external id, is refused. Every combination is
// tried.
func TestOnlyTheHubsRoleUnderTheRightNamesIsLetIn(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		for _, m := range members(w) {
			document := parsed(t, m.document)
			tried, let := 0, 0
			for _, a := range attempts(w) {
				want := access.Denied
				if a.may(w, m.hubRoles) {
					want = access.Allowed
				}
				r := a.request(w)
				if got := access.Evaluate(document, r); got.Decision != want {
					t.Errorf("%s of %s, %+v: %s, want %s: %s", m.name, world, a, got.Decision, want, got.Reason)
				}
				// Opening the session asks for everything by itself, so that nothing
				// hangs on what AWS shows to the second action.
				r.Actions = []string{"sts:AssumeRole"}
				if got := access.Evaluate(document, r); a.carries == "" && got.Decision != want {
					t.Errorf("%s of %s, %+v, sts:AssumeRole alone: %s, want %s: %s", m.name, world, a, got.Decision, want, got.Reason)
				}
				tried++
				if want == access.Allowed {
					let++
				}
			}
			if let == 0 || let > tried/100 {
				t.Errorf("%s of %s: %d of %d attempts are let in", m.name, world, let, tried)
			}
		}
	}
}

// Of what AWS shows to the second action that a session with a source identity
// takes, the source identity alone is documented. So it hangs on nothing else of
// the call: were there one statement for both, and AWS showed no external id to the
// second, rolewarden would be locked out of every account. Who may set one, and
// which, is asked for all the same.
func TestASessionDoesNotHangOnWhatTheSecondActionIsNotShown(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		for _, m := range members(w) {
			document := parsed(t, m.document)
			setting := func(a attempt) access.Decision {
				r := a.request(w)
				r.Actions = []string{"sts:SetSourceIdentity"}
				delete(r.Context, "sts:RoleSessionName")
				return access.Evaluate(document, r).Decision
			}
			for _, name := range m.hubRoles {
				if got := setting(attempt{caller: roleARN(w, hub, "rolewarden/"+name), source: "rolewarden-1"}); got != access.Allowed {
					t.Errorf("%s of %s: %s may not set its source identity: %s", m.name, world, name, got)
				}
			}
			hubs := roleARN(w, hub, "rolewarden/"+m.hubRoles[0])
			for _, a := range []attempt{
				{caller: hubs, source: "alice"},
				{caller: hubs},
				{caller: hubs + "2", source: "rolewarden-1"},
				{caller: strings.Replace(hubs, hub, dev, 1), source: "rolewarden-1"},
				{caller: "a service", source: "rolewarden-1"},
			} {
				if got := setting(a); got != access.Denied {
					t.Errorf("%s of %s: %+v may set a source identity: %s", m.name, world, a, got)
				}
			}
		}
	}
}

// attempt is one call of AssumeRole on a member role.
type attempt struct {
	caller, organization, external, session, source, carries string
}

// attempts are all that differ in one or more ways from what the hub does.
func attempts(w grants.World) []attempt {
	var out []attempt
	callers := []string{"a service"}
	for _, account := range []string{hub, prod, dev} {
		callers = append(callers, "arn:"+w.Partition+":iam::"+account+":root", "arn:"+w.Partition+":iam::"+account+":user/"+deployment.GuardRole)
		for _, name := range []string{
			"rolewarden/" + deployment.GuardRole, "rolewarden/" + deployment.CanaryRole, "rolewarden/" + deployment.NotifyRole, "rolewarden/" + deployment.SweepRole, deployment.GuardRole,
			"other/" + deployment.GuardRole, "rolewarden/" + deployment.GuardRole + "2", "rolewarden/Rolewarden-Guard-Fn", "Admin",
		} {
			callers = append(callers, roleARN(w, account, name))
		}
	}
	for _, caller := range callers {
		for _, organization := range []string{ourOrg, "o-stranger00", ""} {
			for _, external := range []string{shared, "Example-external-id", ""} {
				for _, session := range []string{"rw-1", "rw-", "rw", "x-rw-1", "RW-1"} {
					for _, source := range []string{"rolewarden-1", "alice", ""} {
						for _, carries := range []string{"", "sts:TagSession", "sts:SetContext"} {
							out = append(out, attempt{caller, organization, external, session, source, carries})
						}
					}
				}
			}
		}
	}
	return out
}

// may says it once more, in other words than the document.
func (a attempt) may(w grants.World, roles []string) bool {
	name, ours := strings.CutPrefix(a.caller, "arn:"+w.Partition+":iam::"+hub+":role/rolewarden/")
	return ours && slices.Contains(roles, name) &&
		(w.Organization == "" || a.organization == ourOrg) && a.external == shared &&
		strings.HasPrefix(a.session, "rw-") && strings.HasPrefix(a.source, "rolewarden-") && a.carries == ""
}

func (a attempt) request(w grants.World) access.Request {
	r := access.Request{Actions: []string{"sts:AssumeRole"}, Context: map[string]access.Value{"sts:RoleSessionName": access.One(a.session)}}
	switch name, isRole := strings.CutPrefix(a.caller, "arn:"+w.Partition+":iam::"); {
	case a.caller == "a service":
		r.Caller.Service = "lambda.amazonaws.com"
	case isRole && strings.Contains(name, ":role/"):
		account, path, _ := strings.Cut(name, ":role/")
		r.Caller = access.Caller{Issuer: a.caller, AWS: "arn:" + w.Partition + ":sts::" + account + ":assumed-role/" + path[strings.LastIndexByte(path, '/')+1:] + "/rolewarden-guard"}
	default:
		r.Caller.AWS = a.caller
	}
	if a.external != "" {
		r.Context["sts:ExternalId"] = access.One(a.external)
	}
	if a.source != "" {
		r.Context["sts:SourceIdentity"] = access.One(a.source)
		r.Actions = append(r.Actions, "sts:SetSourceIdentity")
	}
	if a.carries != "" {
		r.Actions = append(r.Actions, a.carries)
	}
	return r.Complete(inOrg(a.organization))
}

// T72: what the attempts above sample is proven for all requests there are: of
// those whom a member role lets in, nobody lacks any one of the things asked for.
func TestEveryDemandIsProvenForAllRequests(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		for _, m := range members(w) {
			var roles []string
			for _, name := range m.hubRoles {
				roles = append(roles, `"`+roleARN(w, hub, "rolewarden/"+name)+`"`)
			}
			demands := map[string]string{
				"the role":            `{"ArnEquals":{"aws:PrincipalArn":[` + strings.Join(roles, ",") + `]}}`,
				"the hub":             fmt.Sprintf(`{"StringEquals":{"aws:PrincipalAccount":%q}}`, hub),
				"the external id":     `{"StringEquals":{"sts:ExternalId":"` + shared + `"}}`,
				"the session name":    `{"StringLike":{"sts:RoleSessionName":"rw-*"}}`,
				"the source identity": `{"StringLike":{"sts:SourceIdentity":"rolewarden-*"}}`,
			}
			if w.Organization != "" {
				demands["the organization"] = `{"StringEquals":{"aws:PrincipalOrgID":"` + ourOrg + `"}}`
			}
			if a := lets(t, w, m.document, ""); a.Outcome != proof.Found {
				t.Errorf("%s of %s lets nobody in: %v", m.name, world, a)
			}
			for name, condition := range demands {
				if a := lets(t, w, m.document, condition); a.Outcome != proof.None {
					t.Errorf("%s of %s lets in without %s: %v", m.name, world, name, a)
				}
			}
			if a := lets(t, w, m.document, `{"StringEquals":{"sts:ExternalId":"another"}}`); a.Outcome != proof.Found {
				t.Errorf("%s of %s: the proof takes everybody away, whatever is asked: %v", m.name, world, a)
			}
		}
	}
}

// lets looks for somebody whom a document lets in, those taken away who meet a
// condition.
func lets(t testing.TB, w grants.World, d grants.Document, taken string) proof.Answer {
	t.Helper()
	p := parsed(t, d)
	if taken != "" {
		deny := parsedText(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":`+taken+`}]}`)
		p.Statements = append(p.Statements, deny.Statements...)
	}
	return proof.Compare(policy.Document{}, p, proof.World{
		Partition: w.Partition, RoleARN: roleARN(w, w.Account, "rolewarden/x"), Own: w.Account, OrganizationID: w.Organization,
		Members: []string{hub, prod}, Now: noon(),
	}).New
}

func parsedText(t testing.TB, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Nobody at all can assume the canary's target: proven, not tried.
func TestNobodyGetsIntoTheCanarysTarget(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		d := grants.CanaryTargetTrust(w)
		if a := lets(t, w, d, ""); a.Outcome != proof.None {
			t.Errorf("%s: %v", world, a)
		}
		if len(d.Statement) != 1 || d.Statement[0].Effect != "Allow" || !strings.HasPrefix(d.Statement[0].Sid, "Canary") {
			t.Errorf("%s: %s", world, d.JSON())
		}
	}
}

// T73: no trust policy names a role or a user, which IAM would bind to its
// unique id: making the hub's role anew would lock rolewarden out of every
// account.
func TestNoTrustPolicyIsBoundToAUniqueID(t *testing.T) {
	each(t, func(t *testing.T, w grants.World, d named) {
		for _, s := range d.document.Statement {
			text, err := json.Marshal(s.Principal)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), ":role/") || strings.Contains(string(text), ":user/") || strings.Contains(string(text), "AROA") {
				t.Errorf("%s names %s", s.Sid, text)
			}
		}
	})
}

// T73: rolewarden's own trust policies pass rolewarden's own rules, all of them
// switched on, without a finding of any severity but the one that is meant.
func TestOwnTrustPoliciesPassTheRules(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		file := rulesFile(t, w)
		for _, d := range all(w) {
			if d.kind != trust {
				continue
			}
			in := rules.Input{Org: file, Now: noon(), Role: roleIn(t, roleARN(w, w.Account, "rolewarden/"+d.name))}
			if strings.HasPrefix(d.name, "canary-target") {
				in.Role = roleIn(t, roleARN(w, w.Account, "rolewarden-canary/"+deployment.CanaryTarget))
			}
			r := rules.JudgeText(in, d.document.JSON())
			// That nobody can use it is what the canary's target is for.
			if strings.HasPrefix(d.name, "canary-target") {
				if len(r.Findings) != 1 || r.Findings[0].Rule != "no-effect" {
					t.Errorf("%s of %s: somebody may use it: %+v", d.name, world, r.Findings)
				}
				r.Findings = nil
			}
			if r.Verdict != finding.Compliant || len(r.Findings) > 0 {
				t.Errorf("%s of %s: %s %+v %q", d.name, world, r.Verdict, r.Findings, r.Reasons)
			}
		}
	}
}

// The rules do find what is wrong with weaker ones, so passing says something:
// without its conditions the same trust is found fault with.
func TestWeakerTrustPoliciesDoNotPass(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	d := grants.ReaderTrust(w)
	d.Statement[0].Principal = map[string]string{"AWS": "*"}
	d.Statement[0].Condition = nil
	r := rules.JudgeText(rules.Input{Org: rulesFile(t, w), Now: noon(), Role: roleIn(t, roleARN(w, prod, "rolewarden/x"))}, d.JSON())
	if r.Verdict != finding.Noncompliant {
		t.Errorf("%s %v", r.Verdict, r.Findings)
	}
}

func rulesFile(t testing.TB, w grants.World) *org.Rules {
	t.Helper()
	text := "version: 1\nmodes: {default: enforce}\n"
	// A rules file says its partition beside an organization only; one that has
	// none says nothing.
	if w.Organization != "" || w.Partition != "aws" {
		text += fmt.Sprintf("organization:\n  id: %s\n  partition: %s\n  complete: true\n  accounts:\n    - {id: %q, name: hub}\n    - {id: %q, name: prod}\n", ourOrg, w.Partition, hub, prod)
	}
	r, err := org.Parse("rules.yaml", []byte(text), noon())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func roleIn(t testing.TB, text string) role.Role {
	t.Helper()
	a, err := role.ParseARN(text)
	if err != nil {
		t.Fatal(err)
	}
	return role.Role{ARN: text, Partition: a.Partition, Account: a.Account, Path: a.Path, Name: a.Name}
}
