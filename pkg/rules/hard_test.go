package rules

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/proof/prooftest"
)

// surroundings are the organizations in which hard documents are judged.
func surroundings(t testing.TB) map[string]Input {
	t.Helper()
	const every = "partners:\n  - {name: acme, accounts: [\"444455556666\"]}\n  - {name: initech, accounts: [\"777788889999\"], externalId: role-principal-suffices}\n" +
		"rules:\n  mfa: {}\n  source-identity: {callers: [users, roles, saml, oidc], values: [\"alice\", \"bob-*\"]}\n"
	head := "version: 1\norganization:\n  id: o-exampleorgid\n  management: \"999999999999\"\n  complete: true\n  accounts:\n"
	few := head + "    - {id: \"111122223333\"}\n    - {id: \"222222222222\"}\n"
	many := head + "    - {id: \"111122223333\"}\n"
	for i := range 5000 {
		many += fmt.Sprintf("    - {id: \"7%011d\"}\n", i)
	}
	custom := "customRules:\n"
	for i := range 20 {
		custom += fmt.Sprintf("  - id: own-%d\n    title: Own\n    why: It is ours.\n    callers: [{kind: users, accounts: outside}, {kind: roles, accounts: anyone}, {kind: services}, {kind: oidc}]\n"+
			"    require:\n      - {operator: StringLike, key: sts:RoleSessionName, values: [\"${aws:username}-%d*\", \"*a*b*%d*\"]}\n      - anyOf: [{operator: ArnLike, key: aws:PrincipalArn, values: [\"arn:aws:iam::*:role/*x%d*\"]}, {operator: Bool, key: aws:MultiFactorAuthPresent, values: [\"true\"]}]\n", i, i, i, i)
	}
	out := map[string]Input{"bare": {Now: noon()}}
	for name, text := range map[string]string{"few": few + every, "5,000 members": many + every, "20 rules of their own": few + every + custom} {
		o, err := org.Parse("rules.yaml", []byte(text), noon())
		if err != nil {
			t.Fatal(err)
		}
		out[name] = Input{Now: noon(), Org: o, Role: roleOf(t, "arn:aws:iam::111122223333:role/app")}
	}
	return out
}

// TestHardDocumentsStaySmall is the promise about documents made to be hard: to
// read one and judge it by all rules takes no more than 8 MB. (How many steps
// proof may take, counted, is tested there.)
func TestHardDocumentsStaySmall(t *testing.T) {
	around := surroundings(t)
	documents := prooftest.Hard()
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		for _, where := range slices.Sorted(maps.Keys(around)) {
			if used := bytesOf(func() { JudgeText(around[where], documents[name]) }); used > 8<<20 {
				t.Errorf("%s, %s: %d bytes", name, where, used)
			}
		}
	}
}

// bytesOf gives what a call allocates, the second time, when what is made once is there.
func bytesOf(call func()) uint64 {
	var before, after runtime.MemStats
	call()
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestHardDocumentsAreNoHidingPlace is the promise that a document over a bound
// is left undecided with the reason, and never compliant for being long.
func TestHardDocumentsAreNoHidingPlace(t *testing.T) {
	in := surroundings(t)["few"]
	for name, text := range prooftest.Hard() {
		r := JudgeText(in, text)
		if r.Verdict == finding.Undecided && len(r.Reasons) == 0 {
			t.Errorf("%s: undecided for no reason", name)
		}
		t.Logf("%s: %v %.200q", name, r.Verdict, r.Reasons)
	}
}

// T7, T22: whoever opens a role to everybody does not get away with it by padding
// the policy beyond what is judged: a stranger's call is tried all the same. Where
// a Deny stops that call, size makes the document neither flagged nor compliant.
func TestPaddingHidesNoOpenDoor(t *testing.T) {
	many := func(n int, one string) string {
		return strings.TrimSuffix(strings.Repeat(one+",", n), ",")
	}
	accounts := func() string {
		var ids []string
		for i := range 700 {
			ids = append(ids, fmt.Sprintf(`"3%011d"`, i))
		}
		return strings.Join(ids, ",")
	}
	const open = `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}`
	for name, padding := range map[string]string{
		"accounts":  `{"Effect":"Allow","Principal":{"AWS":[` + accounts() + `]},"Action":"sts:AssumeRole"}`,
		"providers": `{"Effect":"Allow","Principal":{"Federated":[` + many(200, `"accounts.google.com"`) + `]},"Action":"sts:AssumeRoleWithWebIdentity"}`,
		"patterns":  `{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:ExternalId":[` + many(3000, `"*a*"`) + `]}}}`,
		"actions":   `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":[` + many(3000, `"sts:TagSession"`) + `]}`,
	} {
		for where, in := range surroundings(t) {
			r := JudgeText(in, `{"Version":"2012-10-17","Statement":[`+padding+`,`+open+`]}`)
			if r.Verdict != finding.Noncompliant || r.Findings[0].Rule != publicPrincipalID || r.Findings[0].Severity != finding.Critical || len(r.Reasons) == 0 {
				t.Errorf("%s, %s: %v %.300q", name, where, r.Verdict, r.Reasons)
			}
			shut := strings.Replace(open, `"Allow"`, `"Deny"`, 1)
			if r := JudgeText(in, `{"Version":"2012-10-17","Statement":[`+padding+`,`+open+`,`+shut+`]}`); r.Verdict != finding.Undecided {
				t.Errorf("%s, shut again, %s: %v %v", name, where, r.Verdict, lines(r, ""))
			}
		}
	}
}

// BenchmarkHard prints what reading and judging each hard document takes, the
// best of many times: in milliseconds, and in bytes (go test -bench 'Hard/' -benchtime 25x).
func BenchmarkHard(b *testing.B) {
	around := surroundings(b)
	documents := prooftest.Hard()
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		for _, where := range slices.Sorted(maps.Keys(around)) {
			in, text := around[where], documents[name]
			verdict := JudgeText(in, text).Verdict
			b.Run(strings.ReplaceAll(fmt.Sprintf("%s/%s/%v", name, where, verdict), " ", "_"), func(b *testing.B) {
				best := time.Hour
				b.ReportAllocs()
				for b.Loop() {
					start := time.Now()
					JudgeText(in, text)
					best = min(best, time.Since(start))
				}
				b.ReportMetric(float64(best.Microseconds())/1000, "best-ms")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// TestTooManyPartsIsUndecided is the promise about a document of more parts than
// are judged: it is undecided under every rule with the reason, and one of just
// as many as fit is judged.
func TestTooManyPartsIsUndecided(t *testing.T) {
	of := func(n int) string {
		var roles []string
		for i := range n {
			roles = append(roles, fmt.Sprintf(`"arn:aws:iam::444455556666:role/app-%d"`, i))
		}
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":[` + strings.Join(roles, ",") + `]},"Action":"sts:AssumeRole"}]}`
	}
	in := surroundings(t)["few"]
	if r := JudgeText(in, of(500)); r.Verdict != finding.Noncompliant {
		t.Errorf("500 roles of a partner without an external ID: %v %q", r.Verdict, r.Reasons)
	}
	r := JudgeText(in, of(600))
	if r.Verdict != finding.Undecided || len(r.Reasons) != 1 || !strings.Contains(r.Reasons[0], "more parts than are judged") || !strings.Contains(r.Reasons[0], externalIDID) {
		t.Errorf("600: %v %q", r.Verdict, r.Reasons)
	}
}
