package matrix

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// note tells the history a fact: of a handling, or of the world (0).
func (w *world) note(run int, f invariant.Fact) { w.history.Add(time.Now(), run, f) }

// say looks for secrets in what people, logs or queues see.
func (w *world) say(where, text string) {
	w.history.Secrets = append(w.wire.Secrets(), externalID)
	w.history.Say(time.Now(), w.working, where, text)
}

// effects are the calls by which something changes that the history tells of.
var effects = []string{
	"iam:UpdateAssumeRolePolicy", "iam:TagRole", "iam:UntagRole", "iam:PutRolePermissionsBoundary",
	"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:TransactWriteItems", "sns:Publish",
}

// tookKey is under what a context holds the function that hears of effects.
type tookKey struct{}

// recorder records what the functions do. The calls go wrong below it, so the
// wire tells it what took effect.
func (w *world) recorder() invariant.Recorder {
	return invariant.Recorder{
		History: w.history, Now: time.Now, Run: func() int { return w.working },
		Effects: func(ctx context.Context, took func(invariant.Answer)) context.Context {
			return context.WithValue(ctx, tookKey{}, took)
		},
	}
}

// transaction finds the token by which DynamoDB knows a transaction again.
var transaction = regexp.MustCompile(`"ClientRequestToken":"([^"]+)"`)

// effect tells the recorder that a call took effect. A transaction that is sent
// again is done once.
func (w *world) effect(ctx context.Context, call string, body []byte, f Fault) {
	took, ok := ctx.Value(tookKey{}).(func(invariant.Answer))
	if !ok || !slices.Contains(effects, call) {
		return
	}
	if token := transaction.FindSubmatch(body); token != nil {
		if w.transactions[string(token[1])] {
			return
		}
		w.transactions[string(token[1])] = true
	}
	if f.Unknown() {
		took(invariant.NoAnswer)
		return
	}
	took(invariant.Yes)
}

// truth gives a role as it truly is, for the recorder.
func (w *world) truth(r role.Ref) role.Role {
	got, _ := w.trust(r.Account, r.Name)
	return got
}

// writers and containers open sessions that are recorded.
type writers struct {
	guard.Writers
	w *world
}

func (s writers) Writer(ctx context.Context, r role.Role, d decision.Decision) (remediate.IAM, error) {
	session, err := s.Writers.Writer(ctx, r, d)
	if err != nil {
		return nil, err
	}
	return s.w.recorder().Session(session, s.w.truth), nil
}

type containers struct {
	guard.Containers
	w *world
}

func (s containers) Container(ctx context.Context, r role.Role, d decision.Decision) (remediate.Boundaries, error) {
	session, err := s.Containers.Container(ctx, r, d)
	if err != nil {
		return nil, err
	}
	return s.w.recorder().Boundaries(session, s.w.truth), nil
}

// recorded lets the history see all that a guard does.
func (w *world) recorded(cfg guard.Config) guard.Config {
	r := w.recorder()
	cfg.Reader, cfg.Ledger, cfg.Channel = r.Reader(cfg.Reader), r.Ledger(cfg.Ledger), r.Channel(cfg.Channel)
	if _, never := cfg.Writers.(guard.HandsOff); !never {
		cfg.Writers, cfg.Containers = writers{cfg.Writers, w}, containers{cfg.Containers, w}
	}
	if w.meddle != nil {
		w.meddle(&cfg)
	}
	return cfg
}

// logbook reads a function's log: for alarms, and for what must not be in it.
// What the remains of a crashed function say nobody hears.
type logbook struct {
	slog.Handler
	w   *world
	run *running
}

// Handle implements slog.Handler.
func (l logbook) Handle(ctx context.Context, r slog.Record) error {
	word, event := "", ""
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case meter.Key:
			word = a.Value.String()
		case "event_id":
			event = a.Value.String()
		}
		l.w.say("the log", a.Value.String())
		return true
	})
	if word != "" && !l.run.process.Dead() {
		l.w.note(l.w.working, invariant.Alarmed{Word: word, Key: event})
	}
	return l.Handler.Handle(ctx, r)
}

// keyOf gives the event that a message is about; none of the sweep's own.
func (m message) keyOf() ledger.Key {
	var s guard.Step
	switch m.queue {
	case intake:
		if c, err := trail.Parse([]byte(m.body)); err == nil {
			return ledger.Key{Account: c.Account, EventID: c.EventID}
		}
	case later:
		if json.Unmarshal([]byte(m.body), &s) == nil {
			return ledger.Key{Account: s.Change.Account, EventID: s.Change.EventID}
		}
	}
	return ledger.Key{}
}

