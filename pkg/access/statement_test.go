package access_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// T36. IAM User Guide, reference_policies_elements_action and _notaction.
func TestT36ActionsAndNotActions(t *testing.T) {
	for _, c := range []struct {
		element string
		action  string
		want    bool
	}{
		{`"Action":"sts:AssumeRole"`, "sts:AssumeRole", true},
		{`"Action":"STS:assumerole"`, "sts:AssumeRole", true},
		{`"Action":"sts:AssumeRole"`, "sts:AssumeRoleWithSAML", false},
		{`"Action":"sts:Assume*"`, "sts:AssumeRoleWithSAML", true},
		{`"Action":"sts:*"`, "sts:TagSession", true},
		{`"Action":"*"`, "sts:AssumeRole", true},
		{`"Action":"*:AssumeRole"`, "sts:AssumeRole", true},
		{`"Action":"sts:AssumeRol?"`, "sts:AssumeRole", true},
		{`"Action":"sts:?"`, "sts:AssumeRole", false},
		{`"Action":["sts:TagSession","sts:AssumeRole"]`, "sts:AssumeRole", true},
		{`"Action":"iam:*"`, "sts:AssumeRole", false},
		{`"NotAction":"iam:*"`, "sts:AssumeRole", true},
		{`"NotAction":["iam:*","sts:assume*"]`, "sts:AssumeRole", false},
		{`"NotAction":"sts:AssumeRole"`, "sts:TagSession", true},
		{`"Action":"${*}"`, "sts:AssumeRole", false},
	} {
		d := parse(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},`+c.element+`}}`)
		r := parseRequest(t, `{"action":"`+c.action+`","caller":`+bob+`}`)
		want := access.Denied
		if c.want {
			want = access.Allowed
		}
		if got := access.Evaluate(d, r); got.Decision != want {
			t.Errorf("%s for %s: %v, want %v", c.element, c.action, got, want)
		}
	}
}

// verdictOf evaluates statements, given as lines, for one request.
func verdictOf(t *testing.T, request string, statements ...string) access.Result {
	t.Helper()
	return access.Evaluate(parse(t, `{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`), parseRequest(t, request))
}

const (
	assume       = `{"action":"sts:AssumeRole","caller":` + bob + `,"context":{"sts:RoleSessionName":"bob"}}`
	allowAll     = `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}`
	denyAll      = `{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:*"}`
	doubtful     = `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"X":{"k":"v"}}}`
	doubtfulDeny = `{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"X":{"k":"v"}}}`
	impossible   = `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"Bool":{"k":"true"}}}`
)

// IAM User Guide, reference_policies_evaluation-logic: a Deny outweighs every
// Allow, and nothing is allowed that no Allow names. Doubt changes an answer
// only where it matters.
func TestStatementsCombine(t *testing.T) {
	for _, c := range []struct {
		name       string
		statements []string
		want       access.Decision
		which      []int
	}{
		{"allow", []string{allowAll}, access.Allowed, []int{0}},
		{"T35 one weak allow is enough", []string{impossible, allowAll, allowAll}, access.Allowed, []int{1, 2}},
		{"nothing", []string{impossible}, access.Denied, nil},
		{"deny", []string{allowAll, denyAll}, access.Denied, []int{1}},
		{"deny first", []string{denyAll, allowAll}, access.Denied, []int{0}},
		{"doubtful allow", []string{doubtful, impossible}, access.Undecided, []int{0}},
		{"doubtful allow beside an allow", []string{doubtful, allowAll}, access.Allowed, []int{1}},
		{"doubtful allow beside a deny", []string{doubtful, denyAll}, access.Denied, []int{1}},
		{"doubtful deny", []string{allowAll, doubtfulDeny}, access.Undecided, []int{1}},
		{"doubtful deny beside a deny", []string{allowAll, doubtfulDeny, denyAll}, access.Denied, []int{2}},
		{"doubtful deny of nothing", []string{impossible, doubtfulDeny}, access.Denied, nil},
		{"both doubtful", []string{doubtfulDeny, doubtful}, access.Undecided, []int{0, 1}},
		{"T41 NotPrincipal", []string{strings.Replace(denyAll, "Principal", "NotPrincipal", 1), allowAll}, access.Undecided, []int{0}},
		{"T41 NotPrincipal on an allow", []string{strings.Replace(allowAll, "Principal", "NotPrincipal", 1)}, access.Undecided, []int{0}},
		{"Resource", []string{strings.Replace(allowAll, "{", `{"Resource":"*",`, 1)}, access.Undecided, []int{0}},
		{"NotResource", []string{strings.Replace(allowAll, "{", `{"NotResource":"*",`, 1)}, access.Undecided, []int{0}},
		{"Resource of another action", []string{allowAll, strings.Replace(strings.Replace(denyAll, "{", `{"Resource":"*",`, 1), "sts:*", "sts:TagSession", 1)}, access.Allowed, []int{0}},
		{"T40 a Deny of another action", []string{allowAll, strings.Replace(denyAll, "sts:*", "sts:TagSession", 1)}, access.Allowed, []int{0}},
		{"T40 a Deny of another principal", []string{allowAll, strings.Replace(denyAll, `"*"}`, `"444455556666"}`, 1)}, access.Allowed, []int{0}},
		{"T40 a Deny of a session of a role", []string{allowAll, strings.Replace(denyAll, `"*"}`, `"arn:aws:sts::111122223333:assumed-role/bob/bob"}`, 1)}, access.Allowed, []int{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := verdictOf(t, assume, c.statements...)
			if got.Decision != c.want || !slices.Equal(got.Statements, c.which) {
				t.Errorf("%+v, want %v by %v", got, c.want, c.which)
			}
		})
	}
}

