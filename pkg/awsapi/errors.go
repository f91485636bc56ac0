package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// CallError is an AWS call that did not succeed. It wraps one of the errors of
// the room role where one fits, and the SDK's own error.
type CallError struct {
	// Code is AWS's error code; empty when no answer came.
	Code string
	// RequestID is what AWS asks for when one asks AWS.
	RequestID string
	text      string
	kind      error
	cause     error
}

// Error gives AWS's code and words, and the request's id.
func (e *CallError) Error() string {
	if e.RequestID == "" {
		return e.text
	}
	return fmt.Sprintf("%s (request id %s)", e.text, e.RequestID)
}

// Unwrap gives the error's kind and the SDK's error.
func (e *CallError) Unwrap() []error {
	var out []error
	for _, err := range []error{e.kind, e.cause} {
		if err != nil {
			out = append(out, err)
		}
	}
	return out
}

// kinds sorts AWS's codes. Services spell the same thing differently: each
// code is in the API Reference of IAM, STS, DynamoDB, SQS, SNS, Organizations
// or Secrets Manager, or in their common errors.
func kinds() map[error][]string {
	return map[error][]string{
		role.ErrNotFound: {
			"NoSuchEntity", "NoSuchEntityException", "AccountNotFoundException", "ResourceNotFoundException",
			"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NotFound", "NotFoundException",
		},
		role.ErrAccessDenied: {
			"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "NotAuthorized",
			"IncompleteSignature", "OptInRequired", "RegionDisabledException", "KMSAccessDeniedException",
			"AccountAccessDenied", "MissingAuthenticationToken",
		},
		role.ErrThrottled: {
			"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
			"RequestLimitExceeded", "TooManyRequestsException", "ProvisionedThroughputExceededException",
			"SlowDown", "KMSThrottlingException", "KmsThrottled",
		},
		role.ErrUnmodifiable:     {"UnmodifiableEntity", "UnmodifiableEntityException"},
		role.ErrLimit:            {"LimitExceeded", "LimitExceededException", "PackedPolicyTooLarge", "PackedPolicyTooLargeException"},
		role.ErrMalformed:        {"MalformedPolicyDocument", "MalformedPolicyDocumentException"},
		role.ErrInvalidPrincipal: {},
		role.ErrConflict: {
			"ConcurrentModification", "ConcurrentModificationException", "EntityTemporarilyUnmodifiable",
			"TransactionConflictException", "TransactionInProgressException",
		},
	}
}

// kindOf gives the error of the room role that a code stands for; nil when
// none does.
func kindOf(code, message string) error {
	for kind, codes := range kinds() {
		for _, c := range codes {
			if c != code {
				continue
			}
			// IAM has one code for a bad document and for a principal that is
			// gone or not yet there; only its words differ.
			if errors.Is(kind, role.ErrMalformed) && strings.Contains(strings.ToLower(message), "invalid principal") {
				return role.ErrInvalidPrincipal
			}
			return kind
		}
	}
	return nil
}

// stale says whether AWS refused the credentials and not the call: they have
// expired, or the role or key that they are of was made again. New ones may do,
// so this is no refusal to be told as a gap in coverage, and the call is one to
// repeat (IAM API Reference, CommonErrors).
func stale(err error) bool {
	switch code(err) {
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch":
		return true
	default:
		return false
	}
}

// code gives AWS's error code, or nothing when the error is none of AWS's answers.
func code(err error) string {
	// One whose text held a secret no longer wraps the SDK's error.
	var sorted *CallError
	if errors.As(err, &sorted) {
		return sorted.Code
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// sorted gives the error of a call that did not succeed as a CallError; none
// of the secrets is in its text.
func sorted(err error, secrets ...Secret) *CallError {
	var before *CallError
	if errors.As(err, &before) {
		// The call needed credentials, and getting those did not succeed.
		return before
	}
	e := &CallError{text: err.Error(), cause: err}
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) {
		e.RequestID = answer.ServiceRequestID()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Code = api.ErrorCode()
		e.text = e.Code + ": " + api.ErrorMessage()
		e.kind = kindOf(e.Code, api.ErrorMessage())
	}
	for _, s := range secrets {
		if s.Reveal() == "" || !strings.Contains(err.Error(), s.Reveal()) {
			continue
		}
		// The SDK's error would give the secret to whoever prints it.
		e.text = strings.ReplaceAll(e.text, s.Reveal(), s.String())
		e.cause = endOf(err)
	}
	return e
}

// endOf keeps of an error only whether its time was up.
func endOf(err error) error {
	for _, end := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, end) {
			return end
		}
	}
	return nil
}

// sortedWrite is sorted for a call that writes: where the call may have had an
// effect, the error is role.ErrUncertain too.
func sortedWrite(err error) *CallError {
	e := sorted(err)
	if e.kind == nil && !harmless(err) {
		e.kind = role.ErrUncertain
		e.text += ": " + role.ErrUncertain.Error()
	}
	return e
}

// harmless says whether a failed call surely had no effect: AWS refused it, or
// it never left.
func harmless(err error) bool {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.Response != nil && answer.Response.Response != nil && answer.HTTPStatusCode() != 0 {
		status := answer.HTTPStatusCode()
		var api smithy.APIError
		return errors.As(err, &api) && status >= 400 && status < 500 && status != http.StatusRequestTimeout
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return true
	}
	var params smithy.InvalidParamsError
	var serial *smithy.SerializationError
	return errors.As(err, &params) || errors.As(err, &serial)
}
