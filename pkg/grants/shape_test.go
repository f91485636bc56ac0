package grants_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/grants"
)

// each runs a test on every document of every world.
func each(t *testing.T, test func(t *testing.T, w grants.World, d named)) {
	t.Parallel()
	for world, w := range worlds(t) {
		for _, d := range all(w) {
			t.Run(world+"/"+d.name, func(t *testing.T) { test(t, w, d) })
		}
	}
}

// IAM refuses a document in which two statements have one Sid, or one with
// other characters than letters and digits (IAM User Guide,
// reference_policies_elements_sid).
func TestEveryStatementHasASidOfItsOwn(t *testing.T) {
	legal := regexp.MustCompile(`^[A-Za-z0-9]+$`)
	each(t, func(t *testing.T, _ grants.World, d named) {
		seen := map[string]bool{}
		for _, s := range d.document.Statement {
			if seen[s.Sid] || !legal.MatchString(s.Sid) {
				t.Errorf("the Sid %q", s.Sid)
			}
			seen[s.Sid] = true
		}
	})
}

// A wildcard in an action would give what nobody has listed. Only a Deny of
// what comes in the clear speaks of all actions of a queue.
func TestNoActionHasAWildcard(t *testing.T) {
	legal := regexp.MustCompile(`^[a-z0-9]+:[A-Z][A-Za-z]+$`)
	each(t, func(t *testing.T, _ grants.World, d named) {
		for _, s := range d.document.Statement {
			for _, a := range append(s.Action, s.NotAction...) {
				if !legal.MatchString(a) && (a != "sqs:*" || s.Effect != "Deny") {
					t.Errorf("%s: the action %q", s.Sid, a)
				}
			}
			if s.Effect == "Allow" && len(s.NotAction) > 0 {
				t.Errorf("%s allows all but something", s.Sid)
			}
			if (len(s.Action) > 0) == (len(s.NotAction) > 0) {
				t.Errorf("%s has no actions, or both kinds", s.Sid)
			}
		}
	})
}

// wide lists the statements that allow something on every resource, and why
// each of them has to.
func wide() map[string]string {
	const key = "the resource of a key's policy is that key (AWS KMS Developer Guide, key-policy-overview)"
	return map[string]string{
		"sweep Account":             "as the guard's",
		"sweep Organization":        "these two list what is in one's own organization and take no resource to name (Service Authorization Reference, AWS Organizations)",
		"reader List":               "the list of an account's roles and users takes no resource to name (Service Authorization Reference, AWS Identity and Access Management)",
		"seal-key Seal":             key,
		"seal-key Check":            key,
		"guard Account":             "what ARN an account in no organization has is not documented, and the call tells of one's own organization only",
		"deployer NoNames":          "these calls have no resource to name (Service Authorization Reference)",
		"operator NoNames":          "a template that is no stack yet has no resource to name (Service Authorization Reference, AWS CloudFormation)",
		"data-key Administer":       key,
		"data-key ThroughServices":  key,
		"data-key GrantsOfServices": key,
		"data-key Rules":            key,
		"data-key Topics":           key,
		"doctor Lists":              "lists and descriptions of the account and the organization, which only read",
		"data-key Logs":             key,
		"seal-key Administer":       key,
		"person-undo Account":       "as the guard's",
		"person-preview Account":    "as the guard's",
		"person-sweep-account List": "as the reader's",
	}
}

func TestWhateverIsAllowedIsAllowedOnNamedResources(t *testing.T) {
	each(t, func(t *testing.T, _ grants.World, d named) {
		for _, s := range d.document.Statement {
			if d.kind == trust {
				if s.Resource != nil {
					t.Errorf("%s: a trust policy has no Resource", s.Sid)
				}
				continue
			}
			if len(s.Resource) == 0 {
				t.Errorf("%s has no resource", s.Sid)
			}
			for _, r := range s.Resource {
				if r == "*" && s.Effect == "Allow" && wide()[d.name+" "+s.Sid] == "" {
					t.Errorf("%s is allowed on everything, without a reason", s.Sid)
				}
			}
		}
	})
}

// Every reason in the list above has its statement.
func TestNoReasonOutlivesItsStatement(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for _, d := range all(commercial(t)) {
		for _, s := range d.document.Statement {
			if s.Effect == "Allow" && len(s.Resource) == 1 && s.Resource[0] == "*" {
				have[d.name+" "+s.Sid] = true
			}
		}
	}
	for statement := range wide() {
		if !have[statement] {
			t.Errorf("no statement %s is that wide", statement)
		}
	}
}

// T85: an ARN of another partition matches nothing, so a document with one
// would look right and let nobody in.
func TestEveryARNIsOfItsPartition(t *testing.T) {
	each(t, func(t *testing.T, w grants.World, d named) {
		for _, arn := range regexp.MustCompile(`"arn:[^"]*"`).FindAllString(d.document.JSON(), -1) {
			if !strings.HasPrefix(arn, `"arn:`+w.Partition+":") {
				t.Errorf("%s in partition %s", arn, w.Partition)
			}
		}
	})
}

// Without an organization no condition on one stands, which nobody would meet,
// and no pattern of one that is empty.
func TestWithoutAnOrganizationNothingAsksForOne(t *testing.T) {
	each(t, func(t *testing.T, w grants.World, d named) {
		text := d.document.JSON()
		if w.Organization == "" && (strings.Contains(text, "OrgID") || strings.Contains(text, "//")) {
			t.Error(text)
		}
	})
}

