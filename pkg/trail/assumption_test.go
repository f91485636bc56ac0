package trail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/trail"
)

const (
	userCall = `{"eventVersion":"1.08","eventID":"11111111-1111-4111-8111-111111111111","eventSource":"sts.amazonaws.com","eventName":"AssumeRole",
"eventTime":"2026-05-04T10:00:00Z","awsRegion":"eu-west-1","recipientAccountId":"111122223333","sourceIPAddress":"192.0.2.7","userAgent":"aws-cli/2.31",
"userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLEALICE00001","arn":"arn:aws:iam::444455556666:user/alice","accountId":"444455556666","accessKeyId":"AKIAEXAMPLE","userName":"alice"},
"requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/app","roleSessionName":"alice","sourceIdentity":"alice","externalId":"not-to-be-shown","serialNumber":"arn:aws:iam::444455556666:mfa/alice",
"tags":[{"key":"team","value":"blue"}],"durationSeconds":900},
"responseElements":{"credentials":{"accessKeyId":"ASIAEXAMPLE","sessionToken":"t","expiration":"x"},"assumedRoleUser":{"assumedRoleId":"AROAEXAMPLEAPP0000001:alice","arn":"arn:aws:sts::111122223333:assumed-role/app/alice"},"sourceIdentity":"alice"}}`

	tokenCall = `{"eventID":"22222222-2222-4222-8222-222222222222","eventSource":"sts.amazonaws.com","eventName":"AssumeRoleWithWebIdentity","eventTime":"2026-05-04T10:00:00Z","awsRegion":"us-east-1",
"userIdentity":{"type":"WebIdentityUser","principalId":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:repo:acme/app:ref:refs/heads/main","userName":"repo:acme/app:ref:refs/heads/main","identityProvider":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
"requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/deploy","roleSessionName":"run-7"},
"responseElements":{"subjectFromWebIdentityToken":"repo:acme/app:ref:refs/heads/main","provider":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com","audience":"sts.amazonaws.com"}}`

	samlCall = `{"eventID":"33333333-3333-4333-8333-333333333333","eventSource":"sts.amazonaws.com","eventName":"AssumeRoleWithSAML","eventTime":"2026-05-04T10:00:00Z","awsRegion":"us-east-1",
"userIdentity":{"type":"SAMLUser","principalId":"abc:alice","userName":"alice","identityProvider":"https://idp.acme.example"},
"requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/people","roleSessionName":"alice","principalArn":"arn:aws:iam::111122223333:saml-provider/acme"},
"responseElements":{"subject":"alice","subjectType":"persistent","issuer":"https://idp.acme.example","audience":"https://signin.aws.amazon.com/saml","nameQualifier":"q=","sourceIdentity":"alice"}}`
)

// What a record shows of a call is read whole, for users, tokens and assertions:
// whoever previews a rules file learns of the calls that would be refused.
func TestAssumptionsAreReadAsRecorded(t *testing.T) {
	t.Parallel()
	secret := "not-to-be-shown"
	at := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	for record, want := range map[string]trail.Assumption{
		userCall: {
			EventID: "11111111-1111-4111-8111-111111111111", EventName: "AssumeRole", Time: at, SourceIP: "192.0.2.7", UserAgent: "aws-cli/2.31",
			Caller:  trail.Actor{Type: "IAMUser", ARN: "arn:aws:iam::444455556666:user/alice", ID: "AIDAEXAMPLEALICE00001", Account: "444455556666", UserName: "alice"},
			RoleARN: "arn:aws:iam::111122223333:role/app", SessionName: "alice", SourceIdentity: "alice", ExternalID: &secret, Tags: map[string]string{"team": "blue"}, MFA: "true",
		},
		tokenCall: {
			EventID: "22222222-2222-4222-8222-222222222222", EventName: "AssumeRoleWithWebIdentity", Time: at,
			Caller:  trail.Actor{Type: "WebIdentityUser", ID: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:repo:acme/app:ref:refs/heads/main", UserName: "repo:acme/app:ref:refs/heads/main"},
			RoleARN: "arn:aws:iam::111122223333:role/deploy", SessionName: "run-7",
			Provider: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", Subject: "repo:acme/app:ref:refs/heads/main", Audience: "sts.amazonaws.com",
		},
		samlCall: {
			EventID: "33333333-3333-4333-8333-333333333333", EventName: "AssumeRoleWithSAML", Time: at,
			Caller:  trail.Actor{Type: "SAMLUser", ID: "abc:alice", UserName: "alice"},
			RoleARN: "arn:aws:iam::111122223333:role/people", SessionName: "alice", SourceIdentity: "alice",
			Provider: "arn:aws:iam::111122223333:saml-provider/acme", Subject: "alice", Audience: "https://signin.aws.amazon.com/saml",
			Issuer: "https://idp.acme.example", SubjectType: "persistent", NameQualifier: "q=",
		},
	} {
		got, ok, err := trail.ParseAssumption([]byte(record))
		if err != nil || !ok {
			t.Errorf("%s: ok is %t, %v", want.EventName, ok, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", want.EventName, diff)
		}
	}
}

// A call that was refused let nobody in, and other calls are none of these.
func TestOtherRecordsAreNoAssumptions(t *testing.T) {
	t.Parallel()
	for name, record := range map[string]string{
		"refused":      strings.Replace(userCall, `"eventID"`, `"errorCode":"AccessDenied","eventID"`, 1),
		"another call": strings.Replace(userCall, `"AssumeRole"`, `"GetSessionToken"`, 1),
		"not of STS":   strings.Replace(userCall, "sts.amazonaws.com", "iam.amazonaws.com", 1),
		"no record":    `{}`,
	} {
		if a, ok, err := trail.ParseAssumption([]byte(record)); ok || err != nil {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	for name, record := range map[string]string{"no JSON": `{`, "no time": strings.Replace(userCall, "2026-05-04T10:00:00Z", "yesterday", 1)} {
		if _, ok, err := trail.ParseAssumption([]byte(record)); ok || err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// Records are found in each of the shapes that people have them in.
func TestRecordsAreFoundInEveryShape(t *testing.T) {
	t.Parallel()
	envelope, err := trail.Envelope([]byte(userCall))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"one record": userCall, "a list": "[" + userCall + "," + tokenCall + "]", "a log file": `{"Records":[` + userCall + `]}`,
		"an envelope": string(envelope), "log files in a list": `[{"Records":[` + userCall + `]},{"Records":[` + samlCall + `]}]`,
	} {
		list, err := trail.Records([]byte(text))
		if err != nil || len(list) == 0 {
			t.Errorf("%s: %d records, %v", name, len(list), err)
			continue
		}
		if _, ok, err := trail.ParseAssumption(list[0]); !ok || err != nil {
			t.Errorf("%s: the first record is not read: %v", name, err)
		}
	}
	for _, text := range []string{`"text"`, `7`, ``, `[1`, `[1]`} {
		if _, err := trail.Records([]byte(text)); err == nil {
			t.Errorf("%q is taken for records", text)
		}
	}
}
