package lab

import (
	"fmt"
	"net/http"

	"github.com/rolewarden/rolewarden/pkg/lab/table"
)

// problem is an error as an AWS API answers it. trail is its name in
// CloudTrail, when that differs from the code on the wire.
type problem struct {
	status  int
	code    string
	message string
	trail   string
	// table is the whole of an error of DynamoDB's.
	table *table.Problem
}

// Error gives code and message.
func (p *problem) Error() string { return p.code + ": " + p.message }

func (p *problem) trailCode() string {
	if p.trail != "" {
		return p.trail
	}
	return p.code
}

// fail makes a problem of an IAM or STS error, whose CloudTrail name ends in
// "Exception".
func fail(status int, code, format string, args ...any) *problem {
	return &problem{status: status, code: code, message: fmt.Sprintf(format, args...), trail: code + "Exception"}
}

// failPlain makes a problem whose CloudTrail name is the code itself.
func failPlain(status int, code, format string, args ...any) *problem {
	return &problem{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func noSuch(kind, name string) *problem {
	return fail(http.StatusNotFound, "NoSuchEntity", "The %s with name %s cannot be found.", kind, name)
}

func exists(kind, name string) *problem {
	return fail(http.StatusConflict, "EntityAlreadyExists", "%s with name %s already exists.", kind, name)
}

func deleteConflict(text string) *problem {
	return fail(http.StatusConflict, "DeleteConflict", "%s", text)
}

func limitExceeded(format string, args ...any) *problem {
	return fail(http.StatusConflict, "LimitExceeded", format, args...)
}

func malformedPolicy(format string, args ...any) *problem {
	return fail(http.StatusBadRequest, "MalformedPolicyDocument", format, args...)
}

func invalidInput(format string, args ...any) *problem {
	return fail(http.StatusBadRequest, "InvalidInput", format, args...)
}

func unmodifiable(role string) *problem {
	return fail(http.StatusBadRequest, "UnmodifiableEntity",
		"Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", role)
}

func validation(format string, args ...any) *problem {
	p := failPlain(http.StatusBadRequest, "ValidationError", format, args...)
	p.trail = "ValidationException"
	return p
}

func accessDenied(format string, args ...any) *problem {
	return failPlain(http.StatusForbidden, "AccessDenied", format, args...)
}

func internalFailure(err error) *problem {
	return failPlain(http.StatusInternalServerError, "InternalFailure", "%v", err)
}
