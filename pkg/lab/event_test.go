package lab_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

var (
	uuidPattern  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	idPattern    = regexp.MustCompile(`\b(A[A-Z]{3})[A-Z0-9]{16,17}\b`)
	agentPattern = regexp.MustCompile(`"userAgent": ?"aws-sdk-go-v2/[^"]*app/lab-test[^"]*"`)
	tokenPattern = regexp.MustCompile(`"sessionToken": ?"[^"]+"`)
)

// normal hides what differs between runs and reads the rest.
func normal(t *testing.T, raw []byte) any {
	t.Helper()
	text := uuidPattern.ReplaceAllString(string(raw), "UUID")
	text = idPattern.ReplaceAllString(text, "${1}ID")
	text = agentPattern.ReplaceAllString(text, `"userAgent":"SDK"`)
	text = tokenPattern.ReplaceAllString(text, `"sessionToken":"TOKEN"`)
	var out any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) expect(name string, e lab.Envelope) {
	w.t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", "events", name+".json"))
	w.must(err)
	if diff := cmp.Diff(normal(w.t, want), normal(w.t, e.Raw)); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// Each event equals a sample written after real CloudTrail records, field by
// field; only IDs, keys, tokens and the user agent's versions may differ.
func TestEventsHaveTheShapeOfCloudTrail(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(prod)
	app := aws.String("app")
	caller := w.user(dev, "caller", allowAssume)
	before := len(w.seen())

	sent := "{ \"Version\":\"2012-10-17\",\n \"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"444455556666\"},\"Action\":\"sts:AssumeRole\"}}\n"
	_, err := admin.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: app, Path: aws.String("/"), AssumeRolePolicyDocument: &sent, MaxSessionDuration: aws.Int32(3600),
		Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	})
	w.must(err)
	in := &sts.AssumeRoleInput{
		RoleArn: aws.String(arn(prod, "role/app")), RoleSessionName: aws.String("s1"), DurationSeconds: aws.Int32(900),
		ExternalId: aws.String("customer-1"), Policy: aws.String(`{"Version":"2012-10-17","Statement":[]}`),
	}
	_, err = w.assume(caller, in)
	w.must(err)
	update := func(principal string) error {
		_, err := admin.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: app, PolicyDocument: aws.String(trusting(principal))})
		return err
	}
	w.must(update(arn(prod, "root")))
	_, err = w.assume(caller, in)
	w.refused(err, "AccessDenied")
	w.refused(update(arn(prod, "user/none")), "MalformedPolicyDocument")
	_, err = admin.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: app})
	w.must(err)
	w.must(w.SeedUser(prod, "bob", "/"))
	_, err = admin.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("bob")})
	w.must(err)

	want := []string{
		"CreateRole", "AssumeRole.caller", "AssumeRole.role", "UpdateAssumeRolePolicy", "AssumeRole.denied",
		"UpdateAssumeRolePolicy.failed", "DeleteRole", "DeleteUser",
	}
	events := w.seen()[before:]
	if len(events) != len(want) {
		t.Fatalf("%d events, want %d", len(events), len(want))
	}
	for i, name := range want {
		w.expect(name, events[i])
	}
	if a, b := shared(t, events[1]), shared(t, events[2]); a != b || events[1].EventID == events[2].EventID {
		t.Errorf("the two copies share %q and %q, and have the IDs %q and %q", a, b, events[1].EventID, events[2].EventID)
	}
}

func shared(t *testing.T, e lab.Envelope) string {
	t.Helper()
	var out struct {
		Detail struct {
			SharedEventID string `json:"sharedEventID"`
		}
	}
	if err := json.Unmarshal(e.Raw, &out); err != nil {
		t.Fatal(err)
	}
	return out.Detail.SharedEventID
}

// What a session does shows its role and its source identity.
func TestEventOfSession(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "app", strings.Replace(trusting(arn(dev, "root")), `"sts:AssumeRole"`, `["sts:AssumeRole","sts:SetSourceIdentity"]`, 1))
	_, err := w.admin(prod).AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("app"), PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMFullAccess")})
	w.must(err)
	session, err := w.assume(w.user(dev, "caller", allowAssume), &sts.AssumeRoleInput{
		RoleArn: aws.String(arn(prod, "role/app")), RoleSessionName: aws.String("s1"), SourceIdentity: aws.String("alice"),
	})
	w.must(err)
	_, err = iam.NewFromConfig(w.config(session)).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("bob")})
	w.must(err)
	events := w.seen()
	w.expect("CreateUser.session", events[len(events)-1])
}

// A document padded beyond CloudTrail's 100 KB is cut in the event, not in the
// role.
func TestPaddedDocumentIsCutInEvent(t *testing.T) {
	w := newWorld(t)
	document := `{"Version":"2012-10-17",` + strings.Repeat(" ", 110*1024) + trusting("*")[len(`{"Version":"2012-10-17",`):]
	w.role(prod, "app", document)
	events := w.seen()
	raw := events[len(events)-1].Raw
	var out struct {
		Detail struct {
			RequestParameters struct {
				AssumeRolePolicyDocument string
				Omitted                  bool
			}
		}
	}
	w.must(json.Unmarshal(raw, &out))
	params := out.Detail.RequestParameters
	if !params.Omitted || strings.Contains(params.AssumeRolePolicyDocument, "Statement") || len(params.AssumeRolePolicyDocument) > 100*1024 {
		t.Errorf("omitted %v, %d characters", params.Omitted, len(params.AssumeRolePolicyDocument))
	}
	if got := w.trust(prod, "app"); got != trusting("*") {
		t.Errorf("the role holds %s", got)
	}
}

// Reads leave no event, and neither does seeding.
func TestReadsLeaveNoEvent(t *testing.T) {
	w := newWorld(t)
	w.must(w.SeedRole(prod, lab.SeedRole{Name: "app", TrustPolicy: trusting(prod)}))
	w.trust(prod, "app")
	if events := w.seen(); len(events) != 0 {
		t.Errorf("events %v", events)
	}
}
