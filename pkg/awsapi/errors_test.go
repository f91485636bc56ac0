package awsapi

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// answered makes the error that the SDK makes of an answer.
func answered(status int, code, message string) error {
	return &smithy.OperationError{ServiceID: "IAM", OperationName: "X", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      &smithy.GenericAPIError{Code: code, Message: message},
	}}
}

// unanswered makes the error that the SDK makes when no answer came.
func unanswered(err error) error {
	return &smithy.OperationError{ServiceID: "IAM", OperationName: "X", Err: &smithyhttp.RequestSendError{Err: err}}
}

func every() []error {
	return []error{
		role.ErrNotFound, role.ErrAccessDenied, role.ErrThrottled, role.ErrUnmodifiable, role.ErrLimit,
		role.ErrInvalidPrincipal, role.ErrMalformed, role.ErrConflict, role.ErrUncertain,
	}
}

// Each error is of one kind at most, and a write's is uncertain exactly when it
// may have had an effect.
func TestErrorsAreSortedOnce(t *testing.T) {
	tests := []struct {
		name        string
		err         error
		read, write error
	}{
		{"no such role", answered(404, "NoSuchEntity", "gone"), role.ErrNotFound, role.ErrNotFound},
		{"no such account", answered(400, "AccountNotFoundException", ""), role.ErrNotFound, role.ErrNotFound},
		{"denied", answered(403, "AccessDenied", ""), role.ErrAccessDenied, role.ErrAccessDenied},
		{"denied elsewhere", answered(400, "AccessDeniedException", ""), role.ErrAccessDenied, role.ErrAccessDenied},
		{"expired", answered(403, "ExpiredToken", ""), nil, nil},
		{"expired elsewhere", answered(400, "ExpiredTokenException", ""), nil, nil},
		{"signed too long ago", answered(400, "RequestExpired", ""), nil, nil},
		{"keys of a role made again", answered(403, "InvalidClientTokenId", ""), nil, nil},
		{"keys not known elsewhere", answered(400, "UnrecognizedClientException", ""), nil, nil},
		{"keys that do not fit", answered(403, "SignatureDoesNotMatch", ""), nil, nil},
		{"throttled", answered(400, "Throttling", "Rate exceeded"), role.ErrThrottled, role.ErrThrottled},
		{"throttled by a 503", answered(503, "SlowDown", ""), role.ErrThrottled, role.ErrThrottled},
		{"service-linked", answered(400, "UnmodifiableEntity", ""), role.ErrUnmodifiable, role.ErrUnmodifiable},
		{"quota", answered(409, "LimitExceeded", ""), role.ErrLimit, role.ErrLimit},
		{"principal", answered(400, "MalformedPolicyDocument", `Invalid principal in policy: "AWS":"arn:x"`), role.ErrInvalidPrincipal, role.ErrInvalidPrincipal},
		{"document", answered(400, "MalformedPolicyDocument", "Has prohibited field Resource"), role.ErrMalformed, role.ErrMalformed},
		{"race", answered(409, "ConcurrentModification", ""), role.ErrConflict, role.ErrConflict},
		{"refused otherwise", answered(400, "ValidationError", "no"), nil, nil},
		{"a fault of IAM", answered(500, "ServiceFailure", ""), nil, role.ErrUncertain},
		{"a fault without code", answered(502, "", ""), nil, role.ErrUncertain},
		{"a slow request", answered(408, "RequestTimeout", ""), nil, role.ErrUncertain},
		{"reset", unanswered(errors.New("connection reset by peer")), nil, role.ErrUncertain},
		{"not sent", unanswered(&net.OpError{Op: "dial", Err: errors.New("refused")}), nil, nil},
		{"cut off while sending", unanswered(&net.OpError{Op: "write", Err: errors.New("broken pipe")}), nil, role.ErrUncertain},
		{"unreadable answer", &smithy.DeserializationError{Err: errors.New("eof")}, nil, role.ErrUncertain},
		{"not made", &smithy.SerializationError{Err: errors.New("x")}, nil, nil},
		{"given up", &smithy.CanceledError{Err: errors.New("x")}, nil, role.ErrUncertain},
	}
	for _, test := range tests {
		for kind, got := range map[string]*CallError{"read": sorted(test.err), "write": sortedWrite(test.err)} {
			want := test.read
			if kind == "write" {
				want = test.write
			}
			for _, k := range every() {
				if is := errors.Is(got, k); is != errors.Is(want, k) {
					t.Errorf("%s, %s: is %q: %v", test.name, kind, k, is)
				}
			}
			if !errors.Is(got, test.err) {
				t.Errorf("%s, %s: the SDK's error is not kept", test.name, kind)
			}
		}
	}
}

// A code stands in one place only, or its kind would change from run to run.
func TestEveryCodeHasOneKind(t *testing.T) {
	where := map[string]error{}
	for kind, codes := range kinds() {
		for _, c := range codes {
			if other, ok := where[c]; ok {
				t.Errorf("%s is %q and %q", c, kind, other)
			}
			where[c] = kind
		}
	}
}

// The reason why credentials were refused is not buried under the call that needed them.
func TestRefusedCredentialsAreNamed(t *testing.T) {
	inner := sorted(answered(403, "AccessDenied", "not authorized"))
	inner.text = "assuming role r: " + inner.text
	outer := fmt.Errorf("get identity: get credentials: %w", inner)
	if got := sortedWrite(outer); got.Error() != "assuming role r: AccessDenied: not authorized" || !errors.Is(got, role.ErrAccessDenied) {
		t.Errorf("got %v", got)
	}
}

// I11: what AWS quotes of a secret is masked in the error and in what it wraps.
func TestSecretsAreMaskedInErrors(t *testing.T) {
	secret := NewSecret("s3cret-value")
	for _, err := range []error{answered(400, "ValidationError", "Value 's3cret-value' at 'externalId'"), unanswered(errors.New("s3cret-value"))} {
		got := sorted(err, NewSecret(""), secret)
		if strings.Contains(fmt.Sprintf("%v %+v %#v", got, got, got.Unwrap()), "s3cret") {
			t.Errorf("the secret is in %v", got)
		}
		if code(fmt.Errorf("opening: %w", got)) != code(err) {
			t.Errorf("the code is lost: %v", got)
		}
	}
}
