package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/notify"
)

// SceneKind says what a scene of the timeline shows.
type SceneKind string

// The kinds of scene.
const (
	// Call: somebody called AWS.
	Call SceneKind = "call"
	// Attempt: a request was tried in earnest.
	Attempt SceneKind = "attempt"
	// Handled: rolewarden handled an event or a later step.
	Handled SceneKind = "handled"
	// Told: an alert was published.
	Told SceneKind = "told"
	// Remark: a word of the teller's.
	Remark SceneKind = "remark"
)

// scene is one entry of a story's timeline.
type scene struct {
	Time    time.Time `json:"time"`
	Kind    SceneKind `json:"kind"`
	Account string    `json:"account,omitempty"`
	// Who acts: a person's name, or rolewarden.
	Who  string `json:"who"`
	Text string `json:"text"`
	// Result is AWS's error code, or "ok".
	Result string `json:"result,omitempty"`
	// Request is what was tried; secrets masked.
	Request *access.Request `json:"request,omitempty"`
	// Verdict, Findings, Action, Done and Verified are rolewarden's.
	Verdict  string            `json:"verdict,omitempty"`
	Findings []finding.Finding `json:"findings,omitempty"`
	Reasons  []string          `json:"reasons,omitempty"`
	Action   string            `json:"action,omitempty"`
	Done     string            `json:"done,omitempty"`
	Verified bool              `json:"verified,omitempty"`
	// Dropped are the principals that a revert left out.
	Dropped []string `json:"dropped,omitempty"`
	// Subject, Alert and Slack are an alert as SNS has it and as Slack shows it.
	Subject string `json:"subject,omitempty"`
	// Attributes are what subscriptions filter on.
	Attributes map[string]string `json:"attributes,omitempty"`
	Alert      json.RawMessage   `json:"alert,omitempty"`
	Slack      string            `json:"slack,omitempty"`
}

// expectation is one thing that a story promises.
type expectation struct {
	What     string `json:"what"`
	Expected string `json:"expected"`
	Saw      string `json:"saw"`
	OK       bool   `json:"ok"`
}

// tale is one story as it is told.
type tale struct {
	ID           string        `json:"id"`
	Title        string        `json:"title"`
	OK           bool          `json:"ok"`
	Scenes       []scene       `json:"scenes"`
	Expectations []expectation `json:"expectations"`
	// Problem is why the story could not be told to its end.
	Problem string `json:"problem,omitempty"`

	h *house
	// last are rolewarden's results since the last call of watch, and told the
	// alerts that came with them.
	last []guard.Result
	told []alert.Alert
}

// stop ends a story that cannot go on.
type stop struct{ err error }

// must ends the story when there is an error.
func (t *tale) must(err error) {
	if err != nil {
		panic(stop{err})
	}
}

// expect notes a promise and whether it is kept, and ends the story where it
// is not: what would follow makes no sense.
func (t *tale) expect(what, expected, saw string) {
	e := expectation{What: what, Expected: expected, Saw: saw, OK: expected == saw}
	t.Expectations = append(t.Expectations, e)
	if !e.OK {
		panic(stop{fmt.Errorf("%s: expected %s, saw %s", what, expected, saw)})
	}
}

// tell runs a story.
func (t *tale) tell(ctx context.Context, story func(context.Context, *tale)) {
	defer func() {
		switch left := recover().(type) {
		case nil:
			t.OK = true
		case stop:
			t.Problem = left.err.Error()
		default:
			panic(left)
		}
	}()
	story(ctx, t)
}

// add notes a scene at this time.
func (t *tale) add(s scene) {
	s.Time = t.h.clock.Now()
	t.Scenes = append(t.Scenes, s)
}

// remark notes a word of the teller's.
func (t *tale) remark(text string) { t.add(scene{Kind: Remark, Who: "", Text: text}) }

// pass lets time pass.
func (t *tale) pass(ctx context.Context, d time.Duration) { t.must(t.h.clock.Wait(ctx, d)) }

// actor is a person of a story.
type actor struct {
	person
	name, account string
}

// staff gives a person who administers an account under their own name.
func (t *tale) staff(ctx context.Context, account, name string) actor {
	t.must(t.h.lab.SeedUser(account, name, "/"))
	admin, err := t.h.admin(account)
	t.must(err)
	_, err = admin.call(ctx, "iam", "AttachUserPolicy", map[string]string{"UserName": name, "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"})
	t.must(err)
	keys, err := t.h.lab.UserKeys(account, name)
	t.must(err)
	return actor{person: t.h.person(keys), name: name, account: account}
}

// does lets a person call IAM or STS and gives AWS's error code, or "ok".
func (t *tale) does(ctx context.Context, a actor, text, service, action string, parameters map[string]string) (reply, string) {
	answer, err := a.call(ctx, service, action, parameters)
	result := "ok"
	if err != nil {
		result = codeOf(err)
	}
	t.add(scene{Kind: Call, Account: a.account, Who: a.name, Text: text, Result: result})
	return answer, result
}

// writes lets a person write a role's trust policy: CreateRole or
// UpdateAssumeRolePolicy.
func (t *tale) writes(ctx context.Context, a actor, action, role, document, text string) {
	name := "PolicyDocument"
	if action == "CreateRole" {
		name = "AssumeRolePolicyDocument"
	}
	_, result := t.does(ctx, a, action+" "+role+": "+text, "iam", action, map[string]string{"RoleName": role, name: document})
	t.expect(a.name+" calls "+action, "ok", result)
}

