package alert_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// told is all that ever leaves of an alert in this room.
func told(a alert.Alert) map[string]string {
	out := map[string]string{"json": string(a.JSON()), "text": a.Text(), "subject": a.Subject()}
	for name, v := range a.Attributes() {
		out["attribute "+name] = v.String + strings.Join(v.StringArray, ",")
	}
	return out
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(alert.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("alert.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("alert.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Every alert that can be built is what the published schema says, reads back
// as it was, and fits into an SNS message together with its text.
func TestAlertsKeepTheSchema(t *testing.T) {
	s := compiled(t)
	check := func(t interface{ Fatalf(string, ...any) }, a alert.Alert) {
		text := a.JSON()
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if err := s.Validate(doc); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		back, err := alert.Parse(text)
		if err != nil {
			t.Fatalf("Parse: %v", err)
		}
		if !bytes.Equal(back.JSON(), text) {
			t.Fatalf("reads back as\n%s\nand was\n%s", back.JSON(), text)
		}
		// What is kept and told later is told as it would have been at once (I7).
		if diff := cmp.Diff(told(a), told(back)); diff != "" {
			t.Fatalf("read back, it is told otherwise (-at once +later):\n%s", diff)
		}
		if bytes.ContainsAny(text, "\n\r") {
			t.Fatalf("more than one line: %q", text)
		}
		both, err := json.Marshal(map[string]string{"default": string(text), "email": a.Text()})
		if err != nil || len(both) > 250_000 && !bytes.Contains(both, []byte(`\u003c`)) {
			t.Fatalf("%d bytes, %v", len(both), err)
		}
	}
	for name, build := range typical() {
		t.Run(name, func(t *testing.T) { check(t, build()) })
	}
	rapid.Check(t, func(t *rapid.T) { check(t, alert.Build(inputs("canary-77").Draw(t, "input"))) })
}

// T80: an external id, wherever the policies and requests hold it and whoever
// quotes it, is in nothing that is told.
func TestNoSecretIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SampledFrom([]string{"canary-external-id", `ca"na\ry<&>77`, "canary\u202e\ncanary", "kanarienvogel-größe"}).Draw(t, "secret")
		a := alert.Build(inputs(value).Draw(t, "input"))
		for where, text := range told(a) {
			for _, leak := range []string{value, "canary", "kanarienvogel", `ca\"na`, `ca"na`, `ca\\\"na`} {
				if strings.Contains(text, leak) {
					t.Fatalf("%s shows %q: %s", where, leak, text)
				}
			}
		}
	})
	for name, build := range typical() {
		for where, text := range told(build()) {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %s shows the external id", name, where)
			}
		}
	}
}

// An external id that is too short to be looked for in running text is masked
// where it stands all the same: in the diff, the witness and the sentences.
func TestShortSecretsAreMaskedInTheirPlace(t *testing.T) {
	const short = "Q7z"
	r := witness("999999999999")
	r.Context["sts:ExternalId"] = access.One(short)
	a := alert.Build(alert.Input{
		Now: noon(), Role: app(strings.ReplaceAll(before, secret, short)), Change: change(trail.TrustUpdated, "UpdateAssumeRolePolicy"), NewlyAllowed: r,
		Report: finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{{Rule: "external-id", Evidence: finding.Evidence{Kind: finding.Allowed, Request: r}}}},
	})
	for where, text := range told(a) {
		if strings.Contains(text, short) {
			t.Errorf("%s shows the external id: %s", where, text)
		}
	}
	if a.Findings[0].Evidence.Request == nil || !strings.Contains(a.Findings[0].Evidence.Sentence, "sts:ExternalId = ***") {
		t.Errorf("%+v", a.Findings[0].Evidence)
	}
}

