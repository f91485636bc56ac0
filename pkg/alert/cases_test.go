package alert_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

const (
	// secret is an external id; it must be in nothing that is told.
	secret  = "hunter2-external-id"
	before  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"` + secret + `"}}}]}`
	opened  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole"}]}`
	foreign = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":"sts:AssumeRole"}]}`
	orphan  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["AIDA3ZFZ4X6FO5HB76XYS","arn:aws:iam::111122223333:user/alice"]},"Action":"sts:AssumeRole"}]}`
	notprin = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"sts:AssumeRole"}]}`
)

func noon() time.Time { return time.Date(2026, 8, 11, 12, 0, 0, 0, time.UTC) }

func app(policy string) role.Role {
	return role.Role{
		Partition: "aws", Account: "111122223333", Name: "app", Path: "/team/", ARN: "arn:aws:iam::111122223333:role/team/app",
		ID: "AROAEXAMPLEAPP", TrustPolicy: policy,
	}
}

func change(kind trail.Kind, name string) *trail.Change {
	return &trail.Change{
		Kind: kind, EventID: "5e1b9f0c-0000-4000-8000-000000000001", EventName: name, Account: "111122223333", Partition: "aws",
		Region: "us-east-1", Time: noon().Add(-3 * time.Second), SourceIP: "198.51.100.7",
		UserAgent: "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io)",
		Actor: trail.Actor{
			Type: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/deploy/mallory", Account: "111122223333",
			Issuer: "arn:aws:iam::111122223333:role/deploy", SourceIdentity: "mallory@example.com",
		},
		RoleName: "app",
	}
}

// sent is a change that carries its document.
func sent(c *trail.Change, document string) *trail.Change {
	c.Document = document
	return c
}

func witness(account string) *access.Request {
	return &access.Request{
		Actions: []string{"sts:AssumeRole"}, Role: "arn:aws:iam::111122223333:role/team/app",
		Caller:  access.Caller{AWS: "arn:aws:iam::" + account + ":user/mallory"},
		Context: map[string]access.Value{"aws:PrincipalAccount": access.One(account), "sts:RoleSessionName": access.One("bob")},
	}
}

func finding1(rule string, s finding.Severity, account, message, fix string) finding.Finding {
	r := witness(account)
	return finding.Finding{
		Rule: rule, Severity: s, Where: "Statement[0]", Message: message, Fix: fix,
		Evidence: finding.Evidence{Kind: finding.Allowed, Request: r, Sentence: r.Sentence() + "."},
	}
}

func externalID() finding.Finding {
	return finding1("external-id", finding.High, "999999999999", "Account 999999999999 of the partner acme may assume the role without an external id.",
		`Add "Condition": {"StringEquals": {"sts:ExternalId": "..."}} with the value that acme gave you.`)
}

func decided(a decision.Action, reasons ...string) decision.Decision {
	return decision.Decision{ID: decision.ID("111122223333", "e1", "AROAEXAMPLEAPP"), Action: a, Reasons: reasons, Rules: []string{"external-id"}, At: noon()}
}

