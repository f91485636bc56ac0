package role_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/role"
)

func TestRefNamesAccountAndRole(t *testing.T) {
	t.Parallel()
	r := role.Role{Account: "111122223333", Name: "app"}
	if got := r.Ref().String(); got != "111122223333/app" {
		t.Errorf("Ref() = %q", got)
	}
}

// T70, T82: rolewarden never writes a role whose loss would lock people, AWS or
// itself out.
func TestRolesThatMustNeverBeWrittenAreProtected(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ path, name string }{
		{"/aws-service-role/inspector2.amazonaws.com/", "AWSServiceRoleForAmazonInspector2"},
		{"/aws-reserved/sso.amazonaws.com/", "AWSReservedSSO_Admin_0123456789abcdef"},
		{"/aws-reserved/sso.amazonaws.com/eu-west-1/", "AWSReservedSSO_Admin_0123456789abcdef"},
		{"/rolewarden/", "rolewarden-writer"},
		{"/rolewarden/deep/", "x"},
		{"/rolewarden-canary/", "rolewarden-canary-target"},
		{"/breakglass/", "root-of-last-resort"},
		{"/", "OrganizationAccountAccessRole"},
		{"/", "organizationaccountaccessrole"},
		{"", "OrganizationAccountAccessRole"},
		{"/", "AWSControlTowerExecution"},
		{"/service-role/", "AWSControlTowerStackSetRole"},
		{"/", "aws-controltower-AdministratorExecutionRole"},
		{"/", "stacksets-exec-0123456789abcdef0123456789abcdef"},
		{"/", "AWSCloudFormationStackSetExecutionRole"},
	} {
		reason, protected := role.Protected(role.Role{Path: tt.path, Name: tt.name}, nil)
		if !protected || reason == "" {
			t.Errorf("Protected(%s%s) = %q, %v; want a reason", tt.path, tt.name, reason, protected)
		}
	}
}

// T54, and peers' mistake 17: whoever names a role after a protected one gets
// no protection for it.
func TestNearMissesOfProtectedRolesAreRolesLikeAnyOther(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ path, name string }{
		{"/", "x-aws-service-role"},
		{"/", "aws-service-role"},
		{"/x/aws-service-role/", "a"},
		{"/aws-service-role-x/", "a"},
		{"/x/aws-reserved/", "a"},
		{"/my/rolewarden/", "a"},
		{"/rolewarden-canary-x/", "probe"},
		{"/x/rolewarden-canary/", "probe"},
		{"/rolewarden-x/", "a"},
		{"/Breakglass/", "a"},
		{"/", "breakglass"},
		{"/", "my-OrganizationAccountAccessRole"},
		{"/", "OrganizationAccountAccessRole2"},
		{"/team/", "OrganizationAccountAccessRole"},
		{"/", "x-AWSControlTowerExecution"},
		{"/team/", "AWSControlTowerExecution"},
		{"/", "not-stacksets-exec-1"},
		{"/", "app"},
	} {
		if reason, protected := role.Protected(role.Role{Path: tt.path, Name: tt.name}, nil); protected {
			t.Errorf("Protected(%s%s) because %q; want an ordinary role", tt.path, tt.name, reason)
		}
	}
}

func TestRulesFileProtectsByWholeARN(t *testing.T) {
	t.Parallel()
	also := []string{"arn:aws:iam::111122223333:role/vault/*", "arn:aws:iam::*:role/payroll"}
	for arn, want := range map[string]bool{
		"arn:aws:iam::111122223333:role/vault/a":     true,
		"arn:aws:iam::111122223333:role/vault/b/c":   true,
		"arn:aws:iam::444455556666:role/payroll":     true,
		"arn:aws:iam::444455556666:role/vault/a":     false,
		"arn:aws:iam::444455556666:role/x-payroll":   false,
		"arn:aws:iam::444455556666:role/payroll2":    false,
		"arn:aws:iam::444455556666:role/x/payroll":   false,
		"arn:aws-cn:iam::444455556666:role/payroll":  false,
		"arn:aws:iam::111122223333:role/xvault/a":    false,
		"arn:aws:iam:::444455556666:role/payroll":    false,
		"xarn:aws:iam::444455556666:role/payroll":    false,
		"arn:aws:iam::4444:5555:role/payroll":        false,
		"":                                           false,
		"arn:aws:iam::111122223333:role/vault":       false,
		"arn:aws:iam::111122223333:role/vault/":      true,
		"arn:aws:iam::444455556666:role/payroll\n":   false,
		" arn:aws:iam::444455556666:role/payroll":    false,
		"arn:aws:iam::444455556666:role/Payroll":     false,
		"arn:aws:sts::444455556666:role/payroll":     false,
		"arn:aws:iam::444455556666:user/payroll":     false,
		"arn:aws:iam:eu:444455556666:role/payroll":   false,
		"arn:aws:iam::444455556666:role/payroll:x":   false,
		"arn:aws:iam::444455556666:role:role/payrol": false,
	} {
		if _, got := role.Protected(role.Role{ARN: arn, Path: "/x/", Name: "a"}, also); got != want {
			t.Errorf("Protected(%q) = %v, want %v", arn, got, want)
		}
	}
}

