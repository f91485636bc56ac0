package rules

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

const hub = "token.actions.githubusercontent.com"

// workflows are tokens of GitHub's, as it makes them, of strangers to acme and
// of a repository of acme's that the policies below do not write out.
func workflows() (strangers, neighbours []access.Request) {
	token := func(owner, repository, context string, ids bool) access.Request {
		ownerID, repositoryID := map[string]string{"acme": "1", "mallory": "66", "acme-evil": "67", "Acme": "1"}[owner], "7"+owner
		sub := "repo:" + owner + "/" + repository + ":" + context
		if ids {
			sub = "repo:" + owner + "@" + ownerID + "/" + repository + "@" + repositoryID + ":" + context
		}
		environment, isEnvironment := strings.CutPrefix(context, "environment:")
		r := access.Request{
			Actions: []string{assumeOIDC}, Role: "arn:aws:iam::111122223333:role/app",
			Caller: access.Caller{Federated: "arn:aws:iam::111122223333:oidc-provider/" + hub},
			Context: map[string]access.Value{
				sessionNameKey: access.One("ci"), hub + ":aud": access.One("sts.amazonaws.com"), hub + ":sub": access.One(sub),
				hub + ":repository": access.One(owner + "/" + repository), hub + ":repository_id": access.One(repositoryID),
				hub + ":repository_owner_id": access.One(ownerID), hub + ":actor": access.One("alice"),
				hub + ":job_workflow_ref": access.One(owner + "/" + repository + "/.github/workflows/w.yml@refs/heads/main"),
			},
		}
		if isEnvironment {
			r.Context[hub+":environment"] = access.One(environment)
		}
		return r
	}
	for _, context := range []string{"ref:refs/heads/main", "pull_request", "environment:prod"} {
		for _, ids := range []bool{false, true} {
			for _, owner := range []string{"mallory", "acme-evil"} {
				strangers = append(strangers, token(owner, "app", context, ids), token(owner, "acme", context, ids))
			}
			neighbours = append(neighbours, token("acme", "other", context, ids), token("acme", "app-evil", context, ids))
		}
		for _, sub := range []string{"environment:prod", "repo:mallory/app", "run_attempt:1", "actor:alice:environment:prod"} {
			own := token("mallory", "app", context, false)
			own.Context[hub+":sub"] = access.One(sub)
			strangers = append(strangers, own)
		}
	}
	return strangers, neighbours
}

// claimCondition draws a condition as people write them.
func claimCondition(t *rapid.T) policy.Condition {
	values := map[string][]string{
		"sub": {
			"repo:acme/app:*", "repo:acme/app:ref:refs/heads/main", "repo:acme/*", "repo:acme*", "repo:*", "*", "repo:*/app:*", "*:ref:refs/heads/main",
			"repo:mallory/*", "repo:acme@1/app@7acme:*", "repo:acme@*/app@*:*", "repo:acme@1/*", "environment:prod", "environment:*", "repo:acme/app*", "repo:???*", "REPO:ACME/APP:*",
			"repo:m?llory/app", "run_attempt:?", "actor:*", "*:environment:prod", "environment:prod:repository_id:7acme", "${" + hub + ":sub, 'repo:acme/app:*'}", "repo:${" + hub + ":repository, '*'}:*",
		},
		"repository":          {"acme/app", "acme/*", "*/app", "mallory/app"},
		"repository_id":       {"7acme", "7*", "1"},
		"repository_owner_id": {"1", "6*", "66"},
		"actor":               {"alice"},
		"environment":         {"prod"},
		"job_workflow_ref":    {"acme/shared/.github/workflows/w.yml@*", "*@refs/heads/main"},
		"aud":                 {"sts.amazonaws.com", "*"},
	}
	claims := []string{"sub", "sub", "sub", "repository", "repository_id", "repository_owner_id", "actor", "environment", "job_workflow_ref", "aud"}
	claim := rapid.SampledFrom(claims).Draw(t, "claim")
	operators := []string{"StringLike", "StringLike", "StringEquals", "StringEqualsIgnoreCase", "StringNotLike", "StringNotEquals", "StringLikeIfExists", "StringEqualsIfExists", "ForAllValues:StringLike", "ForAnyValue:StringLike"}
	return policy.Condition{
		Operator: rapid.SampledFrom(operators).Draw(t, "operator"), Key: hub + ":" + claim,
		Values: rapid.SliceOfN(rapid.SampledFrom(values[claim]), 1, 2).Draw(t, "values"),
	}
}

// T43: no workflow of a stranger's, and none of a repository that is not written
// out, comes in without a word. Tokens as GitHub makes them are tried one by one
// against documents as people write them; what must be told is said here a second
// time, in plain code and without proof. Nor is a document flagged whose witness
// it does not let in.
func TestNoWorkflowSlipsThrough(t *testing.T) {
	strangers, neighbours := workflows()
	in := Input{Now: noon(), Role: roleOf(t, "arn:aws:iam::111122223333:role/app")}
	rapid.Check(t, func(t *rapid.T) {
		in.Document = policy.Document{Version: "2012-10-17"}
		for range rapid.IntRange(1, 2).Draw(t, "statements") {
			p, _ := policy.ParsePrincipal("Federated", "arn:aws:iam::111122223333:oidc-provider/"+hub)
			st := policy.Statement{Effect: rapid.SampledFrom([]policy.Effect{policy.Allow, policy.Allow, policy.Deny}).Draw(t, "effect"), Actions: []string{assumeOIDC}}
			st.Principal.List = []policy.Principal{p}
			for range rapid.IntRange(0, 3).Draw(t, "conditions") {
				c := claimCondition(t)
				if !has(st.Conditions, c.Operator, c.Key) {
					st.Conditions = append(st.Conditions, c)
				}
			}
			in.Document.Statements = append(in.Document.Statements, st)
		}
		report := Judge(in)
		for severity, requests := range map[finding.Severity][]access.Request{finding.Critical: strangers, finding.Medium: neighbours} {
			for _, r := range requests {
				if access.Evaluate(in.Document, r).Decision != access.Allowed || knownAs(in.Document, r) {
					continue
				}
				least := severity
				if writesWorkflow(in.Document) {
					least = finding.Medium
				}
				told := len(report.Reasons) > 0 || slices.ContainsFunc(report.Findings, func(f finding.Finding) bool {
					return f.Rule == webIdentitySubjectID && f.Severity >= least
				})
				if !told {
					t.Fatalf("silent of %s\n%s\n%s", r.Sentence(), in.Document.Print(), lines(report, ""))
				}
			}
		}
		for _, f := range report.Findings {
			if f.Evidence.Kind == finding.Allowed && access.Evaluate(in.Document, *f.Evidence.Request).Decision != access.Allowed {
				t.Fatalf("%s is not let in\n%s", f.Evidence.Sentence, in.Document.Print())
			}
		}
	})
}

