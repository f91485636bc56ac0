package awsapi_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// trust is a document in which every step of a wrong decoding shows: a plus,
// an encoded percent sign, a space and a letter outside ASCII (T25).
const trust = `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"aws:PrincipalTag/team":["a+b c","100%25","Zürich"]}}}]}`

// makeRole puts a role into the world's prod account and gives its name and id.
func makeRole(t *testing.T, w *world, name, path string) (id string) {
	t.Helper()
	out, err := iam.NewFromConfig(w.admin(t, prod)).CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: aws.String(name), Path: aws.String(path), AssumeRolePolicyDocument: aws.String(trust),
		PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess"),
		Tags:                []types.Tag{{Key: aws.String("Team"), Value: aws.String("a b")}},
	})
	must(t, err)
	return *out.Role.RoleId
}

func ref(name string) role.Ref { return role.Ref{Account: prod, Name: name} }

// A role is read whole in one IAM call, and the reading session is opened once
// for an account.
func TestRoleIsReadInOneCall(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		name := unique(t, "App")
		id := makeRole(t, w, name, "/team/")
		a := w.accounts(t)
		w.wire.take()
		got, err := a.Role(t.Context(), ref(name))
		must(t, err)
		if got.Created.IsZero() {
			t.Error("the date of creation is missing")
		}
		got.Created = now()
		want := role.Role{
			Partition: "aws", Account: prod, Name: name, Path: "/team/", ARN: "arn:aws:iam::" + prod + ":role/team/" + name,
			ID: id, TrustPolicy: trust, Tags: map[string]string{"Team": "a b"},
			Boundary: "arn:aws:iam::aws:policy/ReadOnlyAccess", Created: now(), ReadAt: now(),
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("the role (-want +got):\n%s", d)
		}
		_, err = a.Role(t.Context(), ref(name))
		must(t, err)
		if d := cmp.Diff([]string{"sts:AssumeRole", "iam:GetRole", "iam:GetRole"}, w.wire.calls()); d != "" {
			t.Errorf("the calls for two readings (-want +got):\n%s", d)
		}
	})
}