// An external id that looks like a variable, or stands beside one, is a secret
// like others; AWS's own variables are none, since people have to read of them.
func TestSecretsWithVariablesAreMasked(t *testing.T) { // T80
	const leak = "8273645190"
	for _, value := range []string{
		"${" + leak + "}", leak + "${aws:username}", "${aws:username}" + leak, "${aws:PrincipalTag/team, '" + leak + "'}", "x${" + leak + ", 'y'}",
		leak + "${*}", "${", "${" + leak, "${x:" + leak + "}", "a${" + leak + "}b${aws:username}" + leak + "c",
	} {
		say := "Whether " + leak + " is in the request, as " + value + " asks, is not settled; use ${aws:username}."
		a := alert.Build(alert.Input{
			Now: noon(), Role: app(strings.ReplaceAll(before, secret, value)),
			Report:   finding.Report{Verdict: finding.Undecided, Reasons: []string{say}},
			Decision: decided(decision.Tell, say),
		})
		for where, text := range told(a) {
			if strings.Contains(text, leak) && strings.Contains(value, leak) {
				t.Errorf("%s: %s shows the external id: %s", value, where, text)
			}
			if where == "text" && !strings.Contains(text, "use ${aws:username}.") {
				t.Errorf("%s hides a variable: %s", value, text)
			}
		}
	}
	a := alert.Build(alert.Input{
		Now: noon(), Role: app(strings.ReplaceAll(before, secret, "external-${aws:username}")),
		Report: finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{externalID()}},
	})
	if !strings.Contains(a.Text(), "[high] external-id") {
		t.Errorf("a word is hidden: %s", a.Text())
	}
}

// An account id that is used as an external id is masked in its place, and the
// account can still be named: it is no secret.
func TestAnAccountIDAsExternalIDDoesNotHideAccounts(t *testing.T) {
	in := alert.Input{
		Now: noon(), Role: app(strings.ReplaceAll(before, secret, "999999999999")), Change: change(trail.TrustUpdated, "UpdateAssumeRolePolicy"),
		Report: finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{externalID()}},
	}
	a := alert.Build(in)
	if !strings.Contains(a.Text(), "Account 999999999999 of the partner") {
		t.Errorf("the account is hidden:\n%s", a.Text())
	}
	if !strings.Contains(a.Change.Diff, `"sts:ExternalId": "***"`) {
		t.Errorf("the condition is not masked:\n%s", a.Change.Diff)
	}
}

// T78: SNS takes every subject, and nothing in it is anybody's choice.
func TestSubjectIsAlwaysTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.String()
		a := alert.Alert{
			ID: any.Draw(t, "id"), Account: rapid.OneOf(any, rapid.Just("111122223333")).Draw(t, "account"), State: alert.State(rapid.IntRange(0, 3).Draw(t, "state")),
			Role: alert.Role{ARN: any.Draw(t, "arn")}, Verdict: any.Draw(t, "verdict"), Decision: alert.Decision{Action: any.Draw(t, "action")},
			Outcome: alert.Outcome{Done: rapid.SampledFrom([]string{"Revert", "Quarantine", "Prune", "Tag", "Ignore", "x"}).Draw(t, "done")},
		}
		s := a.Subject()
		if len(s) == 0 || len(s) >= 100 || !strings.HasPrefix(s, "rolewarden: ") {
			t.Fatalf("%q has %d bytes", s, len(s))
		}
		for _, r := range s {
			if r < ' ' || r > '~' {
				t.Fatalf("%q holds %U", s, r)
			}
		}
	})
}

// T79: no text of an alert can make a line of its own, act on a terminal or
// show in another order than it is read.
func TestNothingToldCanAct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := alert.Build(inputs("canary-77").Draw(t, "input"))
		for where, text := range told(a) {
			for _, r := range text {
				if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
					t.Fatalf("%s holds %U", where, r)
				}
			}
		}
		for _, line := range strings.Split(a.Text(), "\n") {
			if strings.HasPrefix(line, "Bcc:") {
				t.Fatalf("a forged line: %q", line)
			}
		}
	})
}

// A handling that is repeated has the same alert; another decision has another.
func TestIDsFollowFromTheDecision(t *testing.T) {
	build := typical()["reverted"]
	if a, b := build(), build(); a.ID != b.ID || a.Fingerprint != b.Fingerprint {
		t.Errorf("%s and %s", a.ID, b.ID)
	}
	in := alert.Input{Now: noon(), Role: app(opened), Report: finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{externalID()}}, Decision: decided(decision.Tell)}
	first := alert.Build(in)
	in.Decision.ID = "another"
	if alert.Build(in).ID == first.ID {
		t.Error("two decisions share an alert")
	}
	if alert.Build(in).Fingerprint != first.Fingerprint {
		t.Error("the same findings have two fingerprints")
	}
	in.OpenID = first.ID
	if next := alert.Build(in); next.ID != first.ID || next.State != alert.Updated {
		t.Errorf("the thread broke: %s %s", next.ID, next.State)
	}
	in.Report = finding.Report{Verdict: finding.Compliant}
	if next := alert.Build(in); next.ID != first.ID || next.State != alert.Resolved {
		t.Errorf("the thread does not end: %s %s", next.ID, next.State)
	}
}

