package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/matrix"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/notify/notifytest"
)

var update = flag.Bool("update", false, "write MATRIX.md anew")

const (
	hub = "555555555555"
	// post is the one call that is not AWS's.
	post = "slack:POST"
	// The webhook is a secret; another one takes its place.
	oldHook, newHook = "https://hooks.slack.com/services/T0/B0/oldsecret", "https://hooks.slack.com/services/T0/B0/newsecret"
)

// slackWorld is notify as it is deployed, with Slack beside it.
type slackWorld struct {
	t      *testing.T
	lab    *lab.Lab
	wire   *matrix.Wire
	secret string
	queue  map[string]string
	// answers are what Slack says first; then all is well.
	answers []int
	hook    string
	posted  []string
	admin   *secretsmanager.Client
	alive   *matrix.Process
	ctx     context.Context
	man     postman
	log     bytes.Buffer
	waiting []delivery
	buried  int
	dead    []delivery
	crashes int
}

// delivery is a message of the alert queue.
type delivery struct {
	id    string
	due   time.Time
	tries int
}

func (w *slackWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func newSlackWorld(t *testing.T) *slackWorld {
	w := &slackWorld{t: t, queue: map[string]string{}, hook: oldHook}
	var err error
	w.lab, err = lab.New(lab.Config{OrganizationID: "o-exampleorgid", Now: time.Now, Accounts: []lab.Account{{ID: hub}}})
	w.must(err)
	w.wire = matrix.NewWire(w.lab, nil)
	w.secret = w.lab.Secret(hub, deployment.SlackSecret, oldHook)
	here := grants.World{Partition: "aws", Region: "us-east-1", Hub: hub, Organization: "o-exampleorgid", Account: hub}
	queue := func(name string) string {
		w.queue[name] = w.lab.Queue(hub, name)
		return "arn:aws:sqs:us-east-1:" + hub + ":" + name
	}
	alerts, dlq := queue(deployment.AlertQueue), queue(deployment.AlertQueue+deployment.DLQ)
	permissions := grants.Function(here, actions.Notify, grants.Resources{
		Secret: w.secret, Consumes: []string{alerts}, Sends: []string{dlq}, LogGroup: "arn:aws:logs:us-east-1:" + hub + ":log-group:x:*",
	}).JSON()
	w.must(w.lab.SeedRole(hub, lab.SeedRole{Name: deployment.NotifyRole, Path: deployment.Path, TrustPolicy: grants.FunctionTrust(here, actions.Notify).JSON()}))
	admin, err := w.lab.Admin(hub)
	w.must(err)
	person, _ := w.wire.Start(t.Context(), "person")
	w.admin = secretsmanager.NewFromConfig(config(person, admin))
	_, err = iam.NewFromConfig(config(person, admin)).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String(deployment.NotifyRole), PolicyName: aws.String("rolewarden"), PolicyDocument: &permissions,
	})
	w.must(err)
	w.wire.Took = func(_ context.Context, call string, _ []byte, _ matrix.Fault) {
		if call == "sqs:SendMessage" {
			w.buried++
		}
	}
	return w
}

func config(p *matrix.Process, keys lab.Credentials) aws.Config {
	cfg := awsapi.Fixed(awsapi.Keys{
		Endpoint: "http://lab.invalid", Region: "us-east-1",
		AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken,
	})
	cfg.HTTPClient = p
	return cfg
}

// start starts the function, wired as main does.
func (w *slackWorld) start() {
	if w.alive != nil && !w.alive.Dead() {
		return
	}
	keys, err := w.lab.AssumeAsService(lab.ServiceCall{
		Service: "lambda.amazonaws.com", RoleARN: "arn:aws:iam::" + hub + ":role" + deployment.Path + deployment.NotifyRole, SessionName: "notify", SourceAccount: hub,
	})
	w.must(err)
	p, ctx := w.wire.Start(w.t.Context(), actions.Notify)
	w.alive, w.ctx = p, ctx
	cfg := config(p, keys)
	alerts, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: cfg, URL: w.queue[deployment.AlertQueue]})
	w.must(err)
	dead, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: cfg, URL: w.queue[deployment.AlertQueue+deployment.DLQ]})
	w.must(err)
	secrets, err := awsapi.NewSecrets(awsapi.SecretsConfig{AWS: cfg, Now: time.Now, Keep: time.Nanosecond})
	w.must(err)
	hook := &webhook{keep: keepURL, now: time.Now, read: func(ctx context.Context) (string, error) {
		value, err := secrets.Value(ctx, w.secret)
		if err != nil {
			return "", err
		}
		return value.Reveal(), nil
	}}
	m := meter.New(meter.Config{Function: meter.Notify, Out: &w.log, Now: time.Now})
	slack := notify.Slack{URL: hook.url, Now: time.Now, HTTP: &http.Client{Timeout: 10 * time.Second, Transport: w}}
	w.man = postman{channel: slack, queue: alerts, dead: dead, renew: hook.renew, log: slog.New(meter.Handler(slog.NewJSONHandler(&w.log, nil), m)), meter: m}
}

