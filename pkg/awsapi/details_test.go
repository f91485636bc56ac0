package awsapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// everything reads all pages of an account.
func everything(t *testing.T, a *awsapi.Accounts) (roles map[string]role.Role, ids map[string]string) {
	t.Helper()
	roles, ids = map[string]role.Role{}, map[string]string{}
	for marker := ""; ; {
		page, principals, next, err := a.Details(t.Context(), prod, marker)
		must(t, err)
		for _, r := range page {
			roles[r.Name] = r
		}
		for _, p := range principals {
			if !p.SeenAt.Equal(now()) {
				t.Errorf("%s was seen at %s", p.ARN, p.SeenAt)
			}
			ids[p.ARN] = p.ID
		}
		if marker = next; marker == "" {
			return roles, ids
		}
	}
}

// A whole account reads like its roles one by one, so that a sweep and an event
// come to the same verdict; and whoever it holds is known by the id that the
// ARN stands for now.
func TestAnAccountReadsLikeItsRoles(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		name, bob := unique(t, "App"), unique(t, "bob")
		roleID := makeRole(t, w, name, "/team/")
		admin := iam.NewFromConfig(w.admin(t, prod))
		if w.lab == nil {
			// moto gives the document as it is here, unlike AWS, so that what was to
			// be decoded would be decoded once too often.
			_, err := admin.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(name), PolicyDocument: aws.String(closed)})
			must(t, err)
		}
		user, err := admin.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(bob), Path: aws.String("/staff/")})
		must(t, err)
		a := w.accounts(t)
		want, err := a.Role(t.Context(), ref(name))
		must(t, err)
		roles, ids := everything(t, a)
		if d := cmp.Diff(want, roles[name]); d != "" {
			t.Errorf("the role (-alone +among all):\n%s", d)
		}
		arn := "arn:aws:iam::" + prod
		for of, id := range map[string]string{arn + ":role/team/" + name: roleID, arn + ":user/staff/" + bob: *user.User.UserId} {
			if ids[of] != id {
				t.Errorf("%s stands for %q, want %q", of, ids[of], id)
			}
		}
	})
}