// A role that obeys the rules is told as resolved, advice or not; one that a
// report calls compliant against its own findings is not.
func TestAdviceDoesNotKeepAnAlertOpen(t *testing.T) {
	advice, worse := externalID(), externalID()
	advice.Severity, worse.Severity = finding.Advice, finding.Low
	in := alert.Input{Now: noon(), Role: app(opened), OpenID: "x", Report: finding.Report{Verdict: finding.Compliant, Findings: []finding.Finding{advice}}}
	if a := alert.Build(in); a.State != alert.Resolved || a.Severity() != "advice" {
		t.Errorf("%s, %s", a.State, a.Severity())
	}
	in.Report.Findings = append(in.Report.Findings, worse)
	if a := alert.Build(in); a.State != alert.Updated {
		t.Errorf("a report that contradicts itself: %s", a.State)
	}
	in.Report.Verdict, in.Report.Findings = finding.Noncompliant, []finding.Finding{advice}
	if a := alert.Build(in); a.State != alert.Updated {
		t.Errorf("a role that breaks a rule: %s", a.State)
	}
}

// Who is told that a role stands open learns in the first line that nothing was
// written, and why.
func TestHoldSaysWhyNothingWasWritten(t *testing.T) {
	in := alert.Input{
		Now: noon(), Role: app(opened), Report: finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{externalID()}},
		Decision: decided(decision.Hold, "The kill switch stops every write.", "More."),
	}
	first, _, _ := strings.Cut(alert.Build(in).Text(), "\n")
	if !strings.Contains(first, "nothing was written") || !strings.Contains(first, "The kill switch stops every write.") {
		t.Errorf("%s", first)
	}
	in.Outcome.Problem = "The writer's session was refused."
	a := alert.Build(in)
	first, rest, _ := strings.Cut(a.Text(), "\n")
	if !strings.Contains(first, "session was refused") || !strings.Contains(rest, "The kill switch") {
		t.Errorf("%s", a.Text())
	}
	in.Decision.Reasons, in.Outcome.Problem = nil, ""
	if text := alert.Build(in).Text(); !strings.Contains(text, "Nothing was written.") {
		t.Errorf("%s", text)
	}
}

// Doubt is never called resolved, and is as loud as a high finding.
func TestDoubtIsNotResolved(t *testing.T) {
	a := alert.Build(alert.Input{Now: noon(), Role: app(opened), OpenID: "x"})
	if a.State == alert.Resolved || a.Severity() != "high" {
		t.Errorf("%s, %s", a.State, a.Severity())
	}
}

// What has no room is counted: findings in JSON and text, lines of a diff.
func TestLongAlertsSayWhatIsMissing(t *testing.T) {
	in := alert.Input{Now: noon(), Role: app(opened), Change: change(trail.TrustUpdated, "UpdateAssumeRolePolicy"), Report: finding.Report{Verdict: finding.Noncompliant}}
	for i := range 200 {
		f := externalID()
		f.Rule, f.Message = fmt.Sprintf("rule-%03d", i), strings.Repeat("x", 1000)
		in.Report.Findings = append(in.Report.Findings, f)
	}
	var users []string
	for i := range 2000 {
		users = append(users, fmt.Sprintf(`"arn:aws:iam::111122223333:user/u%04d"`, i))
	}
	in.Role.TrustPolicy = strings.Replace(opened, `"arn:aws:iam::999999999999:root"`, "["+strings.Join(users, ",")+"]", 1)
	a := alert.Build(in)
	if a.Omitted == 0 || a.Omitted+len(a.Findings) != 200 {
		t.Errorf("%d findings and %d omitted of 200", len(a.Findings), a.Omitted)
	}
	if !strings.Contains(a.Text(), fmt.Sprintf("%d more findings", 190)) {
		t.Error("the text does not count what it leaves out")
	}
	if !strings.HasSuffix(a.Change.Diff, " more lines are not shown here]\n") {
		t.Errorf("the diff ends in %q", a.Change.Diff[len(a.Change.Diff)-80:])
	}
	if len(a.JSON()) > 81_000 || len(a.Text()) > 60_000 {
		t.Errorf("%d bytes of JSON, %d of text", len(a.JSON()), len(a.Text()))
	}
}

