package awsapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// tree is an organization that answers the two listings. Each page holds one
// entry, as a caller must be ready for.
type tree struct {
	accounts map[string][]map[string]any
	units    map[string][]string
	// refused are the parents that are answered with an error code.
	refused map[string]string
	// stuck is a parent whose first page is offered again and again.
	stuck string
	asked []string
}

func (o *tree) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ ParentId, NextToken string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	o.asked = append(o.asked, call+" "+in.ParentId+" "+in.NextToken)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if code := o.refused[in.ParentId]; code != "" {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"__type": code, "message": "no"})
		return
	}
	name, entries := "OrganizationalUnits", []any{}
	for _, id := range o.units[in.ParentId] {
		entries = append(entries, map[string]any{"Id": id})
	}
	if call == "ListAccountsForParent" {
		name, entries = "Accounts", []any{}
		for _, a := range o.accounts[in.ParentId] {
			entries = append(entries, a)
		}
	}
	at := 0
	_, _ = fmt.Sscanf(in.NextToken, "page-%d", &at)
	if o.stuck == in.ParentId {
		at = 0
	}
	out := map[string]any{name: entries[min(at, len(entries)):min(at+1, len(entries))]}
	if at+1 < len(entries) {
		out["NextToken"] = fmt.Sprintf("page-%d", at+1)
	}
	_ = json.NewEncoder(w).Encode(out)
}