// The list is read in a session that can do nothing else, and reading single
// roles in one that cannot list: what leaks of one is no more than its use.
func TestListingSessionIsNarrow(t *testing.T) {
	w := labWorld(t)
	a := w.accounts(t)
	_, _, _, err := a.Details(t.Context(), prod, "")
	must(t, err)
	_, _, _, err = a.Details(t.Context(), prod, "")
	must(t, err)
	sent := w.wire.take()
	form := sent[0].form
	for key, value := range map[string]string{
		"RoleArn": "arn:aws:iam::" + prod + ":role/rolewarden/rolewarden-reader", "RoleSessionName": "rw-reader",
		"SourceIdentity": "rolewarden-reader", "ExternalId": externalID,
		"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetAccountAuthorizationDetails"],"Resource":["*"]}]}`,
	} {
		if form.Get(key) != value {
			t.Errorf("%s is %q, want %q", key, form.Get(key), value)
		}
	}
	if len(sent) != 3 || sent[2].call != "iam:GetAccountAuthorizationDetails" {
		t.Errorf("two pages took %d calls", len(sent))
	}
	asked := []string{sent[1].form.Get("Filter.member.1"), sent[1].form.Get("Filter.member.2"), sent[1].form.Get("Filter.member.3")}
	if d := cmp.Diff([]string{"Role", "User", ""}, asked); d != "" {
		t.Errorf("the kinds asked for (-want +got):\n%s", d)
	}
}

// detail is one role as IAM lists it.
func detail(arn, id, document string) string {
	parts := ""
	for name, value := range map[string]string{"Arn": arn, "RoleId": id, "AssumeRolePolicyDocument": document} {
		if value != "" {
			parts += "<" + name + ">" + value + "</" + name + ">"
		}
	}
	return "<member>" + parts + "</member>"
}

// listing is an answer with some roles and users, and whether it goes on.
func listing(roles, users, tail string) string {
	return `<GetAccountAuthorizationDetailsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetAccountAuthorizationDetailsResult><RoleDetailList>` +
		roles + `</RoleDetailList><UserDetailList>` + users + `</UserDetailList>` + tail + `</GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>`
}

// listed gives a page of an account as some answer makes it.
func listed(t *testing.T, answer, marker string) ([]role.Role, []ledger.Identity, string, error) {
	t.Helper()
	w := labWorld(t)
	w.wire.next = answering(http.StatusOK, answer, "iam:GetAccountAuthorizationDetails", w.wire.next)
	return w.accounts(t).Details(t.Context(), prod, marker)
}

const (
	good      = "arn:aws:iam::111122223333:role/good"
	elsewhere = "arn:aws:iam::444455556666:role/app"
)

// T25: the document of a list is decoded once, as that of a single role.
func TestListedDocumentsAreDecodedOnce(t *testing.T) {
	roles, _, _, err := listed(t, listing(detail(good, "AROA1", "100%2525%20a+b"), "", ""), "")
	must(t, err)
	if len(roles) != 1 || roles[0].TrustPolicy != "100%25 a+b" {
		t.Errorf("got %+v", roles)
	}
}

// One entry that cannot be read hides no other and is not passed over: it is in
// the error, and the rest of the page is given, its marker too.
func TestAnEntryThatCannotBeReadHidesNoOther(t *testing.T) {
	const more = "<IsTruncated>true</IsTruncated><Marker>m2</Marker>"
	for name, c := range map[string]struct{ roles, users, says string }{
		"no document":         {detail("arn:aws:iam::111122223333:role/bad", "AROA2", ""), "", "role/bad"},
		"no id":               {detail("arn:aws:iam::111122223333:role/bad", "", "{}"), "", "role/bad"},
		"no ARN":              {detail("", "AROA2", "{}"), "", "role ARN"},
		"a cut escape":        {detail("arn:aws:iam::111122223333:role/bad", "AROA2", "%7"), "", "decoding"},
		"another account's":   {detail(elsewhere, "AROA2", "{}"), "", elsewhere},
		"a user without id":   {"", "<member><Arn>arn:aws:iam::111122223333:user/bob</Arn></member>", "user/bob"},
		"another's user":      {"", "<member><Arn>arn:aws:iam::444455556666:user/bob</Arn><UserId>AIDA2</UserId></member>", "444455556666"},
		"a user that is none": {"", "<member><Arn>arn:aws:iam::111122223333:group/x</Arn><UserId>AGPA2</UserId></member>", "group/x"},
	} {
		t.Run(name, func(t *testing.T) {
			roles, ids, next, err := listed(t, listing(c.roles+detail(good, "AROA1", "{}"), c.users, more), "m1")
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
			if len(roles) != 1 || roles[0].ARN != good || next != "m2" {
				t.Errorf("got %+v, next %q", roles, next)
			}
			if d := cmp.Diff([]ledger.Identity{{ID: "AROA1", ARN: good, SeenAt: now()}}, ids); d != "" {
				t.Errorf("the ids (-want +got):\n%s", d)
			}
		})
	}
}

// A list that is cut short without saying where it goes on, or that offers what
// was read, is an error about the page: nothing of it is taken for the whole.
func TestAListThatDoesNotEndIsAnError(t *testing.T) {
	for name, tail := range map[string]string{
		"no marker":       "<IsTruncated>true</IsTruncated>",
		"the same marker": "<IsTruncated>true</IsTruncated><Marker>m1</Marker>",
	} {
		roles, ids, next, err := listed(t, listing(detail(good, "AROA1", "{}"), "", tail), "m1")
		if err == nil || roles != nil || ids != nil || next != "" {
			t.Errorf("%s: got %v, %v, %q, %v", name, roles, ids, next, err)
		}
	}
	if _, _, next, err := listed(t, listing("", "", "<IsTruncated>false</IsTruncated><Marker>m2</Marker>"), "m1"); err != nil || next != "" {
		t.Errorf("the last page is followed by %q, %v", next, err)
	}
}

// T14, T84: an account that cannot be listed is an error that says why, and no
// empty list.
func TestAnAccountThatCannotBeListedIsAnError(t *testing.T) {
	for kind, want := range map[lab.FaultKind]error{lab.AccessDenied: role.ErrAccessDenied, lab.Throttle: role.ErrThrottled, lab.ServerError: nil, lab.Malformed: nil} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			w := labWorld(t)
			w.lab.Inject(lab.Fault{Service: "iam", Action: "GetAccountAuthorizationDetails", Kind: kind})
			roles, ids, next, err := w.accounts(t).Details(t.Context(), prod, "")
			if err == nil || want != nil && !errors.Is(err, want) || roles != nil || ids != nil || next != "" {
				t.Errorf("got %v, %v, %q, %v; want %v", roles, ids, next, err, want)
			}
			if !strings.Contains(fmt.Sprint(err), "account "+prod) {
				t.Errorf("the error does not name the account: %v", err)
			}
		})
	}
	for _, account := range []string{outside, "12", ""} {
		if _, _, _, err := labWorld(t).accounts(t).Details(t.Context(), account, ""); err == nil {
			t.Errorf("account %q was listed", account)
		}
	}
}

// Pages are read one after another, and every role is on one of them.
func TestEveryRoleIsOnAPage(t *testing.T) {
	w := labWorld(t)
	var want []string
	for i := range 230 {
		name := fmt.Sprintf("app-%03d", i)
		must(t, w.lab.SeedRole(prod, lab.SeedRole{Name: name, TrustPolicy: closed}))
		want = append(want, name)
	}
	a := w.accounts(t)
	w.wire.take()
	roles, _ := everything(t, a)
	var got []string
	for name := range roles {
		if strings.HasPrefix(name, "app-") {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if calls := w.wire.calls(); len(calls) != 3 {
		t.Errorf("232 roles took %v", calls)
	}
}
