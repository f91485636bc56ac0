package trail_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/trail"
)

func event(t testing.TB, name string) []byte {
	t.Helper()
	text, ok := readEvents(t)[name+".json"]
	if !ok {
		t.Fatalf("there is no event %s", name)
	}
	return text
}

// edit changes an envelope as a JSON value.
func edit(t testing.TB, text []byte, change func(envelope, detail map[string]any)) []byte {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	detail, _ := e["detail"].(map[string]any)
	change(e, detail)
	out, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func mustParse(t testing.TB, text []byte) trail.Change {
	t.Helper()
	c, err := trail.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// An alert can say who, from where, with what, when and to which role.
func TestChangeTellsWhoDidWhatWhenAndFromWhere(t *testing.T) {
	t.Parallel()
	got := mustParse(t, event(t, "CreateRole.cloudformation"))
	want := trail.Change{
		Kind: trail.RoleCreated, EventID: got.EventID, EventName: "CreateRole",
		Account: "111122223333", Partition: "aws", Region: "us-east-1",
		Time: time.Date(2026, 11, 2, 9, 4, 51, 0, time.UTC),
		Actor: trail.Actor{
			Type: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/deployer/AWSCloudFormation",
			ID: "AROAEXAMPLEDEPLOYER01:AWSCloudFormation", Account: "111122223333",
			InvokedBy: "cloudformation.amazonaws.com", Issuer: "arn:aws:iam::111122223333:role/deployer",
		},
		SourceIP: "cloudformation.amazonaws.com", UserAgent: "cloudformation.amazonaws.com",
		RoleName: "orders-TaskRole-1HJ3K9QX2ABCD", RoleARN: "arn:aws:iam::111122223333:role/orders-TaskRole-1HJ3K9QX2ABCD",
		RoleID: "AROAEXAMPLEORDERS0001",
		Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["ecs-tasks.amazonaws.com"]},` +
			`"Action":["sts:AssumeRole"],"Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}]}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(got.EventID) != 36 {
		t.Errorf("event id %q", got.EventID)
	}
}

// What the rule session-policy judges by is all there.
func TestAssumeRoleTellsOfTheSession(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::111122223333:role/payroll-admin"
	for name, want := range map[string]trail.Session{
		"without-session-policy": {RoleARN: role, SessionName: "alice"},
		"with-session-policy": {
			RoleARN: role, SessionName: "alice", Policy: trail.WasGiven, PolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"},
		},
		"source-identity": {RoleARN: role, SessionName: "alice", SourceIdentity: "alice"},
	} {
		c := mustParse(t, event(t, "AssumeRole."+name))
		if diff := cmp.Diff(want, c.Session); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if c.RoleID != "AROAEXAMPLEPAYADMIN01" {
			t.Errorf("%s: role id %q", name, c.RoleID)
		}
	}
	chained := mustParse(t, event(t, "AssumeRole.source-identity"))
	if chained.Actor.SourceIdentity != "alice" || chained.Actor.Issuer != "arn:aws:iam::111122223333:role/sso-developer" {
		t.Errorf("actor %+v", chained.Actor)
	}
}

// T5: a duplicate is recognised by the id of the event, not of the envelope.
func TestDuplicatesHaveOneEventID(t *testing.T) {
	t.Parallel()
	first, again := event(t, "UpdateAssumeRolePolicy.duplicate-first"), event(t, "UpdateAssumeRolePolicy.duplicate-again")
	if string(first) == string(again) {
		t.Fatal("the two envelopes are the same")
	}
	if diff := cmp.Diff(mustParse(t, first), mustParse(t, again)); diff != "" {
		t.Error(diff)
	}
}

// T1: whatever else is wrong with it, a call that failed asks for nothing.
func TestFailedCallsAskForNothing(t *testing.T) {
	t.Parallel()
	for name, text := range readEvents(t) {
		if strings.HasPrefix(name, "PutRolePolicy") {
			continue
		}
		failed := edit(t, text, func(_, d map[string]any) {
			d["errorCode"] = "AccessDenied"
			delete(d, "recipientAccountId")
		})
		c, err := trail.Parse(failed)
		if err != nil || c.Kind != trail.Ignored || c.Ignored != trail.FailedCall {
			t.Errorf("%s, failed: %v %q, %v", name, c.Kind, c.Ignored, err)
		}
	}
	c := mustParse(t, event(t, "UpdateAssumeRolePolicy.refused-document"))
	if c.EventID == "" || c.Account != "111122223333" || c.Document != "" {
		t.Errorf("a counted no-op tells %+v", c)
	}
}

// T2, T4: what an event says twice must agree, and be possible; each refusal
// names the place.
func TestContradictionsAreRefused(t *testing.T) {
	t.Parallel()
	set := func(field string, v any) func(e, d map[string]any) {
		return func(e, d map[string]any) {
			if name, ok := strings.CutPrefix(field, "detail."); ok {
				d[name] = v
			} else {
				e[field] = v
			}
		}
	}
	madeRole := func(field string, v any) func(e, d map[string]any) {
		return func(_, d map[string]any) {
			d["responseElements"].(map[string]any)["role"].(map[string]any)[field] = v
		}
	}
	for _, tt := range []struct {
		name   string
		event  string
		change func(e, d map[string]any)
		place  string
	}{
		{"another envelope account", "CreateRole.sdk-stranger", set("account", "444455556666"), "detail.recipientAccountId"},
		{"another recipient", "CreateRole.sdk-stranger", set("detail.recipientAccountId", "444455556666"), "detail.recipientAccountId"},
		{"no recipient", "CreateRole.sdk-stranger", set("detail.recipientAccountId", nil), "detail.recipientAccountId"},
		{"an account that is none", "CreateRole.sdk-stranger", set("account", "prod"), "account"},
		{"an ARN of another account", "CreateRole.sdk-stranger", madeRole("arn", "arn:aws:iam::444455556666:role/support-access"), "detail.responseElements.role.arn"},
		{"an ARN of another partition", "CreateRole.sdk-stranger", madeRole("arn", "arn:aws-cn:iam::111122223333:role/support-access"), "detail.responseElements.role.arn"},
		{"an ARN of another role", "CreateRole.sdk-stranger", madeRole("arn", "arn:aws:iam::111122223333:role/other"), "detail.responseElements.role.roleName"},
		{"an ARN of a user", "AcquireRole.template", madeRole("arn", "arn:aws:iam::111122223333:user/app-1f9c"), "detail.responseElements.role.arn"},
		{"an id that is none", "AcquireRole.template", madeRole("roleId", "../x"), "detail.responseElements.role.roleId"},
		{"a role of another name than asked for", "CreateRole.sdk-stranger", func(_, d map[string]any) {
			d["requestParameters"].(map[string]any)["roleName"] = "other"
		}, "detail.responseElements.role.arn"},
		{"IAM in a Region it is not in", "DeleteUser.console", func(e, d map[string]any) {
			e["region"], d["awsRegion"] = "eu-west-1", "eu-west-1"
		}, "detail.awsRegion"},
		{"IAM of China in Ningxia", "DeleteUser.console", func(e, d map[string]any) {
			e["region"], d["awsRegion"] = "cn-northwest-1", "cn-northwest-1"
		}, "detail.awsRegion"},
		{"two Regions", "DeleteUser.console", set("region", "us-west-2"), "detail.awsRegion"},
		{"another source", "DeleteUser.console", set("source", "aws.sts"), "source"},
		{"no source", "DeleteUser.console", set("source", ""), "source"},
		{"another event source", "DeleteUser.console", set("detail.eventSource", "transfer.amazonaws.com"), "detail.eventSource"},
		{"another detail-type", "DeleteUser.console", set("detail-type", "Scheduled Event"), "detail-type"},
		{"a service event of IAM", "DeleteUser.console", set("detail-type", "AWS Service Event via CloudTrail"), "detail-type"},
		{"no event id", "DeleteUser.console", set("detail.eventID", ""), "detail.eventID"},
		{"an event id with a line break", "DeleteUser.console", set("detail.eventID", "a\nb"), "detail.eventID"},
		{"no time", "DeleteUser.console", set("detail.eventTime", "Nov 2, 2026"), "detail.eventTime"},
		{"no parameters", "DeleteUser.console", set("detail.requestParameters", nil), "detail.requestParameters.userName"},
		{"empty parameters", "DeleteRole.terraform", set("detail.requestParameters", map[string]any{}), "detail.requestParameters.roleName"},
		{"a name that is none", "DeleteRole.terraform", set("detail.requestParameters", map[string]any{"roleName": "a/../b"}), "detail.requestParameters.roleName"},
		{"a name that is a list", "DeleteRole.terraform", set("detail.requestParameters", map[string]any{"roleName": []any{"a"}}), "detail.requestParameters"},
		{"a new name that is none", "UpdateUser.rename", set("detail.requestParameters", map[string]any{"userName": "bob", "newUserName": "b b"}), "detail.requestParameters.newUserName"},
		{"a new path that is none", "UpdateUser.rename", set("detail.requestParameters", map[string]any{"userName": "bob", "newPath": "staff"}), "detail.requestParameters.newPath"},
		{"no response", "AcquireRole.template", set("detail.responseElements", nil), "detail.responseElements.role.arn"},
		{"no response", "CreateServiceLinkedRole.inspector", set("detail.responseElements", nil), "detail.responseElements.role.arn"},
		{"a session of no role", "AssumeRole.with-session-policy", set("detail.requestParameters", map[string]any{"roleArn": "payroll-admin"}), "detail.requestParameters.roleArn"},
		{"a session of a role elsewhere", "AssumeRole.with-session-policy", set("detail.requestParameters", map[string]any{"roleArn": "arn:aws-cn:iam::111122223333:role/a"}), "detail.requestParameters.roleArn"},
		{"a detail of another shape", "DeleteUser.console", set("detail", "text"), "detail"},
		{"an identity of another shape", "DeleteUser.console", set("detail.userIdentity", "root"), "detail"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := trail.Parse(edit(t, event(t, tt.event), tt.change))
			var m *trail.MalformedError
			if !errors.As(err, &m) || m.Place != tt.place {
				t.Fatalf("got %v, %v; want a refusal at %s", c.Kind, err, tt.place)
			}
			if diff := cmp.Diff(trail.Change{}, c); diff != "" {
				t.Errorf("a refused event still gives a change: %s", diff)
			}
			if m.Problem == "" || m.Remedy == "" {
				t.Errorf("no problem or remedy: %v", err)
			}
		})
	}
}

