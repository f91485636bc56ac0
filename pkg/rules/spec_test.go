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

// someone is a caller of the trial, with what the rules hold of them.
type someone struct {
	caller access.Caller
	// user is the user's name; empty for roles.
	user string
	// third says that they are a third party; stranger, that nobody listed
	// their account; excused, that their role may stand in for an external ID.
	third, stranger, excused bool
}

func user(account, name string) someone {
	return someone{caller: access.Caller{AWS: "arn:aws:iam::" + account + ":user/" + name, ID: "AIDAEXAMPLE" + strings.ToUpper(name) + "0001"}, user: name}
}

func session(account, role string) someone {
	return someone{caller: access.Caller{
		AWS: "arn:aws:sts::" + account + ":assumed-role/" + role + "/s1", Issuer: "arn:aws:iam::" + account + ":role/" + role,
		ID: "AROAEXAMPLE" + strings.ToUpper(role) + "0001:s1",
	}}
}

func (s someone) aThird() someone    { s.third = true; return s }
func (s someone) aStranger() someone { s.third, s.stranger = true, true; return s }

// crowd are the callers of the trial.
func crowd() []someone {
	excused := session("777788889999", "collector").aThird()
	excused.excused = true
	return []someone{
		user("111122223333", "alice"), session("111122223333", "app"),
		user("222222222222", "alice"), user("222222222222", "bob"), session("222222222222", "deploy"),
		session("555555555555", "runner"), user("555555555555", "jenkins"),
		user("444455556666", "robot").aThird(), session("444455556666", "collector").aThird(),
		excused, session("777788889999", "other").aThird(),
		user("123456789012", "mallory").aStranger(), session("123456789012", "scan").aStranger(),
		user("999988887777", "trudy").aStranger(), session("999988887777", "x").aStranger(),
	}
}

// trial are concrete requests, some of which break each rule; breaks lists the
// rules that a request breaks when it is allowed, said in plain code.
func trial() (requests []access.Request, broken [][]string) {
	for _, who := range crowd() {
		for _, name := range []string{"alice", "bob", "jenkins", "robot", "ops-1"} {
			for _, id := range []string{"", "acme-7f3k2p9q", "acme-other-id", "42"} {
				r := access.Request{Actions: []string{assume}, Role: "arn:aws:iam::111122223333:role/app", Caller: who.caller, Context: map[string]access.Value{
					sessionNameKey: access.One(name), "aws:MultiFactorAuthPresent": access.One("true"),
					"aws:SourceIp": access.One("203.0.113.9"), "aws:SecureTransport": access.One("true"),
					"aws:CurrentTime": access.One("2026-06-01T12:00:00Z"),
				}}
				if id != "" {
					r.Context[externalIDKey] = access.One(id)
				}
				var rules []string
				if who.user != "" && name != who.user && (!who.third || who.stranger) {
					rules = append(rules, sessionNameID)
				}
				if who.stranger {
					rules = append(rules, externalAccountID)
				}
				if who.third && !who.excused && (id == "" || id == "42") {
					rules = append(rules, externalIDID)
				}
				requests, broken = append(requests, r), append(broken, rules)
			}
		}
	}
	return requests, broken
}

// members tells access which organization an account is in.
type members struct{}

func (members) OrganizationOf(account string) (string, bool) {
	return "o-exampleorgid", slices.Contains([]string{"111122223333", "222222222222", "555555555555", "999999999999"}, account)
}

// What a rule forbids and one concrete request shows, the rule finds: requests
// are tried one by one against documents drawn from the corpus, and whoever is
// let in against a rule must have been told of. The rules' demands are said
// here a second time, in plain code and without proof.
func TestNothingConcreteSlipsThrough(t *testing.T) {
	var pool []policy.Statement
	var in Input
	for _, p := range readCorpus(t) {
		d, err := policy.Parse([]byte(p.text))
		if err == nil && d.Version == "2012-10-17" && p.in.Role.Partition == "aws" && p.in.Org.Member("999999999999") && len(p.in.Org.Settings) == 0 {
			pool, in = append(pool, d.Statements...), p.in
		}
	}
	in.Role = roleOf(t, "arn:aws:iam::111122223333:role/app")
	requests, broken := trial()
	rapid.Check(t, func(t *rapid.T) {
		in.Document = policy.Document{Version: "2012-10-17", Statements: rapid.SliceOfN(rapid.SampledFrom(pool), 1, 3).Draw(t, "statements")}
		report := Judge(in)
		told := func(rule string) bool {
			return slices.ContainsFunc(report.Findings, func(f finding.Finding) bool { return f.Rule == rule && breaks(f) }) ||
				slices.ContainsFunc(report.Reasons, func(s string) bool { return strings.Contains(s, rule) })
		}
		for i, r := range requests {
			if len(broken[i]) == 0 || access.Evaluate(in.Document, r.Complete(members{})).Decision != access.Allowed {
				continue
			}
			for _, rule := range broken[i] {
				// public-principal speaks for the other two of accounts nobody named.
				if !told(rule) && (rule == sessionNameID || !told(publicPrincipalID)) {
					t.Fatalf("%s is silent of %s\n%s\n%s", rule, r.Sentence(), in.Document.Print(), lines(report, ""))
				}
			}
		}
	})
}
