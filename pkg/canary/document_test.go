package canary_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab/judge"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

func at() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 123e6, time.UTC) }

// documents are what the target may show when nobody touched it.
func documents() map[string]string {
	return map[string]string{
		"written by the canary":    canary.Document("aws", prod, at()),
		"made by the member stack": grants.CanaryTargetTrust(grants.World{Partition: "aws", Account: prod}).JSON(),
	}
}

// Nobody gets in by the canary's role: proven for every caller, and tried with
// the lab's own judge.
func TestTheCanarysRoleLetsNobodyIn(t *testing.T) {
	world := proof.World{RoleARN: target(prod, at()).ARN, Own: prod, OrganizationID: "o-exampleorgid", Members: []string{prod, dev}}
	everyone := []proof.Callers{
		{Kind: proof.Users}, {Kind: proof.RoleSessions}, {Kind: proof.Services}, {Kind: proof.SAMLIdentities}, {Kind: proof.OIDCIdentities},
	}
	for name, text := range documents() {
		t.Run(name, func(t *testing.T) {
			d, err := policy.Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, action := range []string{"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"} {
				if a := proof.Find(d, proof.Query{World: world, Callers: everyone, Actions: []string{action}}); a.Outcome != proof.None {
					t.Errorf("%s: outcome %d, witness %v, undecided %q", action, a.Outcome, a.Witness, a.Undecided)
				}
			}
			if a := proof.Compare(policy.Document{}, d, world).New; a.Outcome != proof.None {
				t.Errorf("it lets in more than a policy without statements: %v", a.Witness)
			}
			p, err := judge.Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, session := range []string{"rolewarden", "rw-canary", "alice"} {
				ctx := judge.NewContext()
				ctx.Set("sts:RoleSessionName", session)
				got := p.Trust(judge.Request{Action: "sts:AssumeRole", Context: ctx, Caller: judge.Caller{Kind: judge.User, Account: prod, ARN: "arn:aws:iam::" + prod + ":user/alice", Name: "alice"}})
				if got.Effect == judge.Allow {
					t.Errorf("the lab lets session %s in", session)
				}
			}
		})
	}
}

// rolewarden's own role passes rolewarden's own rules, all of them enforced;
// else every run of the canary would raise an alert.
func TestTheCanarysRoleObeysEveryRule(t *testing.T) {
	text := "version: 1\norganization: {id: o-exampleorgid, management: \"444455556666\", complete: true, accounts: [{id: \"111122223333\", name: prod}, {id: \"444455556666\", name: hub}]}\nmodes: {default: enforce}\nrules:\n  session-policy: {roles: [\"arn:aws:iam::*:role/*\"]}\n"
	file, err := org.Parse("rules.yaml", []byte(text), at())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range documents() {
		t.Run(name, func(t *testing.T) {
			r := target(prod, at())
			r.TrustPolicy = text
			report := rules.JudgeText(rules.Input{Role: r, Org: file, Now: at()}, text)
			// That nobody can use its one statement is what the canary's role is for.
			meant := func(f finding.Finding) bool { return f.Rule == "no-effect" && f.Severity == finding.Advice }
			if report.Verdict != finding.Compliant || len(report.Reasons) != 0 || len(report.Findings) != 1 || !meant(report.Findings[0]) {
				t.Errorf("verdict %s, findings %v, reasons %v", report.Verdict, report.Findings, report.Reasons)
			}
		})
	}
}

// IAM takes the document: small, and with a Sid of letters and digits.
func TestTheDocumentCanBeSaved(t *testing.T) {
	text := canary.Document("aws-us-gov", prod, at())
	if len(text) > 2048 {
		t.Errorf("%d characters", len(text))
	}
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if sid := d.Statements[0].Sid; sid != "Canary20261121T090000123Z" || !regexp.MustCompile(`^[A-Za-z0-9]+$`).MatchString(sid) {
		t.Errorf("the Sid is %q", sid)
	}
	if !strings.Contains(text, "arn:aws-us-gov:iam::"+prod+":root") {
		t.Errorf("the principal is not in the partition: %s", text)
	}
}