// A refused event can be remembered by the account and id that it claims.
func TestRefusedEventsKeepTheirKey(t *testing.T) {
	t.Parallel()
	_, err := trail.Parse(event(t, "UpdateAssumeRolePolicy.forged-account"))
	var m *trail.MalformedError
	if !errors.As(err, &m) {
		t.Fatal(err)
	}
	if account, id := m.Key(); account != "111122223333" || len(id) != 36 {
		t.Errorf("Key() = %q, %q", account, id)
	}
	want := "reading UpdateAssumeRolePolicy " + m.EventID + `: detail.recipientAccountId: "777788889999", and the envelope is of account 111122223333: ` +
		"no such event comes from AWS: find out who sent it, and look at the account's roles"
	if want = strings.Replace(want, "reading ", "reading event ", 1); err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestTextThatIsNoEnvelopeIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":         "",
		"no JSON":         "{",
		"trailing text":   `{"source":"aws.iam"} {}`,
		"a list":          `[]`,
		"a field twice":   `{"source":"aws.iam","source":"aws.sts"}`,
		"twice in detail": `{"source":"aws.iam","detail":{"eventName":"CreateRole","eventName":"DeleteRole"}}`,
		"no UTF-8":        "{\"source\":\"aws.\xffiam\"}",
		"too long":        `{"source":"aws.iam","pad":"` + strings.Repeat(" ", trail.MaxBytes) + `"}`,
		"nested too deep": strings.Repeat("[", 20000) + strings.Repeat("]", 20000),
	} {
		var m *trail.MalformedError
		if c, err := trail.Parse([]byte(text)); !errors.As(err, &m) {
			t.Errorf("%s: %v, %v", name, c.Kind, err)
		}
	}
}

