package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

type handleVerb struct {
	Paths []string `arg:"" name:"event" help:"EventBridge envelopes of CloudTrail events; a folder stands for every *.json below it, - for standard input." placeholder:"EVENT"`
	Rules string   `help:"The organization's rules file (YAML). Without it the organization is empty and every rule only observes." placeholder:"FILE"`
	form
}

// Help is the verb's long help.
func (handleVerb) Help() string {
	return `Each file holds one event as EventBridge delivers it. It goes through the whole line, the one of the Lambda function, in an organization in this process that is filled from the events themselves: their accounts, and each role with the trust policy that its event carries. What rolewarden would decide, do and tell is shown. Events are handled in the order given, with the time between them that lies between them: a document that stood for as long as the rules file asks for (a day) is what a later change of its role goes back to.

    rolewarden handle events/
    rolewarden handle --rules rules.yaml --format json event.json

Status: 0 nothing found; 1 a role is Noncompliant; 2 something is undecided, an event cannot be trusted to say what happened, or it does not carry the whole trust policy; 3 a file could not be read.`
}

// handledEvents is the JSON form of the result.
type handledEvents struct {
	Version int             `json:"version"`
	Events  []*handledEvent `json:"events"`
}

type handledEvent struct {
	Path     string            `json:"path"`
	Routed   bool              `json:"routed"`
	Event    string            `json:"event,omitempty"`
	EventID  string            `json:"eventId,omitempty"`
	Account  string            `json:"account,omitempty"`
	Time     time.Time         `json:"time,omitzero"`
	Actor    string            `json:"actor,omitempty"`
	Role     string            `json:"role,omitempty"`
	End      string            `json:"end"`
	Reason   string            `json:"reason"`
	Verdict  string            `json:"verdict,omitempty"`
	Findings []finding.Finding `json:"findings,omitempty"`
	Reasons  []string          `json:"reasons,omitempty"`
	Action   string            `json:"action,omitempty"`
	Done     string            `json:"done,omitempty"`
	Verified bool              `json:"verified,omitempty"`
	Calls    []string          `json:"calls,omitempty"`
	Alerts   []json.RawMessage `json:"alerts"`

	report finding.Report
	told   []alert.Alert
}

// The ends that the ledger does not know.
const (
	endIgnored    = "Ignored"
	endDeadLetter = "DeadLetter"
)

// envelopeLimit is how much of a file is read: one byte more than is taken.
const envelopeLimit = trail.MaxBytes

