package awsapi

import (
	"time"

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
	WasDigest string          `json:"beforeDigest,omitempty"`
	NewDigest string          `json:"afterDigest,omitempty"`
	Boundary  string          `json:"boundary,omitempty"`
	Void      bool            `json:"void,omitempty"`
	Payment   string          `json:"payment,omitempty"`
	EventTime time.Time       `json:"eventTime,omitzero"`
	Contains  bool            `json:"contains,omitempty"`
	ReadAt    time.Time       `json:"readAt"`
	At        time.Time       `json:"at"`
	WrittenAt time.Time       `json:"writtenAt,omitzero"`
}

func recordOfIntent(i ledger.Intent) intentRecord {
	return intentRecord{
		Account: i.Event.Account, EventID: i.Event.EventID, InAccount: i.Role.Account, Role: i.Role.Name, RoleID: i.RoleID,
		Decision: i.Decision.ID, Action: i.Decision.Action, Reasons: i.Decision.Reasons, Rules: i.Decision.Rules,
		RulesHash: i.Decision.RulesHash, DecidedAt: i.Decision.At, Before: i.Before, After: i.After,
		WasDigest: i.BeforeDigest, NewDigest: i.AfterDigest, Boundary: i.Boundary, Void: i.Void, Payment: i.Payment, EventTime: i.EventTime, Contains: i.Contains, ReadAt: i.ReadAt, At: i.At, WrittenAt: i.WrittenAt,
	}
}