// What EventBridge cannot have sent, such as a step of the guard's own on the
// wrong queue, is never taken for somebody else's event, which is deleted: it
// has no key, so the queue keeps it.
func TestWhatIsNoEventNeverVanishes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{}`, `{"step":"settle","account":"111122223333","id":"1","change":{"eventID":"1"},"attempt":2}`,
		`{"detail":{"eventName":"CreateRole"}}`, `{"source":"aws.iam","detail":{}}`, `{"detail-type":"x","detail":[]}`, `{"detail":[]}`, `{"a":1,"a":2}`,
	} {
		_, err := trail.Parse([]byte(text))
		var m *trail.MalformedError
		if !errors.As(err, &m) {
			t.Errorf("%s: %v, want a refusal", text, err)
			continue
		}
		if account, id := m.Key(); account+id != "" || m.Remedy == "" {
			t.Errorf("%s: has the key %q, %q", text, account, id)
		}
	}
}

// Half a character where a field was cut, or a name twice where nobody reads,
// changes nothing: the event says which role it is about.
func TestOddTextElsewhereChangesNothing(t *testing.T) {
	t.Parallel()
	base := string(event(t, "UpdateAssumeRolePolicy.backdoor"))
	want := mustParse(t, []byte(base))
	into := func(object, members string) string {
		out := strings.Replace(base, object+" {", object+" {"+members+",", 1)
		if out == base {
			t.Fatalf("there is no %s", object)
		}
		return out
	}
	for name, text := range map[string]string{
		"half a character":        into(`"tlsDetails":`, `"clientProvidedHostHeader2": "a\ud83d"`),
		"no UTF-8":                into(`"detail":`, "\"addendum\": \"\xff\""),
		"an unread name twice":    into(`"requestParameters":`, `"overlay": 1, "overlay": 2`),
		"a read name twice":       into(`"requestParameters":`, `"roleName": "web-server"`),
		"an object twice":         into(`"detail":`, `"sessionCredentialFromConsole": {"a": 1}, "sessionCredentialFromConsole": {"a": 2}`),
		"twice, far down":         into(`"detail":`, `"x": `+strings.Repeat(`[{"b": `, 20)+`{"a": 1, "a": 2}`+strings.Repeat("}]", 20)),
		"a name of half a letter": into(`"detail":`, `"\ud83d": 1, "\ud83d": 2`),
	} {
		c, err := trail.Parse([]byte(text))
		if diff := cmp.Diff(want, c); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	agent := strings.Replace(base, `"userAgent": "`, `"userAgent": "\ud83d`, 1)
	want.UserAgent = "\ufffd" + want.UserAgent
	if diff := cmp.Diff(want, mustParse(t, []byte(agent))); diff != "" {
		t.Errorf("a user agent that was cut: %s", diff)
	}
	cut := mustParse(t, []byte(strings.Replace(base, `"policyDocument": "`, `"policyDocument": "\ud83d`, 1)))
	if !cut.Truncated || cut.Document != "" || cut.RoleName != want.RoleName {
		t.Errorf("a document with half a character: %+v", cut)
	}
}

// An event that says two things in a field that is read is refused, and can
// still be told from others and remembered.
func TestFieldsThatSayTwoThingsAreRefusedWithTheirKey(t *testing.T) {
	t.Parallel()
	base := string(event(t, "UpdateAssumeRolePolicy.backdoor"))
	before := mustParse(t, []byte(base))
	for name, members := range map[string][2]string{
		"role":      {`"requestParameters":`, `"roleName": "other"`},
		"document":  {`"requestParameters":`, `"policyDocument": "{}"`},
		"name":      {`"detail":`, `"eventName": "GetRole"`},
		"error":     {`"detail":`, `"errorCode": "AccessDenied", "errorCode": ""`},
		"parameter": {`"detail":`, `"requestParameters": {"roleName": "other"}`},
		"letter":    {`"requestParameters":`, `"roleName": "web-\ud83d"`},
		"identity":  {`"userIdentity":`, `"arn": "arn:aws:iam::111122223333:user/carol"`},
		"half":      {`"tlsDetails":`, `"a": "\ud83d"`},
	} {
		text := strings.Replace(base, members[0]+" {", members[0]+" {"+members[1]+",", 1)
		if name == "half" {
			text = strings.Replace(text, `"recipientAccountId": "111122223333"`, `"recipientAccountId": "11112222333\ud83d"`, 1)
		}
		c, err := trail.Parse([]byte(text))
		var m *trail.MalformedError
		if text == base || !errors.As(err, &m) {
			t.Errorf("%s: %v %q, %v", name, c.Kind, c.Ignored, err)
			continue
		}
		if account, id := m.Key(); account != before.Account || id != before.EventID {
			t.Errorf("%s: the key is %q, %q", name, account, id)
		}
	}
}

// A call that AWS did not finish may have changed the role, so the role is
// read; what only a success makes true is not believed.
func TestCallsThatAWSDidNotFinish(t *testing.T) {
	t.Parallel()
	for name, text := range readEvents(t) {
		want, err := trail.Parse(text)
		if err != nil || want.Kind == trail.Ignored {
			continue
		}
		for _, code := range []string{"ServiceFailure", "ServiceFailureException", "InternalFailure", "ServiceUnavailable", "RequestTimeout"} {
			c, err := trail.Parse(edit(t, text, func(_, d map[string]any) { d["errorCode"] = code }))
			read := want.Kind == trail.RoleCreated || want.Kind == trail.TrustUpdated
			switch {
			case err != nil:
				t.Errorf("%s: %v", name, err)
			case read && (c.Kind != want.Kind || c.RoleName != want.RoleName || c.Unfinished != code):
				t.Errorf("%s with %s: %v %q %q", name, code, c.Kind, c.Ignored, c.Unfinished)
			case !read && c.Ignored != trail.FailedCall:
				t.Errorf("%s with %s: %v %q", name, code, c.Kind, c.Ignored)
			}
		}
	}
}

// A role's path may hold any character that IAM lets in, DEL too.
func TestEveryPathIsRead(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/a*b/", "/{\"~\x7f}/"} {
		arn := "arn:aws:iam::111122223333:role" + path + "support-access"
		c := mustParse(t, edit(t, event(t, "CreateRole.sdk-stranger"), func(_, d map[string]any) {
			d["responseElements"].(map[string]any)["role"].(map[string]any)["arn"] = arn
		}))
		if c.RoleARN != arn {
			t.Errorf("%q became %q", arn, c.RoleARN)
		}
	}
}

// Somebody else's events are no reason to page anybody.
func TestEventsOfOthersAreUnknown(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a schedule":                   `{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}`,
		"another detail":               `{"source":"acme.orders","detail-type":"order","detail":[1,2]}`,
		"a name twice":                 `{"source":"acme.orders","detail-type":"order","detail":{"a":1,"a":2}}`,
		"a DeleteUser of AWS Transfer": `{"source":"aws.transfer","detail-type":"x","detail":{"eventSource":"transfer.amazonaws.com","eventName":"DeleteUser"}}`,
		"another spelling":             `{"source":"aws.iam","detail-type":"x","detail":{"eventSource":"iam.amazonaws.com","eventName":"createrole"}}`,
		"another field's spelling":     `{"source":"aws.iam","detail-type":"x","detail":{"eventSource":"iam.amazonaws.com","EventName":"CreateRole"}}`,
	} {
		c, err := trail.Parse([]byte(text))
		if err != nil || c.Kind != trail.Ignored || c.Ignored != trail.UnknownEvent {
			t.Errorf("%s: %v %q, %v", name, c.Kind, c.Ignored, err)
		}
	}
}

// AWS adds fields; they change nothing.
func TestNewFieldsAreTolerated(t *testing.T) {
	t.Parallel()
	text := event(t, "UpdateAssumeRolePolicy.backdoor")
	more := edit(t, text, func(e, d map[string]any) {
		e["replay-name"] = "r"
		d["addendum"] = map[string]any{"reason": "DELIVERY_DELAY"}
		d["eventContext"] = map[string]any{"tagContext": map[string]any{}}
		d["requestParameters"].(map[string]any)["overlay"] = true
		d["userIdentity"].(map[string]any)["inScopeOf"] = map[string]any{"sourceArn": "x"}
	})
	if diff := cmp.Diff(mustParse(t, text), mustParse(t, more)); diff != "" {
		t.Error(diff)
	}
}

// T7: however CloudTrail cuts a document, the event still names the role and
// says that the document must be read.
func TestCutDocumentsAreNoErrors(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		"missing": nil, "empty": "", "begun": `{"Version":"2012`, "marked": map[string]any{"omitted": true}, "no object": "…",
		"ended twice": `{}{}`,
	} {
		c := mustParse(t, edit(t, event(t, "UpdateAssumeRolePolicy.backdoor"), func(_, d map[string]any) {
			d["requestParameters"].(map[string]any)["policyDocument"] = v
		}))
		if c.Kind != trail.TrustUpdated || !c.Truncated || c.Document != "" || c.RoleName != "web-server" {
			t.Errorf("%s: %+v", name, c)
		}
	}
	for _, file := range []string{"AcquireRole.template", "CreateRole.omitted"} {
		c := mustParse(t, edit(t, event(t, file), func(_, d map[string]any) {
			d["responseElements"].(map[string]any)["role"].(map[string]any)["assumeRolePolicyDocument"] = "%7B%2"
		}))
		if !c.Truncated || c.Document != "" || c.RoleID == "" {
			t.Errorf("%s with a cut encoding: %+v", file, c)
		}
	}
}

// A whole document is kept byte for byte, white space and duplicate names too:
// judging it is not this room's.
func TestDocumentsAreKeptAsSent(t *testing.T) {
	t.Parallel()
	const sent = " {\n\t\"Version\":\"2012-10-17\",\"Version\":\"x\",\"Statement\":[]} \n"
	c := mustParse(t, edit(t, event(t, "UpdateAssumeRolePolicy.backdoor"), func(_, d map[string]any) {
		d["requestParameters"].(map[string]any)["policyDocument"] = sent
	}))
	if c.Document != sent || c.Truncated {
		t.Errorf("%q, truncated %v", c.Document, c.Truncated)
	}
}

// T25: percent-encoding is undone exactly once, and a plus sign stays one.
func TestEncodedDocumentsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	base := event(t, "AcquireRole.template")
	rapid.Check(t, func(rt *rapid.T) {
		id := rapid.StringMatching(`[\w+=,.@:/%\\" -]{0,20}`).Draw(rt, "id")
		text, err := json.Marshal(map[string]string{"id": id})
		if err != nil {
			rt.Fatal(err)
		}
		encoded := url.PathEscape(string(text))
		if rapid.Bool().Draw(rt, "colons are encoded") {
			encoded = strings.ReplaceAll(encoded, ":", "%3A")
		}
		c := mustParse(t, edit(t, base, func(_, d map[string]any) {
			d["responseElements"].(map[string]any)["role"].(map[string]any)["assumeRolePolicyDocument"] = encoded
		}))
		if c.Document != string(text) {
			rt.Fatalf("%q came back as %q", text, c.Document)
		}
	})
	if c := mustParse(t, event(t, "CreateRole.terraform")); !strings.Contains(c.Document, "acme-7f3a9c21+eu") {
		t.Errorf("document %s", c.Document)
	}
}

