package rules

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// statementsOf gives the statements of a rule's own cases.
func statementsOf(t *testing.T, id string) (pool []policy.Statement, in Input) {
	t.Helper()
	_, cases := readCases(t, fileOf(id, ".txtar"))
	for i, c := range cases {
		caseIn, text := c.input(t)
		if i == 0 {
			in = caseIn
		}
		if d, err := policy.Parse([]byte(text)); err == nil {
			pool = append(pool, d.Statements...)
		}
	}
	return pool, in
}

// tellsOf says whether a report has a breach of a rule, or leaves it open.
func tellsOf(r finding.Report, rule string) bool {
	return slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.Rule == rule && breaks(f) }) ||
		slices.ContainsFunc(r.Reasons, func(s string) bool { return strings.Contains(s, rule) })
}

// sourced are calls of services as AWS documents them, on behalf of an account
// and an organization that nobody named.
func sourced() []access.Request {
	var out []access.Request
	for _, service := range []string{"states.amazonaws.com", "scheduler.amazonaws.com", "logs.amazonaws.com", "datazone.amazonaws.com", "textract.amazonaws.com", "events.amazonaws.com"} {
		for _, account := range []string{"666666666666", "000000000001", "998877665544"} {
			for _, organization := range []string{"", "o-zzzzzzzzzz"} {
				known := assumerOf(service)
				r := access.Request{Actions: []string{assume}, Role: "arn:aws:iam::111122223333:role/app", Caller: access.Caller{Service: service}, Context: map[string]access.Value{
					sessionNameKey: access.One("job-1"), "aws:SecureTransport": access.One("true"), "aws:CurrentTime": access.One("2026-06-01T12:00:00Z"),
					"aws:ResourceAccount": access.One("111122223333"), "aws:ResourceOrgID": access.One("o-exampleorgid"),
				}}
				if known.sends.account() {
					r.Context[sourceAccountKey] = access.One(account)
				}
				if known.sends.arn() {
					r.Context[sourceARNKey] = access.One("arn:aws:" + known.name + ":eu-west-1:" + account + ":stateMachine:orders")
				}
				if organization != "" {
					r.Context[sourceOrgIDKey] = access.One(organization)
				}
				out = append(out, r)
			}
		}
	}
	return out
}

// What one concrete call of a service shows, the rule finds: calls are tried one
// by one, by the evaluator that shares nothing with proof, against documents
// drawn from the cases.
func TestNoForeignSourceSlipsThrough(t *testing.T) {
	pool, in := statementsOf(t, serviceConfusedDeputyID)
	requests, caught := sourced(), 0
	rapid.Check(t, func(t *rapid.T) {
		in.Document = policy.Document{Version: "2012-10-17", Statements: rapid.SliceOfN(rapid.SampledFrom(pool), 1, 3).Draw(t, "statements")}
		report := Judge(in)
		for _, r := range requests {
			if access.Evaluate(in.Document, r.Complete(members{})).Decision != access.Allowed {
				continue
			}
			caught++
			if !tellsOf(report, serviceConfusedDeputyID) {
				t.Fatalf("silent of %s\n%s\n%s", r.Sentence(), in.Document.Print(), lines(report, ""))
			}
		}
	})
	if caught == 0 {
		t.Error("no call got in, so nothing was tried")
	}
}

// And the same of users without MFA: with a long-term key, or with a session in
// which it is false.
func TestNoUserWithoutMFASlipsThrough(t *testing.T) {
	pool, in := statementsOf(t, mfaID)
	caught := 0
	rapid.Check(t, func(t *rapid.T) {
		in.Document = policy.Document{Version: "2012-10-17", Statements: rapid.SliceOfN(rapid.SampledFrom(pool), 1, 3).Draw(t, "statements")}
		report := Judge(in)
		for _, who := range []someone{user("222222222222", "alice"), user("222222222222", "bob"), user("111122223333", "alice")} {
			for _, present := range []string{"", "false"} {
				r := access.Request{Actions: []string{assume}, Role: "arn:aws:iam::111122223333:role/app", Caller: who.caller, Context: map[string]access.Value{
					sessionNameKey: access.One(who.user), "aws:SecureTransport": access.One("true"), "aws:CurrentTime": access.One("2026-06-01T12:00:00Z"),
				}}
				if present != "" {
					r.Context[mfaKey] = access.One(present)
				}
				if access.Evaluate(in.Document, r.Complete(members{})).Decision != access.Allowed {
					continue
				}
				caught++
				if !tellsOf(report, mfaID) {
					t.Fatalf("silent of %s\n%s\n%s", r.Sentence(), in.Document.Print(), lines(report, ""))
				}
			}
		}
	})
	if caught == 0 {
		t.Error("nobody got in, so nothing was tried")
	}
}

// T41: doubt is no hiding place for these rules either. A breach stays one
// beside every unsettled Allow, and no doubtful Deny makes a document clean.
func TestDoubtHidesNoSourceAndNoMissingMFA(t *testing.T) {
	for _, id := range []string{serviceConfusedDeputyID, mfaID} {
		_, cases := readCases(t, fileOf(id, ".txtar"))
		for _, c := range cases {
			if c.kind() != "flag" {
				continue
			}
			in, text := c.input(t)
			for name, doubt := range unsettled() {
				doubtful := parsed(t, `{"Version":"2012-10-17","Statement":[`+doubt+`]}`).Statements[0]
				in.Document = with(parsed(t, text), doubtful)
				if r := Judge(in); !slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.Rule == id && breaks(f) }) {
					t.Errorf("%s beside %s: %s", name, c.name, lines(r, ""))
				}
				doubtful.Effect = policy.Deny
				in.Document = with(parsed(t, text), doubtful)
				if r := Judge(in); !tellsOf(r, id) {
					t.Errorf("%s as a Deny beside %s: %s", name, c.name, lines(r, ""))
				}
			}
		}
	}
}