// T37: a call that carries a source identity or tags needs their actions too;
// one that is refused refuses the call (IAM User Guide,
// id_credentials_temp_control-access_monitor).
func TestT37EveryActionMustBeAllowed(t *testing.T) {
	request := strings.Replace(assume, `"sts:AssumeRole"`, `["sts:AssumeRole","sts:SetSourceIdentity"]`, 1)
	tag := func(statement string) string {
		return strings.Replace(statement, `"sts:AssumeRole"`, `"sts:SetSourceIdentity"`, 1)
	}
	for _, c := range []struct {
		name       string
		statements []string
		want       access.Decision
		which      []int
	}{
		{"one missing", []string{allowAll}, access.Denied, nil},
		{"both", []string{allowAll, tag(allowAll)}, access.Allowed, []int{0, 1}},
		{"one doubtful", []string{allowAll, tag(doubtful)}, access.Undecided, []int{1}},
		{"doubtful and missing", []string{doubtful}, access.Denied, nil},
		{"one denied", []string{allowAll, tag(allowAll), tag(strings.Replace(allowAll, "Allow", "Deny", 1))}, access.Denied, []int{2}},
		{"doubtful and denied", []string{doubtful, tag(allowAll), tag(strings.Replace(allowAll, "Allow", "Deny", 1))}, access.Denied, []int{2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := verdictOf(t, request, c.statements...)
			if got.Decision != c.want || !slices.Equal(got.Statements, c.which) {
				t.Errorf("%+v, want %v by %v", got, c.want, c.which)
			}
		})
	}
}

// T38: sts:ExternalId comes with AssumeRole only, so demanding it of a service
// locks the service out.
func TestT38ExternalIDOfAService(t *testing.T) {
	statement := `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x"}}}`
	if got := verdictOf(t, `{"action":"sts:AssumeRole","caller":`+lambda+`}`, statement); got.Decision != access.Denied {
		t.Error(got)
	}
}

// A reason names the element to look at and never the value of a secret.
func TestReasonsNameTheElementAndNoSecret(t *testing.T) {
	guarded := func(condition string) string {
		return strings.TrimSuffix(allowAll, "}") + `,"Condition":{` + condition + `}}`
	}
	for _, c := range []struct{ statement, want string }{
		{allowAll, "Statement[0] allows it and no Deny applies"},
		{denyAll, "Statement[0] denies sts:AssumeRole"},
		{guarded(`"StringEquals":{"sts:ExternalId":"hunter2"}`), "no statement allows sts:AssumeRole: Statement[0].Condition.StringEquals.sts:ExternalId does not match"},
		{guarded(`"X":{"sts:ExternalId":"hunter2"}`), "undecided because of Statement[0].Condition.X.sts:ExternalId: AWS documents no such operator"},
		{guarded("\"X\\n\":{\"k\":\"hunter2\"}"), `undecided because of Statement[0].Condition."X\n".k: AWS documents no such operator`},
		{strings.Replace(allowAll, `"*"`, `["444455556666","x"]`, 1), "undecided because of Statement[0].Principal.AWS[1]: this is no principal that AWS documents"},
		{strings.Replace(allowAll, `"*"`, `"444455556666"`, 1), "no statement allows sts:AssumeRole: Statement[0].Principal does not match"},
		{strings.Replace(allowAll, `"sts:`, `"iam:`, 1), "no statement allows sts:AssumeRole"},
		{strings.Replace(allowAll, "{", `{"Resource":"*",`, 1), "undecided because of Statement[0].Resource: a trust policy cannot use it, so what it does is not documented"},
	} {
		r := strings.Replace(assume, `"context":{`, `"context":{"sts:ExternalId":"hunter3",`, 1)
		got := verdictOf(t, r, c.statement).Reason
		if got != c.want || strings.Contains(got, "hunter") {
			t.Errorf("%s\n got %s\nwant %s", c.statement, got, c.want)
		}
	}
}

// A request that names no action, and a document without statements, grant nothing.
func TestNothingIsAllowedByNothing(t *testing.T) {
	d := parse(t, `{"Statement":`+allowAll+`}`)
	if got := access.Evaluate(d, access.Request{Caller: access.Caller{AWS: "arn:aws:iam::111122223333:user/bob"}}); got.Decision != access.Undecided {
		t.Error(got)
	}
	if got := access.Evaluate(policy.Document{}, parseRequest(t, assume)); got.Decision != access.Denied {
		t.Error(got)
	}
	without := policy.Document{Statements: []policy.Statement{{Principal: policy.Principals{Star: true}, Actions: []string{"*"}}}}
	if got := access.Evaluate(without, parseRequest(t, assume)); got.Decision != access.Denied {
		t.Error("a statement without Effect grants", got)
	}
	d.Statements = append(d.Statements, without.Statements...)
	if got := access.Evaluate(d, parseRequest(t, assume)); got.Decision != access.Allowed {
		t.Error("a statement without Effect denies", got)
	}
}