// RoundTrip is the way to Slack.
func (w *slackWorld) RoundTrip(r *http.Request) (*http.Response, error) {
	return w.alive.Post(post, func(f matrix.Fault) (*http.Response, error) {
		timeout := &url.Error{Op: "Post", URL: r.URL.String(), Err: context.DeadlineExceeded}
		switch f {
		case matrix.TimeoutBefore:
			return nil, timeout
		case matrix.Throttle:
			return says(r, http.StatusTooManyRequests, "rate_limited"), nil
		case matrix.ServerError:
			return says(r, http.StatusInternalServerError, "rollup_error"), nil
		case matrix.AccessDenied:
			return says(r, http.StatusForbidden, "action_prohibited"), nil
		case matrix.NotFound:
			return says(r, http.StatusNotFound, "no_service"), nil
		case matrix.NoFault, matrix.TimeoutAfter, matrix.StaleRead, matrix.CrashBefore, matrix.CrashAfter, matrix.Malformed:
		}
		code := http.StatusOK
		if len(w.answers) > 0 {
			code, w.answers = w.answers[0], w.answers[1:]
		}
		if r.URL.String() != w.hook {
			code = http.StatusNotFound
		}
		if code == http.StatusOK {
			body, err := io.ReadAll(r.Body)
			w.must(err)
			w.posted = append(w.posted, string(body))
		}
		switch f {
		case matrix.TimeoutAfter:
			return nil, timeout
		case matrix.Malformed:
			return says(r, code, "<html>"), nil
		default:
			return says(r, code, "ok"), nil
		}
	})
}

func says(r *http.Request, code int, text string) *http.Response {
	header := http.Header{}
	if code == http.StatusTooManyRequests {
		header.Set("Retry-After", "30")
	}
	return &http.Response{StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Body: io.NopCloser(strings.NewReader(text)), Request: r}
}

// run hands out what is due, until nothing waits or a time has come.
func (w *slackWorld) run(until time.Time) {
	for n := 0; n < 200 && len(w.waiting) > 0; n++ {
		slices.SortStableFunc(w.waiting, func(a, b delivery) int { return a.due.Compare(b.due) })
		m := w.waiting[0]
		if m.due.After(until) {
			return
		}
		w.waiting = w.waiting[1:]
		time.Sleep(time.Until(m.due))
		m.tries++
		w.start()
		a := notifytest.Sample()
		a.ID = m.id
		body, err := json.Marshal(events.SNSEntity{Type: "Notification", Message: string(a.JSON()), TopicArn: "arn:aws:sns:us-east-1:" + hub + ":alerts"})
		w.must(err)
		out, err := w.man.handle(w.ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m-" + m.id, ReceiptHandle: "r-" + m.id, Body: string(body)}}})
		if w.alive.Dead() {
			w.crashes++
			err = errors.New("it crashed")
		}
		switch {
		case err == nil && len(out.BatchItemFailures) == 0:
		case m.tries >= 5:
			w.dead = append(w.dead, m)
		default:
			m.due = time.Now().Add(3 * time.Minute)
			w.waiting = append(w.waiting, m)
		}
	}
}

// state says how the alerts stand.
func (w *slackWorld) state() string {
	switch {
	case len(w.dead) > 0:
		return "DLQ"
	case len(w.waiting) > 0:
		return "waits"
	case w.buried > 0:
		return "buried"
	case len(w.posted) > 0:
		return "told"
	}
	return "lost"
}

// slackStory is one answer of Slack's.
type slackStory struct {
	name    string
	answers []int
	hook    string
}

func slackStories() []slackStory {
	return []slackStory{
		{name: "told", hook: oldHook},
		{name: "busy", hook: oldHook, answers: []int{429, 429}},
		{name: "refused", hook: oldHook, answers: []int{400, 400, 400, 400, 400, 400, 400, 400, 400, 400}},
		{name: "revoked", hook: newHook},
	}
}

type slackEnd struct {
	matrix.Ends
	counts   map[matrix.Call]int
	breaches []string
}

// tell tells two alerts with a fault, and then lets all be well.
func (w *slackWorld) tell(s slackStory, c matrix.Cell) slackEnd {
	w.answers, w.hook = s.answers, s.hook
	if s.hook != oldHook {
		// The function has read the old one before.
		w.hook = oldHook
		w.waiting = []delivery{{id: "before", due: time.Now()}}
		w.run(time.Now())
		w.hook, w.posted = newHook, nil
		time.Sleep(time.Minute)
		_, err := w.admin.PutSecretValue(w.t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &w.secret, SecretString: aws.String(newHook)})
		w.must(err)
	}
	w.wire.Arm(c.Call, c.Fault, c.When)
	w.waiting = []delivery{{id: "a", due: time.Now()}, {id: "b", due: time.Now().Add(time.Second)}}
	w.run(time.Now().Add(time.Hour))
	got := slackEnd{counts: w.wire.Counts()}
	got.During = w.state()
	fired := w.wire.Heal()
	if c.Fault != matrix.NoFault && fired == 0 {
		got.breaches = append(got.breaches, "nothing went wrong: the cell is empty")
	}
	for _, m := range w.dead {
		m.tries, m.due = 0, time.Now()
		w.waiting = append(w.waiting, m)
	}
	w.dead, w.answers = nil, nil
	w.run(time.Now().Add(time.Hour))
	got.After = w.state()
	return w.judge(got, c, fired)
}

