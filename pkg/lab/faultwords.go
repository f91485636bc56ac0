package lab

import (
	"net/http"

	"github.com/rolewarden/rolewarden/pkg/lab/table"
)

// at gives the error that the fault answers on one side of the effect, nil for
// none.
func (f Fault) at(when Moment, req *request) error {
	if f.When != when {
		return nil
	}
	if p := f.problem(req); p != nil {
		return p
	}
	return nil
}

// bend changes what a call sees.
func (f Fault) bend(req *request) {
	req.stale, req.part = f.Kind == StaleRead, f.Kind == PartialAnswer
	if !req.part {
		return
	}
	if req.form != nil {
		req.form.Set("MaxItems", "1")
	}
	if req.body != nil {
		req.body["MaxResults"] = 1.0
	}
}

// problem is the error that a fault stands for; nil for one that lets the call
// run.
func (f Fault) problem(req *request) *problem {
	switch f.Kind {
	case NoFault, TimeoutBefore, TimeoutAfter, Malformed, StaleRead, PartialAnswer:
		return nil
	case Throttle:
		return throttled(req)
	case ServerError:
		return serverError(req)
	case AccessDenied:
		return accessDenied("User: %s is not authorized to perform: %s:%s on resource: %s",
			req.caller.arn(), req.service, req.action, req.resource)
	case NotFound:
		return notFound(req)
	case UnmodifiableEntity:
		return unmodifiable(req.resource)
	case LimitExceeded:
		return overLimit(req)
	case ConcurrentModification:
		return concurrent(req)
	case RefusePolicy:
		return malformedPolicy("Syntax errors in policy.")
	default:
		return nil
	}
}

func throttled(req *request) *problem {
	switch {
	case req.service == "dynamodb" && req.table != nil && req.table.Steps() > 0:
		return canceled(req, "ThrottlingError", "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly.")
	case req.service == "dynamodb":
		return failPlain(http.StatusBadRequest, "ProvisionedThroughputExceededException",
			"The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.")
	case req.service == "organizations":
		return failPlain(http.StatusBadRequest, "TooManyRequestsException", "You have sent too many requests in too short a period of time.")
	}
	p := failPlain(http.StatusBadRequest, "Throttling", "Rate exceeded")
	p.trail = "ThrottlingException"
	return p
}

// canceled is a transaction of which each step was canceled for one reason.
func canceled(req *request, code, message string) *problem {
	reasons := make([]table.Reason, req.table.Steps())
	for i := range reasons {
		reasons[i] = table.Reason{Code: code, Message: message}
	}
	whole := table.Canceled(reasons)
	return &problem{status: whole.Status, code: whole.Code, message: whole.Message, table: whole}
}

func serverError(req *request) *problem {
	const text = "The request processing has failed because of an unknown error."
	code := map[string]string{
		"dynamodb": "InternalServerError", "kms": "KMSInternalException", "organizations": "ServiceException",
		"secretsmanager": "InternalServiceError", "sqs": "InternalError", "sns": "InternalError", "sts": "InternalFailure", "events": "InternalException",
	}[req.service]
	if code == "" {
		return fail(http.StatusInternalServerError, "ServiceFailure", text)
	}
	return failPlain(http.StatusInternalServerError, code, text)
}

func notFound(req *request) *problem {
	switch req.service {
	case "dynamodb":
		return failPlain(http.StatusBadRequest, "ResourceNotFoundException", "Requested resource not found: Table: %s not found", req.resource)
	case "secretsmanager":
		return noSecret()
	case "events":
		return noRule(req.resource)
	case "organizations":
		return failPlain(http.StatusBadRequest, "AccountNotFoundException", "You specified an account that doesn't exist.")
	case "sns":
		return failPlain(http.StatusNotFound, "NotFound", "Topic does not exist")
	case "sqs":
		return noQueue()
	case "kms":
		return kmsNotFound("Key '" + req.text("KeyId") + "' does not exist")
	default:
		return noSuch("role", req.resource)
	}
}

func overLimit(req *request) *problem {
	switch req.service {
	case "dynamodb":
		return failPlain(http.StatusBadRequest, "RequestLimitExceeded", "Throughput exceeds the current throughput limit for your account.")
	case "kms":
		return failPlain(http.StatusBadRequest, "LimitExceededException", "The request was rejected because a quota was exceeded.")
	default:
		return limitExceeded("Cannot exceed quota for %s", req.action)
	}
}

func concurrent(req *request) *problem {
	const text = "Transaction is ongoing for the item"
	switch {
	case req.service == "dynamodb" && req.table != nil && req.table.Steps() > 0:
		return canceled(req, "TransactionConflict", text)
	case req.service == "dynamodb":
		return failPlain(http.StatusBadRequest, "TransactionConflictException", text)
	}
	return fail(http.StatusConflict, "ConcurrentModification",
		"Multiple requests to change the entity %s were submitted simultaneously.", req.resource)
}