// typical are the alerts that people see most; their words are in testdata.
func typical() map[string]func() alert.Alert {
	return map[string]func() alert.Alert{
		"reverted": func() alert.Alert {
			return alert.Build(alert.Input{
				Now: noon(), Role: app(opened), Change: sent(change(trail.TrustUpdated, "UpdateAssumeRolePolicy"), opened), Before: before,
				Report:       finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{externalID()}},
				NewlyAllowed: witness("999999999999"),
				Decision:     decided(decision.Revert, "The rule external-id is broken, in mode enforce: the trust policy goes back to the last one known to be good."),
				Outcome:      decision.Outcome{Done: decision.Revert, Verified: true, Before: opened, After: before, Dropped: []string{"AIDA3ZFZ4X6FO5HB76XYS"}},
			})
		},
		"contained": func() alert.Alert {
			return alert.Build(alert.Input{
				Now: noon(), Role: app(opened), Change: sent(change(trail.TrustUpdated, "UpdateAssumeRolePolicy"), opened), Before: before,
				Report:   finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{externalID()}},
				Decision: decided(decision.Revert, "The rule external-id is broken, in mode enforce: the trust policy goes back to the last one known to be good."),
				Outcome: decision.Outcome{Done: decision.Revert, Verified: true, Before: opened, After: before, Contained: decision.Contained{
					Asked: true, Done: true, Verified: true, Before: "arn:aws:iam::111122223333:policy/team/Edge", After: "arn:aws:iam::aws:policy/AWSDenyAll",
				}},
			})
		},
		"quarantined": func() alert.Alert {
			f := finding1("external-account", finding.Critical, "555555555555", "Account 555555555555 is neither in the organization nor a listed partner.", "Name principals of the organization, or list the partner in the rules file.")
			return alert.Build(alert.Input{
				Now: noon(), Role: app(foreign), Change: sent(change(trail.RoleCreated, "CreateRole"), foreign),
				Report:   finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{f}},
				Decision: decided(decision.Quarantine, "The rule external-account is broken, in mode enforce: the role is new and has no past to go back to."),
				Outcome:  decision.Outcome{Done: decision.Quarantine, Verified: true, Before: foreign, After: "{}"},
			})
		},
		"told": func() alert.Alert {
			exempted := externalID()
			exempted.Exemption = "SEC-77"
			mfa := finding1("mfa", finding.Medium, "999999999999", "Users may assume the role without a second factor.", "Ask for aws:MultiFactorAuthPresent.")
			return alert.Build(alert.Input{
				Now: noon(), Role: app(opened), Change: change(trail.TrustUpdated, "UpdateAssumeRolePolicy"), Before: before,
				Report:       finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{exempted, mfa}},
				NewlyAllowed: witness("999999999999"), OpenID: "an-earlier-alert",
				Decision: decided(decision.Tell, "The rule mfa is broken, in mode observe: nothing is written."),
				Outcome:  decision.Outcome{Before: opened, After: opened},
			})
		},
		"held": func() alert.Alert {
			return alert.Build(alert.Input{
				Now: noon(), Role: app(opened), Change: change(trail.TrustUpdated, "UpdateAssumeRolePolicy"), Before: before,
				Report:       finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{externalID()}},
				NewlyAllowed: witness("999999999999"),
				Decision: decided(decision.Hold, "Organizations could not be asked whether account 999999999999 has joined.",
					"The rule external-id is broken, and nothing is written while that is in doubt. Mend the role as the findings say, or settle the doubt and let the role be judged again."),
				Outcome: decision.Outcome{Before: opened, After: opened},
			})
		},
		"undecided": func() alert.Alert {
			return alert.Build(alert.Input{
				Now: noon(), Role: app(notprin), Change: change(trail.TrustUpdated, "UpdateAssumeRolePolicy"), Before: opened,
				Report:   finding.Report{Verdict: finding.Undecided, Reasons: []string{"Statement[0].NotPrincipal: IAM documents it as not supported in trust policies, so what it allows is not settled."}},
				Decision: decided(decision.Tell, "What the trust policy allows could not be settled, so nothing is written."),
				Outcome:  decision.Outcome{Before: notprin, After: notprin},
			})
		},
		"unique-id": func() alert.Alert {
			return alert.Build(alert.Input{
				Now: noon(), Role: app(orphan), Before: orphan,
				Report: finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{{
					Rule: "unique-id-principal", Severity: finding.Medium, Where: "Statement[0].Principal.AWS[0]",
					Message: "AIDA3ZFZ4X6FO5HB76XYS stands for nobody: it was user bob, who was deleted.", Fix: "Take the entry out, or name who is meant now.",
					Evidence: finding.Evidence{Kind: finding.Fact, Principal: &finding.Principal{
						ID: "AIDA3ZFZ4X6FO5HB76XYS", ARN: "arn:aws:iam::111122223333:user/bob", DeletedBy: "arn:aws:iam::111122223333:user/alice",
						DeletedAt: noon().Add(-time.Hour), DeletedEvent: "e-delete", LivesAgainAs: "AIDAEXAMPLENEWBOB",
					}},
				}}},
				Decision: decided(decision.Tag, "The rule unique-id-principal is broken, in mode tag: the role is tagged and its trust policy stays."),
				Outcome:  decision.Outcome{Done: decision.Tag, Verified: true, Before: orphan, After: orphan},
			})
		},
		"pruned": func() alert.Alert {
			return alert.Build(alert.Input{
				Now: noon(), Role: app(orphan), Before: orphan,
				Report: finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{{
					Rule: "unique-id-principal", Severity: finding.Low, Where: "Statement[0].Principal.AWS[0]",
					Message: "AIDA3ZFZ4X6FO5HB76XYS: it was user bob, who was deleted.", Fix: "Take the entry out, or name who is meant now.",
					Evidence: finding.Evidence{Kind: finding.Fact, Principal: &finding.Principal{
						ID: "AIDA3ZFZ4X6FO5HB76XYS", ARN: "arn:aws:iam::111122223333:user/bob", Standing: finding.Orphan,
					}},
				}}},
				Decision: decided(decision.Prune, "The rule unique-id-principal is broken, in mode enforce, and pruning is on."),
				Outcome:  decision.Outcome{Done: decision.Prune, Verified: true, Before: orphan, After: before, Dropped: []string{"AIDA3ZFZ4X6FO5HB76XYS"}},
			})
		},
		"deleted-principal": func() alert.Alert {
			c := change(trail.UserDeleted, "DeleteUser")
			c.RoleName, c.UserName = "", "alice"
			return alert.BuildDeletion(alert.Deletion{
				Now: noon(), Change: *c, Trusting: []alert.Trusting{{Role: app(orphan), Places: []alert.Place{{Where: "Statement[0].Principal.AWS[1]", Hold: alert.ByPrincipal}}}}, LivesStill: "AIDAEXAMPLENEWALICE",
				Principal: finding.Principal{ID: "AIDAEXAMPLEALICE", ARN: "arn:aws:iam::111122223333:user/alice", DeletedBy: c.Actor.ARN, DeletedAt: c.Time, DeletedEvent: c.EventID},
			})
		},
		"lost-update": func() alert.Alert {
			c := change(trail.TrustUpdated, "UpdateAssumeRolePolicy")
			c.Document = before
			return alert.BuildLost(alert.Lost{
				Now: noon(), Role: app(foreign), Change: *c, Lost: before, Written: foreign, Before: opened, Decision: "wiudtzt6emzlqhjsfoey6eghnu",
				ReadAt: noon().Add(-3500 * time.Millisecond), WrittenAt: noon().Add(-2900 * time.Millisecond),
			})
		},
		"may-pass": func() alert.Alert {
			return alert.Build(alert.Input{
				Now: noon(), Role: app(orphan), Before: orphan,
				Report: finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{{
					Rule: "unique-id-principal", Severity: finding.Low, Where: "Statement[0].Principal.AWS[0]",
					Message: "AIDA3ZFZ4X6FO5HB76XYS: IAM shows the ID of user bob in the place of an ARN; that may pass.", Fix: "Wait for the second look.",
					Evidence: finding.Evidence{Kind: finding.Fact, Principal: &finding.Principal{
						ID: "AIDA3ZFZ4X6FO5HB76XYS", ARN: "arn:aws:iam::111122223333:user/bob", Standing: finding.Unconfirmed,
					}},
				}}},
				Decision: decided(decision.Tell, "Whether the users and roles that IAM shows by their IDs are gone is not settled, so nothing is written, not even a tag."),
				Outcome:  decision.Outcome{Before: orphan, After: orphan},
			})
		},
		"deleted-name": func() alert.Alert {
			c := change(trail.RoleDeleted, "DeleteRole")
			c.RoleName = "ci"
			return alert.BuildDeletion(alert.Deletion{
				Now: noon(), Change: *c, Next: "Pruning is off: rolewarden changes none of these roles.",
				Trusting: []alert.Trusting{
					{Role: app(opened), Places: []alert.Place{{Where: "Statement[0].Condition.ArnEquals.aws:PrincipalArn", Hold: alert.ByName}}},
					{Role: role.Role{Account: "444455556666", Name: "far", ARN: "arn:aws:iam::444455556666:role/far", ID: "AROAFAR"}, Places: []alert.Place{{}}},
				},
				Principal: finding.Principal{ID: "AROAEXAMPLECI", ARN: "arn:aws:iam::111122223333:role/ci", DeletedBy: c.Actor.ARN, DeletedAt: c.Time, DeletedEvent: c.EventID},
			})
		},
		"renamed": func() alert.Alert {
			c := change(trail.UserRenamed, "UpdateUser")
			c.RoleName, c.UserName, c.NewUserName = "", "alice", "alice.smith"
			return alert.BuildDeletion(alert.Deletion{
				Now: noon(), Change: *c, LivesStill: "AIDAEXAMPLENEWALICE",
				Trusting:  []alert.Trusting{{Role: app(opened), Places: []alert.Place{{Where: "Statement[0].Condition.ArnEquals.aws:PrincipalArn", Hold: alert.ByName}}}},
				Principal: finding.Principal{ID: "AIDAEXAMPLEALICE", ARN: "arn:aws:iam::111122223333:user/alice", DeletedBy: c.Actor.ARN, DeletedAt: c.Time, DeletedEvent: c.EventID, RenamedTo: "arn:aws:iam::111122223333:user/alice.smith"},
			})
		},
		"sweep": func() alert.Alert {
			f := alert.Told(app(opened), finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{externalID()}})
			return alert.BuildSummary(alert.Summary{
				Now: noon(), Sweep: "20260811T060000Z", RulesHash: "sha256:4711",
				Told: []string{
					"A sweep read 1,204 roles in 12 of 13 accounts: 1 shows what no event told, and 1 account could not be read.",
					"By rule: external-id 1.", "3 documents were sealed and may be reverted to from now on.",
				},
				Unknown: []string{"Account 777788889999 was not read: access denied."},
				Found:   []alert.Found{{Role: "arn:aws:iam::111122223333:role/team/app", Finding: f[0]}}, Omitted: 2,
			})
		},
		"quiet-sweep": func() alert.Alert {
			return alert.BuildSummary(alert.Summary{Now: noon(), Sweep: "20260811T060000Z", Account: "111122223333", Told: []string{"A sweep read 20 roles in 1 account: nothing is new."}})
		},
		"exemption-ends": func() alert.Alert {
			return alert.BuildReminder(reminder(noon().Add(36*time.Hour), 3))
		},
		"exemption-ended": func() alert.Alert {
			return alert.BuildReminder(reminder(noon().Add(-12*time.Hour), 0))
		},
		"resolved": func() alert.Alert {
			return alert.Build(alert.Input{
				Now: noon(), Role: app(before), Change: change(trail.TrustUpdated, "UpdateAssumeRolePolicy"), Before: opened, OpenID: "an-earlier-alert",
				Report:   finding.Report{Verdict: finding.Compliant},
				Decision: decided(decision.Clear, "The trust policy obeys every rule."),
				Outcome:  decision.Outcome{Done: decision.Clear, Verified: true, Before: before, After: before},
			})
		},
		"cannot-read": func() alert.Alert {
			return alert.BuildTrouble(alert.Trouble{
				Now: noon(), Account: "444455556666", Role: "444455556666/app", EventID: "e-9", Change: change(trail.TrustUpdated, "UpdateAssumeRolePolicy"),
				Problem:  "rolewarden may not read the role 444455556666/app, so the account is not covered: deploy the member stack there.",
				Decision: decided(decision.Tell, "The role could not be read."),
			})
		},
	}
}

func reminder(expires time.Time, days int) alert.Reminder {
	return alert.Reminder{
		Now: noon(), Role: "arn:aws:iam::111122223333:role/team/app", Rules: []string{"external-id", "mfa"}, Owner: "team-app@example.com",
		Reason: "acme moves to its own external id in the third quarter", Ticket: "SEC-77", Expires: expires, Days: days, Place: "rules.yaml:41:5",
	}
}

// Evidence of who is refused is told as that, also where the finding brings no
// sentence of its own.
func TestRefusedEvidenceIsNotToldAsAllowed(t *testing.T) {
	f := externalID()
	f.Evidence.Kind, f.Evidence.Sentence = finding.Refused, ""
	a := alert.Build(alert.Input{Now: noon(), Role: app(opened), Report: finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{f}}})
	if s := a.Findings[0].Evidence.Sentence; strings.Contains(s, " may call ") || !strings.Contains(s, " is refused ") {
		t.Errorf("the evidence says: %s", s)
	}
}