// open serves the organization and gives the adapter under test.
func (o *tree) open(t *testing.T, targets ...string) *awsapi.Organization {
	t.Helper()
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	walk, err := awsapi.NewOrganization(awsapi.OrganizationConfig{
		AWS:     awsapi.Fixed(awsapi.Keys{Endpoint: server.URL, Region: "us-east-1", AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret"}),
		Targets: targets,
	})
	must(t, err)
	return walk
}

func active(id string) map[string]any { return map[string]any{"Id": id, "State": "ACTIVE"} }

const (
	topRoot = "r-abcd"
	unitA   = "ou-abcd-aaaaaaaa"
	unitB   = "ou-abcd-bbbbbbbb"
	unitC   = "ou-abcd-cccccccc"
)

// Every account below the targets is found, on whatever page and however deep,
// and each once: a target may stand below another, and an account may move
// while the listing goes on.
func TestTheWalkFindsEveryAccountOnce(t *testing.T) {
	o := &tree{
		accounts: map[string][]map[string]any{
			topRoot: {active("111111111111"), active("222222222222")},
			unitA:   {active("333333333333"), active("111111111111"), active("444444444444")},
			unitC:   {active("555555555555")},
		},
		units: map[string][]string{topRoot: {unitA, unitB}, unitA: {unitC}, unitB: {unitC, unitA}, unitC: {unitA, topRoot}},
	}
	got, err := o.open(t, topRoot, unitA).Accounts(t.Context())
	must(t, err)
	want := []string{"111111111111", "222222222222", "333333333333", "444444444444", "555555555555"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	first := map[string]int{}
	for _, call := range o.asked {
		first[call]++
	}
	for call, n := range first {
		if n > 1 {
			t.Errorf("%s: %d times", call, n)
		}
	}
}

// Accounts outside the targets are not covered, and so are not asked for.
func TestTheWalkStaysBelowItsTargets(t *testing.T) {
	o := &tree{
		accounts: map[string][]map[string]any{topRoot: {active("111111111111")}, unitA: {active("222222222222")}, unitB: {active("333333333333")}},
		units:    map[string][]string{topRoot: {unitA, unitB}},
	}
	got, err := o.open(t, unitA).Accounts(t.Context())
	must(t, err)
	if d := cmp.Diff([]string{"222222222222"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Closed accounts cannot be entered and are no gap. An account whose state
// nobody knows is looked at: an unknown word hides nothing.
func TestOnlyAccountsThatAreKnownToBeUnusableAreLeftOut(t *testing.T) {
	for state, want := range map[string]int{
		`{"State":"ACTIVE"}`: 1, `{"Status":"ACTIVE"}`: 1, `{"State":"ACTIVE","Status":"SUSPENDED"}`: 1, `{}`: 1, `{"State":"NEW_WORD"}`: 1,
		`{"State":"SUSPENDED"}`: 0, `{"Status":"SUSPENDED"}`: 0, `{"State":"PENDING_CLOSURE"}`: 0, `{"State":"CLOSED","Status":"ACTIVE"}`: 0, `{"State":"PENDING_ACTIVATION"}`: 0,
	} {
		account := map[string]any{"Id": "111111111111"}
		must(t, json.Unmarshal([]byte(state), &account))
		o := &tree{accounts: map[string][]map[string]any{topRoot: {account}}}
		got, err := o.open(t, topRoot).Accounts(t.Context())
		must(t, err)
		if len(got) != want {
			t.Errorf("%s: %v", state, got)
		}
	}
}

// T14: what Organizations does not list is an error that names the part, and
// the rest is given all the same.
func TestAPartThatIsNotListedIsAnErrorAndTheRestIsGiven(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*tree)
		says   string
		is     error
	}{
		"denied":         {func(o *tree) { o.refused = map[string]string{unitA: "AccessDeniedException"} }, "listing the accounts in " + unitA, role.ErrAccessDenied},
		"gone":           {func(o *tree) { o.refused = map[string]string{unitA: "ParentNotFoundException"} }, "listing the organizational units in " + unitA, nil},
		"without an end": {func(o *tree) { o.stuck = unitA }, "offered again", nil},
		"no account id":  {func(o *tree) { o.accounts[unitA] = append(o.accounts[unitA], active("1")) }, `"1" is no account's id`, nil},
		"no unit id":     {func(o *tree) { o.units[unitA] = []string{"../x"} }, `"../x" is no organizational unit's id`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := &tree{
				accounts: map[string][]map[string]any{
					topRoot: {active("111111111111")}, unitA: {active("222222222222"), active("333333333333")}, unitB: {active("444444444444")},
				},
				units: map[string][]string{topRoot: {unitA, unitB}},
			}
			c.change(o)
			got, err := o.open(t, topRoot).Accounts(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v", err)
			}
			for _, id := range []string{"111111111111", "444444444444"} {
				if !slices.Contains(got, id) {
					t.Errorf("account %s is not in %v", id, got)
				}
			}
		})
	}
}

// A target that is none would be asked for in vain for ever.
func TestTargetsAreChecked(t *testing.T) {
	for _, targets := range [][]string{nil, {"111122223333"}, {"r-abcd", "ou-abcd"}, {"R-ABCD"}, {"r-abcd,ou-abcd-11111111"}, {""}} {
		if _, err := awsapi.NewOrganization(awsapi.OrganizationConfig{Targets: targets}); err == nil {
			t.Errorf("%q: taken", targets)
		}
	}
}

// A public imitation of Organizations is walked alike.
func TestTheWalkInMoto(t *testing.T) {
	w := motoWorld(t)
	// An organization of the test's own: moto lives through all tests.
	own := w.admin(t, "777788889999")
	client := organizations.NewFromConfig(own)
	_, err := client.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{})
	must(t, err)
	roots, err := client.ListRoots(t.Context(), &organizations.ListRootsInput{})
	must(t, err)
	parent, want := roots.Roots[0].Id, []string{"777788889999"}
	for i := range 3 {
		unit, err := client.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: parent, Name: aws.String(fmt.Sprintf("unit-%d", i))})
		must(t, err)
		made, err := client.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: aws.String("app"), Email: aws.String("app@acme.example")})
		must(t, err)
		_, err = client.MoveAccount(t.Context(), &organizations.MoveAccountInput{
			AccountId: made.CreateAccountStatus.AccountId, SourceParentId: roots.Roots[0].Id, DestinationParentId: unit.OrganizationalUnit.Id,
		})
		must(t, err)
		parent, want = unit.OrganizationalUnit.Id, append(want, *made.CreateAccountStatus.AccountId)
	}
	walk, err := awsapi.NewOrganization(awsapi.OrganizationConfig{AWS: own, Targets: []string{*roots.Roots[0].Id}})
	must(t, err)
	got, err := walk.Accounts(t.Context())
	must(t, err)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