// The reading session can only read, in its account, and says who opened it.
func TestReadingSessionIsNarrow(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		_, _ = w.accounts(t).Role(t.Context(), ref("nobody"))
		form := w.wire.take()[0].form
		want := map[string]string{
			"RoleArn": "arn:aws:iam::" + prod + ":role/rolewarden/rolewarden-reader", "RoleSessionName": "rw-reader",
			"SourceIdentity": "rolewarden-reader", "ExternalId": externalID, "DurationSeconds": "3600",
			"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetRole","iam:GetUser"],` +
				`"Resource":["arn:aws:iam::111122223333:role/*","arn:aws:iam::111122223333:user/*"]}]}`,
		}
		for key, value := range want {
			if form.Get(key) != value {
				t.Errorf("%s is %q, want %q", key, form.Get(key), value)
			}
		}
	})
}

func TestMissingRoleIsNotFound(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		_, err := w.accounts(t).Role(t.Context(), ref("nobody"))
		if !errors.Is(err, role.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
		var call *awsapi.CallError
		if !errors.As(err, &call) || call.Code != "NoSuchEntity" || !strings.Contains(err.Error(), "NoSuchEntity") {
			t.Errorf("the error %v does not carry AWS's code", err)
		}
		if call != nil && (call.RequestID == "" || !strings.Contains(err.Error(), call.RequestID)) {
			t.Errorf("the error %v does not carry AWS's request id", err)
		}
	})
}

// A unique id belongs to the whole ARN: the same name under another path or in
// another case is somebody else, or was (T48, T53).
func TestPrincipalIDIsOfTheWholeARN(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		name := unique(t, "bob")
		roleID := makeRole(t, w, name, "/team/")
		user, err := iam.NewFromConfig(w.admin(t, prod)).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(name), Path: aws.String("/staff/")})
		must(t, err)
		a := w.accounts(t)
		arn := "arn:aws:iam::" + prod
		tests := []struct{ arn, id string }{
			{arn + ":role/team/" + name, roleID},
			{arn + ":user/staff/" + name, *user.User.UserId},
			{arn + ":role/" + name, ""},
			{arn + ":user/" + name, ""},
			{arn + ":user/staff/x/" + name, ""},
			{arn + ":role/team/B" + name[1:], ""},
			{arn + ":role/team/nobody", ""},
			{arn + ":user/staff/nobody", ""},
		}
		for _, test := range tests {
			id, err := a.PrincipalID(t.Context(), test.arn)
			if id != test.id || (test.id == "" && !errors.Is(err, role.ErrNotFound)) || (test.id != "" && err != nil) {
				t.Errorf("%s has %q, %v; want %q", test.arn, id, err, test.id)
			}
		}
		for _, no := range []string{arn + ":root", arn + ":group/x", "AIDAEXAMPLE", "arn:aws:iam::12:user/bob"} {
			if _, err := a.PrincipalID(t.Context(), no); err == nil || errors.Is(err, role.ErrNotFound) {
				t.Errorf("%s: got %v, want an error that is not ErrNotFound", no, err)
			}
		}
	})
}

// What one world leaves out that AWS documents; the other is tested alone.
// Where the two differ, AWS's documentation decides:
//
//   - moto opens a session in a role that does not exist or whose trust policy
//     refuses it; STS answers AccessDenied (STS API Reference, API_AssumeRole).
//   - moto applies no session policy; AWS allows what both the role's policies
//     and the session policy allow (IAM User Guide, access_policies, session policies).
//   - moto stores trust policies that name nobody; IAM answers
//     MalformedPolicyDocument (IAM User Guide, reference_policies_elements_principal).
//   - moto has no throttles, lost answers or service-linked roles to write.
//
// The tests below are of what the lab has and moto has not.

// T72, T84: where the member role refuses the session, that is a coverage gap
// with AWS's words, and the external id is not among them.
func TestRefusedSessionIsAccessDenied(t *testing.T) {
	w := labWorld(t)
	a, err := awsapi.NewAccounts(awsapi.Config{
		AWS: w.hub, Now: now, ExternalID: awsapi.NewSecret("another-secret"),
		ReaderRole: "rolewarden/rolewarden-reader", WriterRole: "rolewarden/rolewarden-remediator",
	})
	must(t, err)
	for _, account := range []string{prod, outside} {
		_, err = a.Role(t.Context(), role.Ref{Account: account, Name: "App"})
		if !errors.Is(err, role.ErrAccessDenied) {
			t.Errorf("got %v, want ErrAccessDenied", err)
		}
		if !strings.Contains(err.Error(), "assuming role arn:aws:iam::"+account+":role/rolewarden/rolewarden-reader") {
			t.Errorf("%v does not say which role refused", err)
		}
	}
}

// I11: AWS quotes a malformed external id in its answer.
func TestExternalIDIsInNoError(t *testing.T) {
	w := labWorld(t)
	const secret = "not a legal external id!"
	a, err := awsapi.NewAccounts(awsapi.Config{AWS: w.hub, Now: now, ExternalID: awsapi.NewSecret(secret), ReaderRole: "r/r", WriterRole: "r/w"})
	must(t, err)
	_, err = a.Role(t.Context(), ref("App"))
	if err == nil {
		t.Fatal("STS took an external id that is none")
	}
	for e := []error{err}; len(e) > 0; e = e[1:] {
		if strings.Contains(e[0].Error(), secret) {
			t.Errorf("the external id is in the error %q", e[0])
		}
		switch wraps := e[0].(type) { //nolint:errorlint // the chain is walked by hand
		case interface{ Unwrap() error }:
			if inner := wraps.Unwrap(); inner != nil {
				e = append(e, inner)
			}
		case interface{ Unwrap() []error }:
			e = append(e, wraps.Unwrap()...)
		}
	}
}

// A reading session's own member role may lack a permission (T84).
func TestRefusedReadIsAccessDenied(t *testing.T) {
	w := labWorld(t)
	w.lab.Inject(lab.Fault{Service: "iam", Action: "GetRole", Kind: lab.AccessDenied})
	if _, err := w.accounts(t).Role(t.Context(), ref("App")); !errors.Is(err, role.ErrAccessDenied) {
		t.Errorf("got %v, want ErrAccessDenied", err)
	}
}

// Reads are repeated a few times and then end in an error that says why.
func TestReadFaults(t *testing.T) {
	tests := []struct {
		kind lab.FaultKind
		want error
	}{
		{lab.Throttle, role.ErrThrottled},
		{lab.ServerError, nil},
		{lab.TimeoutBefore, nil},
		{lab.Malformed, nil},
	}
	for _, test := range tests {
		t.Run(test.kind.String(), func(t *testing.T) {
			w := labWorld(t)
			makeRole(t, w, "App", "/")
			a := w.accounts(t)
			remove := w.lab.Inject(lab.Fault{Service: "iam", Action: "GetRole", Kind: test.kind})
			_, err := a.Role(t.Context(), ref("App"))
			if err == nil || (test.want != nil && !errors.Is(err, test.want)) || errors.Is(err, role.ErrUncertain) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if n := len(w.wire.take()); n > 4 {
				t.Errorf("%d requests were sent", n)
			}
			remove()
			if _, err := a.Role(t.Context(), ref("App")); err != nil {
				t.Errorf("after the fault: %v", err)
			}
		})
	}
}

// Credentials that AWS no longer takes, as after the member role was made
// again, are replaced within the one read; no event ends over them.
func TestStaleCredentialsAreReplacedAtOnce(t *testing.T) {
	reads := map[string]func(*awsapi.Accounts) error{
		"role": func(a *awsapi.Accounts) error { _, err := a.Role(t.Context(), ref("App")); return err },
		"principal": func(a *awsapi.Accounts) error {
			_, err := a.PrincipalID(t.Context(), "arn:aws:iam::"+prod+":role/App")
			return err
		},
	}
	for _, code := range []string{"ExpiredToken", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"} {
		for what, read := range reads {
			t.Run(code+" "+what, func(t *testing.T) {
				w := labWorld(t)
				makeRole(t, w, "App", "/")
				a := w.accounts(t)
				fine := w.wire.next
				refusing := answering(http.StatusForbidden, `<ErrorResponse><Error><Code>`+code+`</Code><Message>old</Message></Error><RequestId>r1</RequestId></ErrorResponse>`, "iam:GetRole", fine)
				w.wire.next = once(refusing, fine)
				w.wire.take()
				must(t, read(a))
				if d := cmp.Diff([]string{"sts:AssumeRole", "iam:GetRole", "sts:AssumeRole", "iam:GetRole"}, w.wire.calls()); d != "" {
					t.Errorf("the calls (-want +got):\n%s", d)
				}
				w.wire.next = refusing
				w.wire.take()
				if err := read(a); err == nil || errors.Is(err, role.ErrAccessDenied) || !strings.Contains(err.Error(), code) {
					t.Errorf("refused for good: got %v, want an error that may pass", err)
				}
				if n := len(w.wire.take()); n != 3 {
					t.Errorf("%d calls were made", n)
				}
			})
		}
	}
}

// once makes a client whose first GetRole goes one way and all else the other.
func once(first, next aws.HTTPClient) aws.HTTPClient {
	gone := false
	return clientFunc(func(r *http.Request) (*http.Response, error) {
		if gone {
			return next.Do(r)
		}
		answer, err := first.Do(r)
		gone = err == nil && answer.StatusCode == http.StatusForbidden
		return answer, err
	})
}

// A configuration that cannot work is refused before any call.
func TestAccountsRefuseABadConfiguration(t *testing.T) {
	good := awsapi.Config{Now: now, ReaderRole: "a/r", WriterRole: "a/w"}
	for name, spoil := range map[string]func(*awsapi.Config){
		"no clock":        func(c *awsapi.Config) { c.Now = nil },
		"no reader":       func(c *awsapi.Config) { c.ReaderRole = "" },
		"a leading slash": func(c *awsapi.Config) { c.WriterRole = "//w" },
		"a wildcard":      func(c *awsapi.Config) { c.WriterRole = "w*" },
		"a bad partition": func(c *awsapi.Config) { c.Partition = "AWS" },
	} {
		c := good
		spoil(&c)
		if _, err := awsapi.NewAccounts(c); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	a, err := awsapi.NewAccounts(good)
	must(t, err)
	if _, err := a.Role(t.Context(), role.Ref{Account: "12", Name: "App"}); err == nil {
		t.Error("an account id of two digits was taken")
	}
	if _, err := a.Writer(t.Context(), role.Role{}, decision.Decision{}); err == nil {
		t.Error("a writing session for no role was opened")
	}
}