// tries makes a request in earnest, and gives AWS's error code, or "credentials".
func (t *tale) tries(ctx context.Context, who string, r access.Request) string {
	_, err := t.h.try(ctx, r)
	result := "credentials"
	if err != nil {
		result = codeOf(err)
		if result == "no answer" {
			result = err.Error()
		}
	}
	masked := r.Masked()
	text := strings.Replace(r.Sentence(), " may call ", " calls ", 1)
	t.add(scene{Kind: Attempt, Account: accountOf(r.Role), Who: who, Text: text, Result: result, Request: &masked})
	return result
}

// watch lets rolewarden handle all there is, and notes what it did.
func (t *tale) watch(ctx context.Context) {
	t.last, t.told = nil, nil
	done, err := t.h.settle(ctx)
	for _, d := range done {
		t.note(d)
	}
	t.must(err)
}

// stand lets a day pass, after which a sweep seals what has stood.
func (t *tale) stand(ctx context.Context) {
	t.must(t.h.day(ctx))
	t.remark("a day passes, and the sweep seals what has stood: from now on there is something to go back to")
}

// note adds the scenes of one handled message.
func (t *tale) note(d handled) {
	if d.err != nil {
		t.Scenes = append(t.Scenes, scene{Time: d.at, Kind: Handled, Who: "rolewarden", Account: d.result.Key.Account, Text: "could not handle it and leaves it to the queue: " + d.err.Error()})
		return
	}
	r := d.result
	t.last = append(t.last, r)
	s := scene{Kind: Handled, Account: r.Key.Account, Who: "rolewarden", Text: r.Reason}
	if r.Report.Findings != nil || len(r.Report.Reasons) > 0 {
		masked := r.Report.Masked()
		s.Verdict, s.Findings, s.Reasons = masked.Verdict.String(), masked.Findings, masked.Reasons
		s.Action, s.Done, s.Verified = r.Decision.Action.String(), r.Outcome.Done.String(), r.Outcome.Verified
		s.Dropped = r.Outcome.Dropped
	}
	s.Time = d.at
	t.Scenes = append(t.Scenes, s)
	for _, m := range d.alerts {
		t.alert(d.at, m)
	}
}

// alert adds the scene of a published alert.
func (t *tale) alert(at time.Time, m lab.Message) {
	body := m.For("sqs")
	a, err := alert.Parse([]byte(body))
	t.must(err)
	t.told = append(t.told, a)
	t.Scenes = append(t.Scenes, scene{Time: at, Kind: Told, Account: a.Account, Who: "SNS and Slack", Text: a.Headline(), Subject: m.Subject, Attributes: m.Attributes, Alert: json.RawMessage(body), Slack: notify.Plain(a)})
}

// witness judges a role in account prod as it stands now, as rolewarden will,
// and gives the request that shows the breach of a rule.
func (t *tale) witness(ctx context.Context, name, rule string) access.Request {
	report, err := t.h.judge(ctx, prod, name)
	t.must(err)
	for _, f := range report.Open() {
		if f.Rule == rule && f.Evidence.Request != nil {
			return *f.Evidence.Request
		}
	}
	t.expect("the verdict on "+name, "a breach of "+rule+" with a witness", "verdict "+report.Verdict.String()+" "+rulesOf(report.Open()))
	return access.Request{}
}

// verdict gives the first judgement of the last events of a role: "Noncompliant session-name".
func (t *tale) verdict(role string) string {
	for _, r := range t.last {
		if r.Role.Name == role && r.Report.Findings != nil {
			return strings.TrimSpace(r.Report.Verdict.String() + " " + rulesOf(r.Report.Open()))
		}
	}
	return "no verdict"
}

// done gives what was done to a role by the last events: "Revert", verified or not.
func (t *tale) done(role string) string {
	for _, r := range t.last {
		if r.Role.Name == role && r.Outcome.Done != decision.Ignore {
			if !r.Outcome.Verified {
				return r.Outcome.Done.String() + ", not verified: " + r.Outcome.Problem
			}
			return r.Outcome.Done.String()
		}
	}
	return decision.Ignore.String()
}

// trust gives the trust policy of a role in account prod as it stands now.
func (t *tale) trust(ctx context.Context, name string) string {
	text, err := t.h.trust(ctx, prod, name)
	t.must(err)
	return text
}

// states lists the states of the alerts that were told last.
func (t *tale) states() string {
	var out []string
	for _, a := range t.told {
		out = append(out, a.State.String())
	}
	return strings.Join(out, ", ")
}

// principal says whom the alerts that were told last name, in the words of the
// stories' expectations.
func (t *tale) principal() string {
	for _, a := range t.told {
		for _, f := range a.Findings {
			p := f.Evidence.Principal
			if p == nil {
				continue
			}
			lives := "nobody has the name"
			if p.LivesAgainAs != "" {
				lives = "the name lives again"
			}
			return p.ID + " was " + p.ARN + ", deleted by " + p.DeletedBy + ", " + lives
		}
	}
	return "nobody"
}

// rulesOf lists the rules of findings, each once.
func rulesOf(findings []finding.Finding) string {
	var out []string
	for _, f := range findings {
		if f.Severity > finding.Advice && !strings.Contains(strings.Join(out, " ")+" ", f.Rule+" ") {
			out = append(out, f.Rule)
		}
	}
	return strings.Join(out, " ")
}

// accountOf gives the account of an ARN.
func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}