// rewritings are what IAM may make of a document that it stores.
func rewritings(text string) map[string]string {
	pretty := strings.NewReplacer(`{`, "{\n  ", `,"`, ",\n  \"").Replace(text)
	return map[string]string{
		"as written":                text,
		"indented":                  pretty,
		"the account as its id":     strings.Replace(text, `"arn:aws:iam::`+prod+`:root"`, `"`+prod+`"`, 1),
		"single values as lists":    strings.Replace(text, `"sts:AssumeRole"`, `["sts:AssumeRole"]`, 1),
		"names of keys in capitals": strings.ReplaceAll(text, "sts:RoleSessionName", "sts:rolesessionname"),
	}
}

// What IAM makes of the document is still the canary's, and the same to the
// ledger: else every account would be missed.
func TestTheDocumentIsKnownInEverySpellingOfIAM(t *testing.T) {
	for name, text := range rewritings(canary.Document("aws", prod, at())) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, prod)
			w.run()
			w.members[prod].target.TrustPolicy = strings.Replace(text, sidAt(at()), sidAt(w.now), 1)
			if a := is(t, w.run(), prod, canary.Reached); a.Took != 3*time.Second {
				t.Errorf("it took %s", a.Took)
			}
		})
	}
}

// Whatever is not the canary's own document is somebody's change: a document
// that lets somebody in must not pass for one that the canary wrote.
func TestWhatTheCanaryDidNotWriteIsNotItsOwn(t *testing.T) {
	own := canary.Document("aws", prod, at())
	for name, text := range map[string]string{
		"another principal":     strings.Replace(own, prod+":root", "999999999999:root", 1),
		"a user":                strings.Replace(own, prod+":root", prod+":user/mallory", 1),
		"one condition":         strings.Replace(own, `,"StringNotEquals":{"sts:RoleSessionName":"rolewarden"}`, "", 1),
		"another value":         strings.Replace(own, `"StringNotEquals":{"sts:RoleSessionName":"rolewarden"}`, `"StringNotEquals":{"sts:RoleSessionName":"x"}`, 1),
		"another action":        strings.Replace(own, `"sts:AssumeRole"`, `"sts:*"`, 1),
		"a second statement":    strings.Replace(own, `"Statement":[`, `"Statement":[{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"sts:AssumeRole"},`, 1),
		"a statement as itself": strings.Replace(own, `"Effect":"Allow"`, `"Effect":"Deny"`, 1),
		"another Sid":           strings.Replace(own, sidAt(at()), "Mallory", 1),
		"no time":               strings.Replace(own, sidAt(at()), "Canary", 1),
		"no such time":          strings.Replace(own, sidAt(at()), "Canary20261331T090000123Z", 1),
		"a time without ms":     strings.Replace(own, sidAt(at()), "Canary20261121T090000Z", 1),
		"a time with more":      strings.Replace(own, sidAt(at()), "Canary20261121T0900001234Z", 1),
		"a time ahead":          strings.Replace(own, sidAt(at()), "Canary20261201T090000123Z", 1),
		"an Id":                 strings.Replace(own, `{`, `{"Id":"x",`, 1),
		"no policy":             "{}",
		"nothing":               "",
	} {
		t.Run(name, func(t *testing.T) {
			if text == own {
				t.Fatal("the case changes nothing")
			}
			w := newWorld(t, prod)
			w.run()
			w.members[prod].target.TrustPolicy = text
			r := w.run()
			if a := is(t, r, prod, canary.Missed); !strings.Contains(a.Why, "somebody changed") {
				t.Errorf("it says %q", a.Why)
			}
			if got := w.members[prod].target.TrustPolicy; got != canary.Document("aws", prod, w.now) {
				t.Errorf("the target was not put back: %s", got)
			}
		})
	}
}

// The target of a role that only bears the name is never written.
func TestAnotherRoleOfTheNameIsNeverWritten(t *testing.T) {
	for name, r := range map[string]func(*role.Role){
		"another path":    func(r *role.Role) { r.Path, r.ARN = "/", "arn:aws:iam::"+prod+":role/rolewarden-canary-target" },
		"another case":    func(r *role.Role) { r.Name = "Rolewarden-Canary-Target" },
		"another account": func(r *role.Role) { r.Account = dev },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, prod)
			r(&w.members[prod].target)
			is(t, w.run(), prod, canary.Unreachable)
			if w.members[prod].writes != 0 {
				t.Error("it was written")
			}
			if len(w.told) != 1 {
				t.Errorf("%d alerts", len(w.told))
			}
		})
	}
}