// The pattern matcher says what a regular expression built from the same
// pattern says.
func TestMatchARNAgreesWithARegularExpression(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?/]{0,12}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[ab/]{0,12}`).Draw(t, "text")
		expr := regexp.QuoteMeta(pattern)
		expr = strings.ReplaceAll(strings.ReplaceAll(expr, `\*`, ".*"), `\?`, ".")
		want := regexp.MustCompile("^(?s:" + expr + ")$").MatchString(s)
		got := role.MatchARN("arn:aws:iam::1:"+pattern, "arn:aws:iam::1:"+s)
		if got != want {
			t.Fatalf("pattern %q, text %q: %v, the expression says %v", pattern, s, got, want)
		}
	})
}

func TestParseARNTakesARoleApart(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]role.ARN{
		"arn:aws:iam::111122223333:role/app":              {Partition: "aws", Account: "111122223333", Path: "/", Name: "app"},
		"arn:aws-cn:iam::111122223333:role/a/b/app@x,y=1": {Partition: "aws-cn", Account: "111122223333", Path: "/a/b/", Name: "app@x,y=1"},
		"arn:aws:iam::111122223333:role/odd\x7f/app":      {Partition: "aws", Account: "111122223333", Path: "/odd\x7f/", Name: "app"},
		"arn:aws:iam::111122223333:role/odd:*path/app":    {Partition: "aws", Account: "111122223333", Path: "/odd:*path/", Name: "app"},
	} {
		got, err := role.ParseARN(arn)
		if err != nil || got != want {
			t.Errorf("ParseARN(%q) = %+v, %v", arn, got, err)
		}
		if got.String() != arn {
			t.Errorf("ParseARN(%q).String() = %q", arn, got.String())
		}
	}
}

func TestParseARNRefusesWhatIsNoRole(t *testing.T) {
	t.Parallel()
	for arn, part := range map[string]string{
		"":                                             "six parts",
		"arn:aws:iam::111122223333":                    "six parts",
		"arn:amazon:iam::111122223333:role/app":        `"amazon" is no partition`,
		"arn:aws:sts::111122223333:role/app":           "not of IAM",
		"arn:aws:iam:eu-1:111122223333:role/app":       "not of IAM",
		"arn:aws:iam::11112222333:role/app":            "twelve digits",
		"arn:aws:iam::111122223333:user/app":           "does not name a role",
		"arn:aws:iam::111122223333:role/":              "no role name",
		"arn:aws:iam::111122223333:role/a b":           "no role name",
		"arn:aws:iam::111122223333:role/\x01/a":        "no path",
		"arn:aws:iam::111122223333:role/app ":          "no role name",
		"arn:aws:iam::111122223333:role/a*":            "no role name",
		"arn:aws:sts::111122223333:assumed-role/app/x": "not of IAM",
	} {
		_, err := role.ParseARN(arn)
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("ParseARN(%q) = %v, want an error with %q", arn, err, part)
		}
	}
}

// T55: an ARN with characters that mean more than themselves never gets into a
// session policy.
func TestSafeARNRefusesMetacharactersInPaths(t *testing.T) {
	t.Parallel()
	if err := role.SafeARN("arn:aws:iam::111122223333:role/team-a/sub_b/app"); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/*/", "/a?/", "/${aws:username}/", "/a}/", `/a"/`, `/a\/`, "/a:b/", "///", "/a//b/", "/a'/", "/a<b/", "/a%2a/", "/a\x7f/"} {
		arn := "arn:aws:iam::111122223333:role" + path + "app"
		err := role.SafeARN(arn)
		if !errors.Is(err, role.ErrUnmodifiable) || !strings.Contains(err.Error(), "more than themselves") {
			t.Errorf("SafeARN(%q) = %v, want a refusal for good", arn, err)
		}
	}
	if err := role.SafeARN("arn:aws:iam::111122223333:user/app"); !errors.Is(err, role.ErrUnmodifiable) {
		t.Errorf("SafeARN of a user's ARN: %v", err)
	}
}

// T55: of all ARNs, one that SafeARN takes matches itself only, as a pattern.
func TestSafeARNMeansOneRole(t *testing.T) {
	t.Parallel()
	arns := rapid.StringMatching(`arn:aws:iam::111122223333:role/([a*?$"{.-]{1,3}/){0,2}[a.-]{1,3}`)
	rapid.Check(t, func(t *rapid.T) {
		one, other := arns.Draw(t, "one"), arns.Draw(t, "other")
		if role.SafeARN(one) == nil && one != other && role.MatchARN(one, other) {
			t.Fatalf("%q is called safe and matches %q", one, other)
		}
	})
}

func FuzzParseARN(f *testing.F) {
	f.Add("arn:aws:iam::111122223333:role/team/app")
	f.Add("arn:aws:iam::111122223333:role//app")
	f.Fuzz(func(t *testing.T, arn string) {
		a, err := role.ParseARN(arn)
		if err == nil && a.String() != arn {
			t.Errorf("ParseARN(%q) prints %q", arn, a.String())
		}
	})
}
