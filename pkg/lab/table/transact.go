package table

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"
)

// transactInput is TransactWriteItems.
type transactInput struct {
	TransactItems      []stepInput
	ClientRequestToken string
	Ignored

	steps []*writeInput
	// digest tells two bodies under one token apart.
	digest []byte
}

type stepInput struct {
	ConditionCheck *writeInput `json:"ConditionCheck,omitempty"`
	Put            *writeInput `json:"Put,omitempty"`
	Delete         *writeInput `json:"Delete,omitempty"`
	Update         *writeInput `json:"Update,omitempty"`
}

// write gives the one write of a step.
func (s stepInput) write() (*writeInput, error) {
	var out *writeInput
	for kind, one := range map[writeKind]*writeInput{checking: s.ConditionCheck, putting: s.Put, deleting: s.Delete, updating: s.Update} {
		if one == nil {
			continue
		}
		if out != nil {
			return nil, invalid("TransactItems can only contain one of Check, Put, Update or Delete")
		}
		one.kind = kind
		out = one
	}
	if out == nil {
		return nil, invalid("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")
	}
	if out.kind == updating && out.UpdateExpression == nil {
		return nil, invalid("1 validation error detected: Value null at 'transactItems.1.member.update.updateExpression' failed to satisfy constraint: Member must not be null")
	}
	return out, nil
}

func (in *transactInput) check() error {
	if n := len(in.TransactItems); n == 0 || n > maxSteps {
		return constraint(n, "transactItems", "Member must have length less than or equal to 100 and greater than or equal to 1")
	}
	if len(in.ClientRequestToken) > 36 {
		return constraint(in.ClientRequestToken, "clientRequestToken", "Member must have length less than or equal to 36")
	}
	for _, one := range in.TransactItems {
		step, err := one.write()
		if err != nil {
			return err
		}
		if err := step.check(); err != nil {
			return err
		}
		in.steps = append(in.steps, step)
	}
	if in.ClientRequestToken == "" {
		return nil
	}
	body, err := digest(in.TransactItems)
	sum := sha256.Sum256(body)
	in.digest = sum[:]
	return err
}

func (in *transactInput) names() []string {
	var out []string
	for _, step := range in.steps {
		out = append(out, step.TableName)
	}
	return out
}

func (in *transactInput) needs(t *Tables) []Need {
	var out []Need
	for _, step := range in.steps {
		out = append(out, step.needs(t)...)
	}
	return out
}

func (in *transactInput) run(t *Tables, _ View) (Answer, error) {
	done, err := t.tokens.done(in.ClientRequestToken, in.digest, t.config.Now())
	if done || err != nil {
		return Answer{}, err
	}
	effects, err := in.plan(t)
	if err != nil {
		return nil, err
	}
	t.write++
	for _, e := range effects {
		e.do(t.write)
	}
	t.tokens.keep(in.ClientRequestToken, in.digest, t.config.Now())
	return Answer{}, nil
}

// plan says what all steps would do, or why each of them would not.
func (in *transactInput) plan(t *Tables) ([]effect, error) {
	var effects []effect
	reasons, canceled := make([]Reason, len(in.steps)), false
	seen, size := map[string]bool{}, 0
	for n, step := range in.steps {
		e, err := step.plan(t)
		var p *Problem
		switch {
		case e.table == nil:
			return nil, err
		case errors.As(err, &p):
			reasons[n], canceled = p.reason(), true
		case err != nil:
			return nil, err
		default:
			reasons[n].Code = "None"
		}
		if e.key.part != "" {
			id := e.table.name + "\x00" + e.key.id()
			if seen[id] {
				return nil, invalid("Transaction request cannot include multiple operations on one item")
			}
			seen[id] = true
		}
		size += max(e.before.size(), e.after.size())
		effects = append(effects, e)
	}
	switch {
	case canceled:
		return nil, Canceled(reasons)
	case size > maxStepBytes:
		return nil, invalid("The aggregate size of the items in the transaction cannot exceed 4 MB")
	}
	return effects, nil
}

// reason is how a step's own error stands in a canceled transaction.
func (p *Problem) reason() Reason {
	if p.Code == "ConditionalCheckFailedException" {
		return Reason{Code: conditionCode, Message: p.Message, Item: p.Item}
	}
	return Reason{Code: "ValidationError", Message: p.Message}
}

// Canceled is the error of a transaction that was not done.
func Canceled(reasons []Reason) *Problem {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.Code
	}
	p := failed("TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
	p.Reasons = reasons
	return p
}

// Steps is how many steps a transaction has; 0 for a call that is none.
func (c *Call) Steps() int {
	switch in := c.input.(type) {
	case *transactInput:
		return len(in.steps)
	case *transactGetInput:
		return len(in.TransactItems)
	default:
		return 0
	}
}

// tokens are those of the transactions that were done within ten minutes.
type tokens struct {
	seen  map[string]spent
	order []string
}

type spent struct {
	digest []byte
	at     time.Time
}

// remembered is how long a token makes a repetition harmless. Amazon DynamoDB
// API Reference, API_TransactWriteItems.
const remembered = 10 * time.Minute

// done says whether the transaction of a token was done.
func (t *tokens) done(token string, digest []byte, now time.Time) (bool, error) {
	for len(t.order) > 0 && now.Sub(t.seen[t.order[0]].at) >= remembered {
		delete(t.seen, t.order[0])
		t.order = t.order[1:]
	}
	before, ok := t.seen[token]
	if ok && !bytes.Equal(before.digest, digest) {
		return false, failed("IdempotentParameterMismatchException", "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests.")
	}
	return ok, nil
}

func (t *tokens) keep(token string, digest []byte, now time.Time) {
	if token == "" {
		return
	}
	t.seen[token] = spent{digest: slices.Clone(digest), at: now}
	t.order = append(t.order, token)
}