func (r intentRecord) intent() ledger.Intent {
	return ledger.Intent{
		Event: ledger.Key{Account: r.Account, EventID: r.EventID}, Role: role.Ref{Account: r.InAccount, Name: r.Role}, RoleID: r.RoleID,
		Decision: decision.Decision{ID: r.Decision, Action: r.Action, Reasons: r.Reasons, Rules: r.Rules, RulesHash: r.RulesHash, At: r.DecidedAt},
		Before:   r.Before, After: r.After, BeforeDigest: r.WasDigest, AfterDigest: r.NewDigest,
		Boundary: r.Boundary, Void: r.Void, Payment: r.Payment, EventTime: r.EventTime, Contains: r.Contains, ReadAt: r.ReadAt, At: r.At, WrittenAt: r.WrittenAt,
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
	Findings  []notedRecord     `json:"findings,omitempty"`
	RulesHash string            `json:"rulesHash,omitempty"`
	LeftUnder string            `json:"leftUnder,omitempty"`
	Changers  []string          `json:"changers,omitempty"`
	Action    decision.Action   `json:"action"`
	Decided   decision.Action   `json:"decided"`
	Decision  string            `json:"decision,omitempty"`
	AlertID   string            `json:"alertId,omitempty"`
	ToldIn    string            `json:"toldAccount,omitempty"`
	ToldBy    string            `json:"toldEventId,omitempty"`
	Untold    bool              `json:"untold,omitempty"`
	Trusts    []principalRecord `json:"trusts,omitempty"`
	IDs       map[string]string `json:"principals,omitempty"`
	// Shown are the unique ids that the document shows, since when.
	Shown     map[string]time.Time `json:"shown,omitempty"`
	UpdatedAt time.Time            `json:"updatedAt"`
}

type principalRecord struct {
	Account string `json:"account"`
	Kind    string `json:"kind"`
	Name    string `json:"name"`
}

type notedRecord struct {
	Rule     string           `json:"rule"`
	Place    string           `json:"place"`
	Problem  string           `json:"problem"`
	Severity finding.Severity `json:"severity"`
}

func recordOfState(s ledger.RoleState) stateRecord {
	r := stateRecord{
		Account: s.Account, RoleID: s.RoleID, Name: s.Name, ARN: s.ARN, Document: s.Document, Digest: s.Digest, Since: s.Since,
		EventIn: s.Event.Account, EventID: s.Event.EventID, EventTime: s.EventTime, Actor: s.Actor, Verdict: s.Verdict,
		OpenRules: s.OpenRules, RulesHash: s.RulesHash, Action: s.Action, Decided: s.Decided, Decision: s.Decision, AlertID: s.AlertID, UpdatedAt: s.UpdatedAt,
		IDs: s.Principals, LeftUnder: s.LeftUnder, Changers: s.Changers, ToldIn: s.Told.Account, ToldBy: s.Told.EventID, Untold: s.Untold, Shown: s.Shown,
	}
	for _, p := range s.Trusts {
		r.Trusts = append(r.Trusts, principalRecord(p))
	}
	for _, n := range s.Findings {
		r.Findings = append(r.Findings, notedRecord(n))
	}
	return r
}

func (r stateRecord) state() ledger.RoleState {
	s := ledger.RoleState{
		Account: r.Account, RoleID: r.RoleID, Name: r.Name, ARN: r.ARN, Document: r.Document, Digest: r.Digest, Since: r.Since,
		Event: ledger.Key{Account: r.EventIn, EventID: r.EventID}, EventTime: r.EventTime, Actor: r.Actor, Verdict: r.Verdict,
		OpenRules: r.OpenRules, RulesHash: r.RulesHash, Action: r.Action, Decided: r.Decided, Decision: r.Decision, AlertID: r.AlertID, UpdatedAt: r.UpdatedAt,
		Principals: r.IDs, LeftUnder: r.LeftUnder, Changers: r.Changers, Told: ledger.Key{Account: r.ToldIn, EventID: r.ToldBy}, Untold: r.Untold, Shown: r.Shown,
	}
	for _, p := range r.Trusts {
		s.Trusts = append(s.Trusts, ledger.PrincipalKey(p))
	}
	for _, n := range r.Findings {
		s.Findings = append(s.Findings, ledger.Noted(n))
	}
	return s
}

type baselineRecord struct {
	Account    string            `json:"account"`
	RoleID     string            `json:"roleId"`
	Document   string            `json:"document"`
	Digest     string            `json:"digest"`
	Principals map[string]string `json:"principals,omitempty"`
	Provenance role.Provenance   `json:"provenance"`
	Actor      string            `json:"actor,omitempty"`
	EventID    string            `json:"eventId,omitempty"`
	RulesHash  string            `json:"rulesHash,omitempty"`
	Since      time.Time         `json:"since"`
	Sealed     time.Time         `json:"sealed"`
	Seal       []byte            `json:"seal,omitempty"`
}

type writtenRecord struct {
	Account      string    `json:"account"`
	RoleID       string    `json:"roleId"`
	Decision     string    `json:"decision"`
	EventIn      string    `json:"eventAccount"`
	EventID      string    `json:"eventId"`
	EventTime    time.Time `json:"eventTime,omitzero"`
	ReadAt       time.Time `json:"readAt"`
	At           time.Time `json:"at"`
	WrittenAt    time.Time `json:"writtenAt,omitzero"`
	BeforeDigest string    `json:"beforeDigest,omitempty"`
	AfterDigest  string    `json:"afterDigest,omitempty"`
}

func recordOfWritten(i ledger.Intent) writtenRecord {
	w := i.Written()
	return writtenRecord{
		Account: i.Role.Account, RoleID: i.RoleID, Decision: w.Decision, EventIn: w.Event.Account, EventID: w.Event.EventID,
		EventTime: w.EventTime, ReadAt: w.ReadAt, At: w.At, WrittenAt: w.WrittenAt, BeforeDigest: w.BeforeDigest, AfterDigest: w.AfterDigest,
	}
}

func (r writtenRecord) written() ledger.Written {
	return ledger.Written{
		Decision: r.Decision, Event: ledger.Key{Account: r.EventIn, EventID: r.EventID},
		EventTime: r.EventTime, ReadAt: r.ReadAt, At: r.At, WrittenAt: r.WrittenAt, BeforeDigest: r.BeforeDigest, AfterDigest: r.AfterDigest,
	}
}

type wordRecord struct {
	Account  string    `json:"account"`
	RoleID   string    `json:"roleId"`
	Digest   string    `json:"digest"`
	By       string    `json:"by"`
	Reason   string    `json:"reason,omitempty"`
	Decision string    `json:"decision,omitempty"`
	At       time.Time `json:"at"`
	Until    time.Time `json:"until"`
}

type breakerRecord struct {
	Scope     string        `json:"scope"`
	Limit     int           `json:"limit"`
	Count     int           `json:"count"`
	Window    time.Duration `json:"windowNanoseconds"`
	TrippedAt time.Time     `json:"trippedAt"`
	Token     string        `json:"token"`
}

type sweepRecord struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	RulesHash string    `json:"rulesHash,omitempty"`
	Accounts  []string  `json:"accounts,omitempty"`
}

type sweptRecord struct {
	Sweep   string         `json:"sweep"`
	Account string         `json:"account"`
	Marker  string         `json:"marker,omitempty"`
	Ended   time.Time      `json:"ended"`
	Problem string         `json:"problem,omitempty"`
	Counts  map[string]int `json:"counts,omitempty"`
	Notes   []byte         `json:"notes,omitempty"`
}
