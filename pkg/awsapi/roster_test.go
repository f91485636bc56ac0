package awsapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// house is an organization whose units have names: by parent, "id name" of each
// unit and the ids of the accounts; accounts lists all.
type house struct {
	units    map[string][]string
	in       map[string][]string
	accounts []string
	closed   string
	// refused are the calls, or calls on a parent, that are answered with a code.
	refused map[string]string
	asked   []string
}

func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ ParentId, NextToken string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	h.asked = append(h.asked, strings.TrimSpace(call+" "+in.ParentId))
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	for _, key := range []string{call, call + " " + in.ParentId} {
		if code := h.refused[key]; code != "" {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]any{"__type": code, "message": "no"})
			return
		}
	}
	account := func(id string) map[string]any {
		state := "ACTIVE"
		if id == h.closed {
			state = "CLOSED"
		}
		return map[string]any{"Id": id, "Name": "account " + id[:3], "State": state}
	}
	name, list := "Accounts", []map[string]any{}
	switch call {
	case "ListRoots":
		name, list = "Roots", append(list, map[string]any{"Id": topRoot, "Name": "Root"})
	case "ListOrganizationalUnitsForParent":
		name = "OrganizationalUnits"
		for _, u := range h.units[in.ParentId] {
			id, called, _ := strings.Cut(u, " ")
			list = append(list, map[string]any{"Id": id, "Name": called})
		}
	case "ListAccounts":
		for _, id := range h.accounts {
			list = append(list, account(id))
		}
	case "ListAccountsForParent":
		for _, id := range h.in[in.ParentId] {
			list = append(list, account(id))
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{name: list})
}

func (h *house) members(t *testing.T, p *awsapi.Pace) ([]org.Account, error) {
	t.Helper()
	return h.roster(t, p, awsapi.WithUnits).Members(t.Context())
}