// knownAs says whether a document writes the request's repository or owner out
// in one of the claims, whatever for.
func knownAs(d policy.Document, r access.Request) bool {
	for _, st := range d.Statements {
		for _, c := range st.Conditions {
			v, _ := r.Get(c.Key)
			for _, w := range c.Values {
				if strings.HasSuffix(c.Key, ":repository_id") && slices.Contains(v.Values, w) ||
					strings.HasSuffix(c.Key, ":repository_owner_id") && slices.Contains(v.Values, w) ||
					strings.HasSuffix(c.Key, ":repository") && len(v.Values) == 1 && (w == v.Values[0] || strings.HasPrefix(w, strings.SplitAfter(v.Values[0], "/")[0])) ||
					strings.HasSuffix(c.Key, ":sub") && strings.HasPrefix(w, "repo:mallory/") && strings.HasPrefix(v.Values[0], "repo:mallory/") {
					return true
				}
			}
		}
	}
	return false
}

func writesWorkflow(d policy.Document) bool {
	return slices.ContainsFunc(d.Statements, func(st policy.Statement) bool {
		return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool { return strings.HasSuffix(c.Key, ":job_workflow_ref") })
	})
}

// Whatever a mend of these rules proposes lets in nobody new, and where the slip
// is an operator or a missing audience one of its candidates ends the finding
// and still lets in who was meant.
func TestFederationMendsOnlyNarrow(t *testing.T) {
	mended := map[string]bool{}
	for _, id := range []string{webIdentitySubjectID, samlAudienceID} {
		rule, _ := Find(id)
		_, cases := readCases(t, fileOf(id, ".txtar"))
		for _, c := range cases {
			in, text := c.input(t)
			in.Document = parsed(t, text)
			in = in.settled()
			for _, f := range rule.Check(in).Findings {
				before := string(in.Document.Print())
				for _, candidate := range rule.Mend(in, f) {
					if got := proof.Compare(in.Document, candidate, World(in)); got.New.Outcome == proof.Found {
						t.Errorf("%s: a mend lets in %s", c.name, got.New.Witness.Sentence())
					}
					after := in
					after.Document = candidate
					still := slices.ContainsFunc(rule.Check(after).Findings, func(g finding.Finding) bool { return g.Message == f.Message })
					mended[id+"/"+c.name] = mended[id+"/"+c.name] || !still
				}
				if string(in.Document.Print()) != before {
					t.Fatalf("%s: the mend changed the document itself", c.name)
				}
			}
		}
	}
	for _, want := range []string{
		"web-identity-subject/flag-no-audience", "web-identity-subject/advise-for-all-values", "web-identity-subject/flag-for-all-values-repository",
		"web-identity-subject/flag-if-exists-repository", "web-identity-subject/flag-cognito-for-all-values", "web-identity-subject/advise-eks-audience",
		"saml-audience/flag-nothing", "saml-audience/flag-star", "saml-audience/flag-second-provider",
	} {
		if !mended[want] {
			t.Errorf("%s has no mend that ends it", want)
		}
	}
}

// A mend demands a provider's claims of nobody else: whom a statement names beside
// the provider has none of them and would be shut out.
func TestFederationMendsLeaveOthersAlone(t *testing.T) {
	for id, others := range map[string]string{
		webIdentitySubjectID: `"Federated": ["arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", "arn:aws:iam::111122223333:oidc-provider/gitlab.com"]`,
		samlAudienceID:       `"Federated": "arn:aws:iam::111122223333:saml-provider/corp", "AWS": "arn:aws:iam::111122223333:role/ci"`,
	} {
		text := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {` + others + `}, "Action": "sts:*", "Condition": {
			"StringLikeIfExists": {"SAML:aud": "https://*", "token.actions.githubusercontent.com:sub": "repo:acme/*", "gitlab.com:sub": "project_path:acme/*"}}}]}`
		in := Input{Now: noon(), Role: roleOf(t, "arn:aws:iam::111122223333:role/app"), Document: parsed(t, text)}.settled()
		rule, _ := Find(id)
		found := rule.Check(in).Findings
		if len(found) == 0 {
			t.Errorf("%s finds nothing to mend", id)
		}
		for _, f := range found {
			for _, candidate := range rule.Mend(in, f) {
				if lost := proof.Compare(in.Document, candidate, World(in)).Lost; lost.Outcome == proof.Found {
					t.Errorf("%s: a mend of a statement for several shuts out %s", id, lost.Witness.Sentence())
				}
			}
		}
	}
}
