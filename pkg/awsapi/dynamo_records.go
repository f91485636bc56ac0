package awsapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// The records below are what lies in the table for years: their field names
// are kept apart from those of the Go values, which may be renamed.

type intentRecord struct {
	Account   string          `json:"account"`
	EventID   string          `json:"eventId"`
	InAccount string          `json:"roleAccount"`
	Role      string          `json:"role"`
	RoleID    string          `json:"roleId"`
	Decision  string          `json:"decision"`
	Action    decision.Action `json:"action"`
	Reasons   []string        `json:"reasons,omitempty"`
	Rules     []string        `json:"rules,omitempty"`
	RulesHash string          `json:"rulesHash,omitempty"`
	DecidedAt time.Time       `json:"decidedAt"`
	Before    string          `json:"before"`
	After     string          `json:"after"`
	At        time.Time       `json:"at"`
}

func recordOfIntent(i ledger.Intent) intentRecord {
	return intentRecord{
		Account: i.Event.Account, EventID: i.Event.EventID, InAccount: i.Role.Account, Role: i.Role.Name, RoleID: i.RoleID,
		Decision: i.Decision.ID, Action: i.Decision.Action, Reasons: i.Decision.Reasons, Rules: i.Decision.Rules,
		RulesHash: i.Decision.RulesHash, DecidedAt: i.Decision.At, Before: i.Before, After: i.After, At: i.At,
	}
}

func (r intentRecord) intent() ledger.Intent {
	return ledger.Intent{
		Event: ledger.Key{Account: r.Account, EventID: r.EventID}, Role: role.Ref{Account: r.InAccount, Name: r.Role}, RoleID: r.RoleID,
		Decision: decision.Decision{ID: r.Decision, Action: r.Action, Reasons: r.Reasons, Rules: r.Rules, RulesHash: r.RulesHash, At: r.DecidedAt},
		Before:   r.Before, After: r.After, At: r.At,
	}
}

type stateRecord struct {
	Account   string            `json:"account"`
	RoleID    string            `json:"roleId"`
	Name      string            `json:"name"`
	ARN       string            `json:"arn"`
	Document  string            `json:"document"`
	Digest    string            `json:"digest"`
	Since     time.Time         `json:"since"`
	EventIn   string            `json:"eventAccount"`
	EventID   string            `json:"eventId"`
	EventTime time.Time         `json:"eventTime"`
	Actor     string            `json:"actor,omitempty"`
	Verdict   finding.Verdict   `json:"verdict"`
	OpenRules []string          `json:"openRules,omitempty"`
	RulesHash string            `json:"rulesHash,omitempty"`
	Action    decision.Action   `json:"action"`
	Decided   decision.Action   `json:"decided"`
	Decision  string            `json:"decision,omitempty"`
	AlertID   string            `json:"alertId,omitempty"`
	Trusts    []principalRecord `json:"trusts,omitempty"`
	UpdatedAt time.Time         `json:"updatedAt"`
}

type principalRecord struct {
	Account string `json:"account"`
	Kind    string `json:"kind"`
	Name    string `json:"name"`
}

func recordOfState(s ledger.RoleState) stateRecord {
	r := stateRecord{
		Account: s.Account, RoleID: s.RoleID, Name: s.Name, ARN: s.ARN, Document: s.Document, Digest: s.Digest, Since: s.Since,
		EventIn: s.Event.Account, EventID: s.Event.EventID, EventTime: s.EventTime, Actor: s.Actor, Verdict: s.Verdict,
		OpenRules: s.OpenRules, RulesHash: s.RulesHash, Action: s.Action, Decided: s.Decided, Decision: s.Decision, AlertID: s.AlertID, UpdatedAt: s.UpdatedAt,
	}
	for _, p := range s.Trusts {
		r.Trusts = append(r.Trusts, principalRecord(p))
	}
	return r
}

func (r stateRecord) state() ledger.RoleState {
	s := ledger.RoleState{
		Account: r.Account, RoleID: r.RoleID, Name: r.Name, ARN: r.ARN, Document: r.Document, Digest: r.Digest, Since: r.Since,
		Event: ledger.Key{Account: r.EventIn, EventID: r.EventID}, EventTime: r.EventTime, Actor: r.Actor, Verdict: r.Verdict,
		OpenRules: r.OpenRules, RulesHash: r.RulesHash, Action: r.Action, Decided: r.Decided, Decision: r.Decision, AlertID: r.AlertID, UpdatedAt: r.UpdatedAt,
	}
	for _, p := range r.Trusts {
		s.Trusts = append(s.Trusts, ledger.PrincipalKey(p))
	}
	return s
}

type baselineRecord struct {
	Account    string            `json:"account"`
	RoleID     string            `json:"roleId"`
	Document   string            `json:"document"`
	Digest     string            `json:"digest"`
	Principals map[string]string `json:"principals,omitempty"`
	Actor      string            `json:"actor,omitempty"`
	EventID    string            `json:"eventId,omitempty"`
	RulesHash  string            `json:"rulesHash,omitempty"`
	Since      time.Time         `json:"since"`
	Sealed     time.Time         `json:"sealed"`
	Seal       []byte            `json:"seal,omitempty"`
}

// maxBody leaves room in an item, which has 400 KB, for its keys and other attributes.
const maxBody = 380_000

// squeezeFrom is the length from which squeezing pays.
const squeezeFrom = 1024

// pack makes one attribute of a record: JSON, squeezed when long. A trust
// policy has at most a few thousand characters besides white space, so two of
// the largest fit many times over.
func pack(record any) (types.AttributeValue, error) {
	plain, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("writing a record: %w", err)
	}
	if len(plain) < squeezeFrom {
		return &types.AttributeValueMemberB{Value: plain}, nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(plain); err != nil {
		return nil, fmt.Errorf("squeezing a record: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("squeezing a record: %w", err)
	}
	if b.Len() > maxBody {
		return nil, fmt.Errorf("writing a record: it has %d bytes squeezed and may have %d: %w", b.Len(), maxBody, role.ErrLimit)
	}
	return &types.AttributeValueMemberB{Value: b.Bytes()}, nil
}

// maxPlain bounds what one record may unfold to.
const maxPlain = 4 << 20

// unpack reads what pack made.
func unpack[T any](i item, name string) (T, error) {
	var record T
	v, ok := i[name].(*types.AttributeValueMemberB)
	if !ok {
		return record, fmt.Errorf("reading a record: the item has no %s", name)
	}
	plain := v.Value
	if bytes.HasPrefix(plain, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(plain))
		if err != nil {
			return record, fmt.Errorf("reading a record: %w", err)
		}
		if plain, err = io.ReadAll(io.LimitReader(z, maxPlain+1)); err != nil {
			return record, fmt.Errorf("reading a record: %w", err)
		}
		if len(plain) > maxPlain {
			return record, errors.New("reading a record: it is larger than any that is written")
		}
	}
	if err := json.Unmarshal(plain, &record); err != nil {
		return record, fmt.Errorf("reading a record: %w", err)
	}
	return record, nil
}