func (h *house) roster(t *testing.T, p *awsapi.Pace, units awsapi.Units) *awsapi.Roster {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return awsapi.NewRoster(awsapi.RosterConfig{
		AWS:  awsapi.Fixed(awsapi.Keys{Endpoint: server.URL, Region: "us-east-1", AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret"}),
		Pace: p, Units: units,
	})
}

func newHouse() *house {
	return &house{
		accounts: []string{"555555555555", "111122223333", "444455556666", "777788889999", "222222222222"},
		units:    map[string][]string{topRoot: {unitA + " workloads", unitB + " sand box"}, unitA: {unitC + " prod"}},
		in:       map[string][]string{topRoot: {"555555555555"}, unitA: {"444455556666"}, unitC: {"111122223333"}, unitB: {"777788889999"}},
		closed:   "222222222222",
	}
}

func memberOf(id, unit string) org.Account {
	return org.Account{ID: id, Name: "account " + id[:3], Unit: unit}
}

// Every active account is given with the path of its unit, as the rules file
// writes it.
func TestMembersComeWithTheirUnits(t *testing.T) {
	got, err := newHouse().members(t, nil)
	must(t, err)
	want := []org.Account{
		memberOf("111122223333", "workloads/prod"), memberOf("444455556666", "workloads"), memberOf("555555555555", "/"), memberOf("777788889999", "sand box"),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A unit whose name no path can hold has no path, nor has what is below it: an
// account must not come under the modes of another unit by its name.
func TestAUnitCannotPassForAnother(t *testing.T) {
	for _, name := range []string{"workloads/prod", "/", "a\nb", ""} {
		h := newHouse()
		h.units[topRoot] = []string{unitA + " " + name}
		got, err := h.members(t, nil)
		must(t, err)
		for _, a := range got {
			if a.ID != "555555555555" && a.Unit != "" {
				t.Errorf("%q: %+v", name, a)
			}
		}
		if len(got) != 4 {
			t.Errorf("%q: %d accounts", name, len(got))
		}
	}
}

// T14: what Organizations does not say of units hides no account, and what it
// does not list at all is an error that says so.
func TestNoAccountIsHiddenByAUnitThatIsNotListed(t *testing.T) {
	for refused, c := range map[string]struct {
		units []string
		says  string
	}{
		"ListRoots":                                   {[]string{"", "", "", ""}, "listing the roots"},
		"ListAccountsForParent " + unitC:              {[]string{"", "workloads", "/", "sand box"}, "listing the accounts in " + unitC},
		"ListOrganizationalUnitsForParent " + topRoot: {[]string{"", "", "/", ""}, "listing the organizational units in " + topRoot},
		"ListAccounts":                                {[]string{"workloads/prod", "workloads", "/", "sand box"}, "listing the accounts of the organization"},
	} {
		h := newHouse()
		h.refused = map[string]string{refused: "AccessDeniedException"}
		got, err := h.members(t, nil)
		if !errors.Is(err, role.ErrAccessDenied) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", refused, err)
		}
		var units []string
		for _, a := range got {
			units = append(units, a.Unit)
		}
		if d := cmp.Diff(c.units, units); d != "" {
			t.Errorf("%s (-want +got):\n%s", refused, d)
		}
	}
}

// Who does not want units asks for the accounts alone, and nothing about units
// stands in the way of them.
func TestWithoutUnitsTheAccountsAloneAreAskedFor(t *testing.T) {
	h := newHouse()
	h.refused = map[string]string{"ListRoots": "AccessDeniedException"}
	got, err := h.roster(t, nil, awsapi.WithoutUnits).Members(t.Context())
	must(t, err)
	if len(got) != 4 || got[0] != memberOf("111122223333", "") {
		t.Errorf("got %+v", got)
	}
	if d := cmp.Diff([]string{"ListAccounts"}, h.asked); d != "" {
		t.Errorf("the calls (-want +got):\n%s", d)
	}
}

// An account that joins while the listing goes on is not left out.
func TestAnAccountThatJustJoinedIsAMember(t *testing.T) {
	h := newHouse()
	h.in[unitB] = append(h.in[unitB], "333333333333")
	got, err := h.members(t, nil)
	must(t, err)
	if !slices.Contains(got, memberOf("333333333333", "sand box")) {
		t.Errorf("got %+v", got)
	}
}

// Organizations is asked politely too.
func TestTheRosterTakesTurns(t *testing.T) {
	c := &paceClock{at: now()}
	h := newHouse()
	_, err := h.members(t, paceOf(t, c, 10))
	must(t, err)
	if len(h.asked) != 10 || len(c.waits) != 9 || slices.Max(c.waits) != 100*time.Millisecond {
		t.Errorf("%d calls waited %v", len(h.asked), c.waits)
	}
}

// What Organizations throttles is sorted as what IAM throttles.
func TestAThrottledRosterIsThrottled(t *testing.T) {
	h := newHouse()
	h.refused = map[string]string{"ListAccounts": "TooManyRequestsException"}
	if _, err := h.members(t, nil); !errors.Is(err, role.ErrThrottled) {
		t.Errorf("got %v", err)
	}
}

// A public imitation of Organizations is listed alike.
func TestTheRosterInMoto(t *testing.T) {
	w := motoWorld(t)
	own := w.admin(t, "888888888888")
	client := organizations.NewFromConfig(own)
	_, err := client.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{})
	must(t, err)
	roots, err := client.ListRoots(t.Context(), &organizations.ListRootsInput{})
	must(t, err)
	unit, err := client.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: roots.Roots[0].Id, Name: aws.String("workloads")})
	must(t, err)
	below, err := client.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: unit.OrganizationalUnit.Id, Name: aws.String("prod")})
	must(t, err)
	made, err := client.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: aws.String("app"), Email: aws.String("app@acme.example")})
	must(t, err)
	_, err = client.MoveAccount(t.Context(), &organizations.MoveAccountInput{
		AccountId: made.CreateAccountStatus.AccountId, SourceParentId: roots.Roots[0].Id, DestinationParentId: below.OrganizationalUnit.Id,
	})
	must(t, err)
	got, err := awsapi.NewRoster(awsapi.RosterConfig{AWS: own}).Members(t.Context())
	must(t, err)
	units := map[string]string{}
	for _, a := range got {
		units[a.ID] = a.Unit
	}
	if d := cmp.Diff(map[string]string{"888888888888": "/", *made.CreateAccountStatus.AccountId: "workloads/prod"}, units); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