// Run handles every event.
func (v handleVerb) Run(s *session) (err error) {
	ctx := context.Background()
	o, err := s.organization(v.Rules)
	if err != nil {
		return err
	}
	type input struct {
		path string
		text []byte
	}
	var inputs []input
	var texts [][]byte
	for _, path := range s.files(v.Paths) {
		text, err := s.read(path, envelopeLimit)
		if err != nil {
			s.fault(err)
			continue
		}
		inputs, texts = append(inputs, input{path, text}), append(texts, text)
	}
	h, err := newHouse(ctx, houseOf(o, texts, s.now()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	result := handledEvents{Version: 1, Events: []*handledEvent{}}
	for _, in := range inputs {
		e, err := h.take(ctx, in.path, in.text)
		if err != nil {
			return fmt.Errorf("handling %s: %w", in.path, err)
		}
		s.end(e.status())
		result.Events = append(result.Events, e)
	}
	if v.Format == JSON {
		return writeLine(s.out, result)
	}
	return v.print(s, result)
}

// accountField finds the accounts that envelopes claim to be of.
var accountField = regexp.MustCompile(`"account"\s*:\s*"([0-9]{12})"`)

// houseOf is a house for the accounts that events and rules file name.
func houseOf(o *org.Rules, envelopes [][]byte, now time.Time) houseConfig {
	cfg := houseConfig{Rules: o, Hub: o.Organization.Management, Clock: &story{now: now}}
	add := func(a lab.Account) {
		if !slices.ContainsFunc(cfg.Accounts, func(b lab.Account) bool { return a.ID == b.ID }) {
			cfg.Accounts = append(cfg.Accounts, a)
		}
	}
	for _, id := range o.MemberIDs() {
		add(lab.Account{ID: id})
	}
	for _, text := range envelopes {
		for _, m := range accountField.FindAllSubmatch(text, -1) {
			add(lab.Account{ID: string(m[1])})
		}
	}
	for _, id := range o.PartnerIDs() {
		add(lab.Account{ID: id, Outside: true})
	}
	if cfg.Hub == "" {
		cfg.Hub = security
	}
	add(lab.Account{ID: cfg.Hub})
	return cfg
}

// take sends one event through the line.
func (h *house) take(ctx context.Context, path string, text []byte) (*handledEvent, error) {
	e := &handledEvent{Path: path, Routed: routed(text, h.rules), Alerts: []json.RawMessage{}}
	if err := h.meanwhile(ctx, text); err != nil {
		return nil, err
	}
	missing := h.stage(ctx, text)
	calls := len(h.lab.Calls())
	// The events of rolewarden's own writes are not followed here.
	h.hold()
	h.queue.push(message{body: text, due: h.clock.Now()})
	done, err := h.settle(ctx)
	h.release()
	if err != nil {
		return nil, err
	}
	e.End = endDeadLetter
	for _, d := range done {
		e.add(d)
	}
	for _, c := range h.lab.Calls()[calls:] {
		if strings.Contains(c.CallerARN, ":assumed-role/rolewarden-") {
			e.Calls = append(e.Calls, c.Service+":"+c.Action+" "+c.Resource)
		}
	}
	if missing != "" && e.End != endIgnored && e.Verdict == "" {
		e.Verdict, e.Reasons = finding.Undecided.String(), []string{missing}
	}
	return e, nil
}

// meanwhile lets the time pass that lies between an event and the one before,
// and seals what has stood by then.
func (h *house) meanwhile(ctx context.Context, text []byte) error {
	c, err := trail.Parse(text)
	if err != nil || c.Time.IsZero() {
		return nil //nolint:nilerr // what is no event has no time
	}
	last := h.last
	h.last = c.Time
	if last.IsZero() || !c.Time.After(last) {
		return nil
	}
	if err := h.clock.Wait(ctx, c.Time.Sub(last)); err != nil {
		return err
	}
	return h.seal(ctx, c.Time)
}

// stage puts into the house what an event says has happened. It gives why the
// role of the event could not be put there, and "" where nothing is missing.
func (h *house) stage(ctx context.Context, text []byte) (missing string) {
	c, err := trail.Parse(text)
	if err != nil {
		return ""
	}
	switch c.Kind {
	case trail.RoleCreated, trail.TrustUpdated:
		if c.Document == "" || c.Truncated {
			return "the event does not carry the whole trust policy, and there is no live role to read here"
		}
		seed := lab.SeedRole{Name: c.RoleName, TrustPolicy: c.Document, RoleID: c.RoleID}
		seed.Path = pathOf(c.RoleARN)
		if err := h.lab.SeedRole(c.Account, seed); err != nil {
			return "the role cannot be put into the house: " + err.Error()
		}
	case trail.RoleDeleted:
		h.remove(ctx, c.Account, "DeleteRole", "RoleName", c.RoleName)
	case trail.UserDeleted:
		h.remove(ctx, c.Account, "DeleteUser", "UserName", c.UserName)
	case trail.Ignored, trail.UserRenamed, trail.RoleAssumed:
	}
	return ""
}

// remove takes out what an event says is gone. That it was never there, which
// is the rule, is no trouble.
func (h *house) remove(ctx context.Context, account, action, field, name string) {
	h.hold()
	defer h.release()
	if admin, err := h.admin(account); err == nil {
		_, _ = admin.call(ctx, "iam", action, map[string]string{field: name})
	}
}

// pathOf gives the path in a role's ARN, "" where there is none.
func pathOf(arn string) string {
	_, rest, found := strings.Cut(arn, ":role/")
	if !found {
		return ""
	}
	path, _ := split(rest)
	return path
}

// add takes over what one message led to. Of several, the last that ended the
// event counts.
func (e *handledEvent) add(d handled) {
	r := d.result
	for _, a := range r.Alerts {
		e.told = append(e.told, a)
		e.Alerts = append(e.Alerts, a.JSON())
	}
	if d.err != nil {
		e.End, e.Reason = endDeadLetter, d.err.Error()
		return
	}
	if c := r.Change; c.EventName != "" {
		e.Event, e.EventID, e.Account, e.Time, e.Actor = c.EventName, c.EventID, c.Account, c.Time, c.Actor.ARN
	}
	if r.End == ledger.InFlight && r.Ignored == "" && e.End != endDeadLetter {
		return
	}
	e.judged(r)
}

// judged takes over an end.
func (e *handledEvent) judged(r guard.Result) {
	e.End, e.Reason = r.End.String(), r.Reason
	if r.Ignored != "" && r.End == ledger.InFlight {
		e.End = endIgnored
	}
	if r.Role.ARN != "" {
		e.Role = r.Role.ARN
	}
	if r.Report.Findings == nil && r.Report.Reasons == nil {
		return
	}
	e.report = r.Report.Masked()
	e.Verdict, e.Findings, e.Reasons = e.report.Verdict.String(), e.report.Findings, e.report.Reasons
	e.Action, e.Done, e.Verified = r.Decision.Action.String(), r.Outcome.Done.String(), r.Outcome.Verified
}

// status is the exit status that an event leads to.
func (e *handledEvent) status() Status {
	switch {
	case e.Verdict == finding.Noncompliant.String():
		return Found
	case e.Verdict == finding.Undecided.String(), e.End == endDeadLetter, e.End == ledger.Rejected.String():
		return Undecided
	default:
		return Fine
	}
}