// Subscriptions filter by these names, and SNS takes no empty value.
func TestAttributes(t *testing.T) {
	got := typical()["told"]().Attributes()
	want := map[string]alert.Attribute{
		"rule": {StringArray: []string{"mfa"}}, "severity": {String: "medium"}, "account": {String: "111122223333"},
		"action": {String: "Tell"}, "state": {String: "updated"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, v := range (alert.Alert{}).Attributes() {
		if v.String == "" && len(v.StringArray) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
}

// A command that is told can be pasted: a name that could not be IAM's is not put into it.
func TestUndoNeverHoldsAForeignName(t *testing.T) {
	in := alert.Input{Now: noon(), Role: app(opened), Decision: decided(decision.Revert), Outcome: decision.Outcome{Done: decision.Revert}}
	in.Role.Name = "app; rm -rf ~"
	if undo := alert.Build(in).Undo; strings.Contains(undo, "rm -rf") || !strings.Contains(undo, "ROLE-NAME") {
		t.Errorf("%s", undo)
	}
}

// Readers refuse what is none of ours, or of another version.
func TestParseRefuses(t *testing.T) {
	for _, text := range []string{``, `null`, `[]`, `{}`, `{"version":2,"id":"a","decision":{"action":"Tell"}}`, `{"version":1,"decision":{"action":"Tell"}}`, `{"version":1,"id":"a"}`, `{"version":1,"id":"a","state":"gone","decision":{"action":"Tell"}}`} {
		if a, err := alert.Parse([]byte(text)); err == nil {
			t.Errorf("%s was read as %+v", text, a)
		}
	}
}

// An alert that nobody built can still be printed, and says what it can.
func TestJSONNeverFails(t *testing.T) {
	bad := "\xff"
	a := alert.Alert{Version: 1, ID: "a1", State: 9, Findings: []alert.Finding{{Rule: "mfa", Evidence: alert.Evidence{
		Kind: 99, Sentence: "s", Request: &access.Request{Context: map[string]access.Value{bad: access.One(bad)}},
	}}}, Decision: alert.Decision{Action: "Tell"}}
	back, err := alert.Parse(a.JSON())
	if err != nil || back.ID != "a1" || back.Findings[0].Rule != "mfa" {
		t.Errorf("%s: %v", a.JSON(), err)
	}
}

// Roles that trust a deleted principal are all named, over several accounts.
func TestDeletionNamesEveryRole(t *testing.T) {
	c := change(trail.RoleDeleted, "DeleteRole")
	d := alert.Deletion{Now: noon(), Change: *c, Principal: finding.Principal{ARN: "arn:aws:iam::111122223333:role/ci"}}
	for i, account := range []string{"111122223333", "444455556666"} {
		arn := fmt.Sprintf("arn:aws:iam::%s:role/r%d", account, i)
		d.Trusting = append(d.Trusting, alert.Trusting{
			Role: role.Role{Account: account, Name: fmt.Sprint("r", i), ARN: arn, TrustPolicy: before}, Places: []alert.Place{{Hold: alert.ByPrincipal}},
		})
	}
	a := alert.BuildDeletion(d)
	for _, r := range d.Trusting {
		if !strings.Contains(a.Text(), r.Role.ARN) {
			t.Errorf("%s is not named:\n%s", r.Role.ARN, a.Text())
		}
	}
	if a.Account != "111122223333" || len(a.Findings) != 2 || a.Severity() != "medium" {
		t.Errorf("%s, %d findings, %s", a.Account, len(a.Findings), a.Severity())
	}
	if empty := alert.BuildDeletion(alert.Deletion{Now: noon(), Change: *c}); empty.ID == "" || slices.Collect(maps.Keys(empty.Attributes())) == nil {
		t.Error("a deletion that concerns nobody cannot be told")
	}
}

// T14: an alert about what rolewarden cannot see does not read like one about a
// trust policy, of which it knows nothing.
func TestABlindSpotIsCalledOne(t *testing.T) {
	trouble := alert.Trouble{Now: time.Unix(1_800_000_000, 0), Problem: "the canary's change was not decided on"}
	for _, one := range []struct{ account, headline, subject string }{
		{"111122223333", "Changes of roles in account 111122223333 may go unseen", "changes of roles may go unseen in account 111122223333"},
		{"", "Changes of roles in several accounts may go unseen", "changes of roles may go unseen in several accounts"},
	} {
		trouble.Account = one.account
		a := alert.BuildTrouble(trouble)
		if !strings.HasPrefix(a.Headline(), one.headline) || !strings.Contains(a.Subject(), one.subject) {
			t.Errorf("%q: %q, %q", one.account, a.Headline(), a.Subject())
		}
	}
	trouble.EventID = "e"
	if a := alert.BuildTrouble(trouble); strings.Contains(a.Headline(), "unseen") {
		t.Errorf("an event that was seen is called unseen: %q", a.Headline())
	}
}