// as lets a function work, and notes what becomes of it.
func (w *world) as(run *running, key ledger.Key, what string, do func() (guard.Result, error)) (res guard.Result, err error) {
	w.runs++
	w.working = w.runs
	w.note(w.working, invariant.Began{Key: key, What: what})
	told := len(w.told)
	defer func() {
		if left := recover(); left != nil {
			w.note(w.working, invariant.Panicked{Value: fmt.Sprint(left)})
			err = fmt.Errorf("the function panicked: %v", left)
		}
		for _, p := range w.told[told:] {
			w.say("an alert", p.raw)
		}
		err = w.survived(run, err)
		w.ended(run, res, err)
		w.working = 0
	}()
	return do()
}

func (w *world) ended(run *running, res guard.Result, err error) {
	end := invariant.Ended{How: invariant.Done, Note: res.Reason}
	switch {
	case run.process.Dead():
		end = invariant.Ended{How: invariant.Crashed}
	case err != nil:
		w.say("the error", err.Error())
		end = invariant.Ended{How: invariant.Failed, Note: err.Error()}
	case res.Ignored != "" && res.End == ledger.InFlight:
		end.How = invariant.Ignoring
	}
	w.note(w.working, end)
}

// rest says how far things are when they are judged. The zero value is on the way.
type rest uint8

const (
	onTheWay rest = iota
	// atTheEnd: nothing goes wrong any more, and all has come to rest.
	atTheEnd
)

// judged gives the breaches that the room invariant finds in all that happened.
// On the way a letter in the ledger is as good as told.
func (w *world) judged(at rest) []string {
	h := &invariant.History{Judge: w.judge, Channels: []string{notify.SNS{}.Name()}, Entries: slices.Clone(w.history.Entries)}
	add := func(f invariant.Fact) { h.Add(time.Now(), 0, f) }
	for _, m := range w.waiting {
		add(invariant.Left{Key: m.keyOf(), Place: invariant.InQueue})
	}
	for _, m := range w.dead {
		add(invariant.Left{Key: m.keyOf(), Place: invariant.InDeadLetters})
	}
	switch at {
	case onTheWay:
		letters, err := w.memory.Undelivered(context.Background(), 1000)
		w.must(err)
		for _, l := range letters {
			a, err := alert.Parse(l.Body)
			w.must(err)
			add(invariant.Told{Channel: h.Channels[0], Alert: a})
		}
	case atTheEnd:
		for _, r := range w.roles() {
			add(invariant.Stands{Role: r, Unseen: w.unseen(h, r), Rules: w.rules})
		}
	}
	add(invariant.Over{})
	var out []string
	for _, v := range invariant.Check(h) {
		if v.Invariant == invariant.I6 && at == onTheWay {
			continue
		}
		out = append(out, v.String())
	}
	for _, l := range invariant.LostUpdates(h) {
		if l.Detected != invariant.Detected && l.Event == invariant.Seen {
			out = append(out, l.Violation().String())
		}
	}
	return out
}

// roles gives every role of our accounts as it truly is.
func (w *world) roles() []role.Role {
	var out []role.Role
	for _, account := range []string{hub, prod} {
		list, err := w.admins[account].ListRoles(context.Background(), &iam.ListRolesInput{})
		w.must(err)
		for _, r := range list.Roles {
			got, _ := w.trust(account, aws.ToString(r.RoleName))
			out = append(out, got)
		}
	}
	return out
}

// unseen says whether rolewarden cannot know how a role stands: its last event was
// lost, or ended with nobody able to read the role, and nothing has read it since.
func (w *world) unseen(h *invariant.History, r role.Role) invariant.Knowledge {
	out := invariant.Seen
	for _, e := range h.Entries {
		switch f := e.Fact.(type) {
		case invariant.Lost:
			if w.about[f.Key] == r.Ref() {
				out = invariant.Unseen
			}
		case invariant.Concluded:
			if f.Conclusion.State == nil && f.Conclusion.End != ledger.Rejected && w.about[f.Conclusion.Event] == r.Ref() {
				out = invariant.Unseen
			}
		case invariant.Read:
			if f.Role.Ref() == r.Ref() {
				out = invariant.Seen
			}
		}
	}
	return out
}

// lines is the history for people.
func (w *world) lines() string {
	var out strings.Builder
	for i, e := range w.history.Entries {
		fmt.Fprintf(&out, "%4d %s\n", i, e.Line(start()))
	}
	return out.String()
}