// judge checks what must be true.
func (w *slackWorld) judge(got slackEnd, c matrix.Cell, fired int) slackEnd {
	bad := func(format string, a ...any) { got.breaches = append(got.breaches, fmt.Sprintf(format, a...)) }
	if got.During == "lost" || got.After == "lost" || len(w.waiting)+len(w.dead) > 0 {
		bad("I7: an alert is lost or does not end: %s, then %s", got.During, got.After)
	}
	if len(w.posted)+w.buried < 2 {
		bad("I7: %d told and %d buried, of 2", len(w.posted), w.buried)
	}
	again := w.crashes
	if c.Fault.Unknown() {
		again += fired
	}
	if len(w.posted) > 2+again {
		bad("I7: told %d times", len(w.posted))
	}
	for _, secret := range []string{"oldsecret", "newsecret"} {
		if strings.Contains(w.log.String(), secret) {
			bad("I11: the webhook is in the log")
		}
	}
	return got
}

// slackCalls are those that notify makes.
func slackCalls() []matrix.Call {
	out := []matrix.Call{{Function: actions.Notify, Name: post}}
	for _, a := range actions.All() {
		if a.Function == actions.Notify {
			out = append(out, matrix.Call{Function: a.Function, Name: a.Name, Under: a.Under})
		}
	}
	return out
}

// impossible says why a cell cannot be.
func impossible(c matrix.Cell, made int) string {
	repeats := []matrix.Fault{matrix.Throttle, matrix.TimeoutBefore, matrix.TimeoutAfter, matrix.ServerError}
	switch {
	case c.When == matrix.Second && made < 2:
		return "the story makes the call once"
	case c.When == matrix.Blip && (c.Call.Name == post || !slices.Contains(repeats, c.Fault)):
		return "nobody repeats a call that goes wrong like this, so it is the same as once"
	case c.Fault == matrix.StaleRead && c.Call.Name == "secretsmanager:GetSecretValue":
		return "an older value is a revoked webhook, which is a story of its own"
	case c.Fault == matrix.StaleRead:
		return "the call reads nothing that somebody writes"
	}
	return ""
}

// Every call that notify makes goes wrong in every way, Slack's answer too, and
// no alert is lost, none is told more often than crashes and lost answers
// excuse, and no log shows the webhook.
func TestMatrix(t *testing.T) {
	made := map[string]map[matrix.Call]int{}
	for _, s := range slackStories() {
		synctest.Test(t, func(t *testing.T) {
			w := newSlackWorld(t)
			got := w.tell(s, matrix.Cell{})
			if len(got.breaches) > 0 {
				t.Errorf("%s: %q\n%s", s.name, got.breaches, w.log.String())
			}
			made[s.name] = got.counts
		})
	}
	results, never := map[matrix.Cell]matrix.Ends{}, map[matrix.Cell]string{}
	var mu sync.Mutex
	for _, call := range slackCalls() {
		any := false
		for _, s := range slackStories() {
			if made[s.name][call] == 0 {
				continue
			}
			any = true
			for _, f := range matrix.Faults() {
				for _, when := range matrix.Moments() {
					c := matrix.Cell{Call: call, Fault: f, When: when, Story: s.name}
					if why := impossible(c, made[s.name][call]); why != "" {
						never[c] = why
						continue
					}
					synctest.Test(t, func(t *testing.T) {
						w := newSlackWorld(t)
						got := w.tell(s, c)
						for _, b := range got.breaches {
							t.Errorf("%s: %s (%s)", c, b, got.Ends)
						}
						mu.Lock()
						defer mu.Unlock()
						results[c] = got.Ends
					})
				}
			}
		}
		if !any {
			t.Errorf("no story makes the call %s", call)
		}
	}
	text := fmt.Sprintf("# The matrix of faults of notify\n\nWritten by the test beside it: `go test ./functions/notify -run TestMatrix -update`. The words are those of\n[the matrix](../../pkg/matrix/README.md); \"buried\" is in the dead-letter queue with an alarm. %d cells are\ntried, %d cannot be.\n\n%s\n%s\n## Cells that cannot be\n\n%s",
		len(results), len(never), matrix.Counted(results), matrix.Table(results), matrix.Impossible(never))
	t.Logf("%d cells\n%s", len(results), matrix.Table(results))
	if *update {
		if err := os.WriteFile("MATRIX.md", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile("MATRIX.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("calls end otherwise than MATRIX.md says (-want +got):\n%s", diff)
	}
}