// Each partition has its own home of IAM, and events of it are read.
func TestEveryPartitionHasItsHomeRegion(t *testing.T) {
	t.Parallel()
	for region, partition := range map[string]string{
		"us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "us-iso-east-1": "aws-iso",
		"us-isob-east-1": "aws-iso-b", "eu-isoe-west-1": "aws-iso-e", "us-isof-south-1": "aws-iso-f", "eusc-de-east-1": "aws-eusc",
	} {
		c := mustParse(t, edit(t, event(t, "DeleteUser.console"), func(e, d map[string]any) {
			e["region"], d["awsRegion"] = region, region
		}))
		if c.Partition != partition {
			t.Errorf("%s is in %q, want %q", region, c.Partition, partition)
		}
	}
	for _, region := range []string{"", "us-east-0", "us-east-1r", "USEAST1", "ca-isob-northsouth-1r", "sagov-west-2r", "us-east-1\n"} {
		if _, err := trail.Parse(edit(t, event(t, "AssumeRole.by-service"), func(e, d map[string]any) {
			e["region"], d["awsRegion"] = region, region
		})); err == nil {
			t.Errorf("%q was taken for a Region", region)
		}
	}
}

// T4: no pair of different accounts gets through, wherever they stand.
func TestAccountsThatDisagreeNeverBecomeAChange(t *testing.T) {
	t.Parallel()
	base := event(t, "CreateRole.sdk-stranger")
	accounts := rapid.SampledFrom([]string{"111122223333", "444455556666", "777788889999", "", "11112222333"})
	rapid.Check(t, func(rt *rapid.T) {
		envelope, recipient, arn := accounts.Draw(rt, "envelope"), accounts.Draw(rt, "recipient"), accounts.Draw(rt, "arn")
		c, err := trail.Parse(edit(t, base, func(e, d map[string]any) {
			e["account"], d["recipientAccountId"] = envelope, recipient
			d["responseElements"].(map[string]any)["role"].(map[string]any)["arn"] = "arn:aws:iam::" + arn + ":role/support-access"
		}))
		agree := envelope == recipient && recipient == arn && len(arn) == 12
		if agree != (err == nil) || agree && c.Account != arn {
			rt.Fatalf("envelope %q, recipient %q, ARN %q: %v", envelope, recipient, arn, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, text := range readEvents(f) {
		f.Add(text)
	}
	f.Add([]byte(`{"source":"aws.iam","source":"aws.iam","detail-type":"\ud83d","detail":{"a":[{"b":1,"b":"\ud83d"}],"\ud83d":1,"\ud83d":2}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := trail.Parse(text)
		var m *trail.MalformedError
		switch {
		case err != nil && !errors.As(err, &m):
			t.Fatalf("an error of another type: %v", err)
		case err != nil:
			return
		case (c.Kind == trail.Ignored) != (c.Ignored != ""):
			t.Fatalf("%v with the reason %q", c.Kind, c.Ignored)
		case c.Kind == trail.Ignored:
			return
		case len(c.Account) != 12 || c.EventID == "" || c.Partition == "" || c.Time.IsZero():
			t.Fatalf("a change without account, id, partition or time: %+v", c)
		case c.RoleName+c.UserName == "":
			t.Fatalf("a change of nothing: %+v", c)
		case c.Document != "" && c.Truncated:
			t.Fatal("a document that is whole and cut")
		}
	})
}