// Permissions are those of one purpose: Allow and Deny alone are effects, and
// nothing allows what has no caller to be named.
func TestEffectsAndPrincipalsAreInPlace(t *testing.T) {
	each(t, func(t *testing.T, _ grants.World, d named) {
		for _, s := range d.document.Statement {
			if s.Effect != "Allow" && s.Effect != "Deny" {
				t.Errorf("%s: the effect %q", s.Sid, s.Effect)
			}
			principals := d.kind == trust || d.kind == resource || d.name == "rcp"
			if (s.Principal != nil) != principals {
				t.Errorf("%s: the principal %v", s.Sid, s.Principal)
			}
		}
	})
}

// A document that is too long is refused when it is deployed, in the midst of
// a rollout. So each is measured as long as it can get.
func TestEveryDocumentFitsAWSsLimits(t *testing.T) {
	t.Parallel()
	limits := map[string]int{trust: grants.MaxTrust, identity: grants.MaxInline, resource: 20480, ofOrg: grants.MaxOrganization}
	longest := map[string]int{}
	for _, w := range worlds(t) {
		if w.Organization != "" {
			// The longest organization id (AWS Organizations API Reference,
			// API_Organization) and external id (STS API Reference, API_AssumeRole).
			w.Organization = "o-" + strings.Repeat("a", 32)
		}
		w.ExternalID = strings.Repeat("x", 1224)
		for i := range 60 {
			w.Protected = append(w.Protected, fmt.Sprintf("arn:%s:iam::*:role/some/longer/path/for/protected-roles-%03d-*", w.Partition, i))
			w.Partners = append(w.Partners, fmt.Sprintf("2222222222%02d", i))
		}
		for _, d := range all(w) {
			n := d.document.Size()
			if n > limits[d.kind] {
				t.Errorf("%s/%s has %d characters and may have %d", w.Partition, d.name, n, limits[d.kind])
			}
			longest[d.name] = max(longest[d.name], n)
		}
	}
	t.Logf("the longest, in characters: %v", longest)
}

// Organizations and SQS count white space too: there is none in the text.
func TestTheTextIsCompact(t *testing.T) {
	each(t, func(t *testing.T, _ grants.World, d named) {
		if strings.ContainsFunc(d.document.JSON(), unicode.IsSpace) {
			t.Error(d.document.JSON())
		}
	})
}

// T26: "<", ">" and "&" stay as they are; what was escaped would be another text.
func TestTextsAreNotEscaped(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	w.ExternalID = "a<b>&c"
	if got := grants.ReaderTrust(w).JSON(); !strings.Contains(got, `"sts:ExternalId":"a<b>&c"`) {
		t.Error(got)
	}
}

// Value and JSON are two forms of one document, and Value holds nothing but
// what the CDK takes: maps, lists and texts.
func TestBothFormsSayTheSame(t *testing.T) {
	each(t, func(t *testing.T, _ grants.World, d named) {
		var want any
		if err := json.Unmarshal([]byte(d.document.JSON()), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, any(d.document.Value())); diff != "" {
			t.Error(diff)
		}
	})
}

// A placeholder of the CDK passes through unharmed, wherever it stands.
func TestPlaceholdersPassThrough(t *testing.T) {
	t.Parallel()
	const account, secret, key = "${Token[AWS.AccountId.1]}", "${Token[TOKEN.22]}", "${Token[TOKEN.333]}"
	w := commercial(t)
	w.Account, w.ExternalID = account, secret
	for _, d := range []grants.Document{grants.ReaderTrust(w), grants.RemediatorTrust(w), grants.CanaryWriterTrust(w)} {
		if got := find(t, d, "Hub").Condition["StringEquals"]["sts:ExternalId"]; len(got) != 1 || got[0] != secret {
			t.Errorf("the external id is %q", got)
		}
	}
	if got := find(t, grants.Reader(w), "Read").Resource[0]; got != "arn:aws:iam::"+account+":role/*" {
		t.Errorf("the account is lost: %s", got)
	}
	r := resources(w, "guard")
	r.DataKey = key
	if got := find(t, grants.Function(w, "guard", r), "KeyOfQueues").Resource[0]; got != key {
		t.Errorf("the key is %q", got)
	}
}

// The documents are values of their own: whoever changes one changes no other,
// none of its other statements, and nothing of what it was made from.
func TestDocumentsShareNothing(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	seen := map[*string]string{}
	look := func(owner string, list []string) {
		for i := range list {
			if other, twice := seen[&list[i]]; twice {
				t.Errorf("%s and %s share a list: %q", owner, other, list)
			}
			seen[&list[i]] = owner
		}
	}
	look("the rules file", w.Protected)
	look("the rules file", w.Partners)
	for _, f := range functions() {
		r := resources(w, f)
		look("the queues", r.Consumes)
		look("the queues", r.Sends)
		for _, s := range grants.Function(w, f, r).Statement {
			look(f+" "+s.Sid, s.Resource)
		}
	}
	for _, d := range all(w) {
		for _, s := range d.document.Statement {
			owner := d.name + " " + s.Sid
			look(owner, s.Action)
			look(owner, s.NotAction)
			look(owner, s.Resource)
			for _, keys := range s.Condition {
				for _, values := range keys {
					look(owner, values)
				}
			}
		}
	}
}
