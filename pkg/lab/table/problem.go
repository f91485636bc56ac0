package table

import (
	"fmt"
	"net/http"
	"strings"
)

// Problem is an error as DynamoDB answers it.
type Problem struct {
	Status        int
	Code, Message string
	// Item is what stands where a condition did not hold, when it was asked for.
	Item Item
	// Reasons say, step by step, why a transaction was canceled.
	Reasons []Reason
}

// Reason is why a step canceled its transaction; Code is "None" for a step
// that did not.
type Reason struct {
	Code    string `json:"Code"`
	Message string `json:"Message,omitempty"`
	Item    Item   `json:"Item,omitempty"`
}

// Error gives code and message.
func (p *Problem) Error() string { return p.Code + ": " + p.Message }

// Type is the error's name on the wire.
func (p *Problem) Type() string {
	switch p.Code {
	case "ValidationException":
		return "com.amazon.coral.validate#" + p.Code
	case "SerializationException", "UnknownOperationException", "AccessDeniedException", "InvalidSignatureException",
		"UnrecognizedClientException", "ExpiredTokenException", "MissingAuthenticationToken", "IncompleteSignature":
		return "com.amazon.coral.service#" + p.Code
	default:
		return "com.amazonaws.dynamodb.v20120810#" + p.Code
	}
}

// Fields are the members of the error's body.
func (p *Problem) Fields() map[string]any {
	out := map[string]any{"__type": p.Type(), "message": p.Message}
	if p.Item != nil {
		out["Item"] = p.Item
	}
	if p.Reasons != nil {
		delete(out, "message")
		out["Message"], out["CancellationReasons"] = p.Message, p.Reasons
	}
	return out
}

func failed(code, format string, args ...any) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: code, Message: strings.ToValidUTF8(fmt.Sprintf(format, args...), "?")}
}

func invalid(format string, args ...any) *Problem {
	return failed("ValidationException", format, args...)
}

// wrong is a parameter's value that cannot be.
func wrong(format string, args ...any) *Problem {
	return invalid("One or more parameter values were invalid: "+format, args...)
}

func constraint(value any, field, what string) *Problem {
	return invalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, field, what)
}

func noTable(name string) *Problem {
	return failed("ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
}

const conditionCode = "ConditionalCheckFailed"

func conditionFailed(item Item) *Problem {
	p := failed("ConditionalCheckFailedException", "The conditional request failed")
	p.Item = item
	return p
}
