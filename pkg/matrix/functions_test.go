package matrix

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// running is a function at work.
type running struct {
	process *Process
	ctx     context.Context
	began   time.Time
	guard   *guard.Guard
	sweeper *sweep.Sweeper
}

// started gives a process that runs as a function, with the credentials that
// Lambda gives it.
func (w *world) started(function, roleName string) (*running, aws.Config) {
	keys, err := w.lab.AssumeAsService(lab.ServiceCall{
		Service: "lambda.amazonaws.com", RoleARN: "arn:aws:iam::" + hub + ":role" + deployment.Path + roleName, SessionName: function, SourceAccount: hub,
	})
	w.must(err)
	p, ctx := w.wire.Start(context.Background(), function)
	return &running{process: p, ctx: ctx, began: time.Now()}, w.config(p, keys)
}

// shift is how long a function works before Lambda starts another.
const shift = 40 * time.Minute

func (r *running) over() bool {
	return r == nil || r.process.Dead() || time.Since(r.began) > shift
}

// wait lets time pass.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (w *world) logger(run *running) *slog.Logger {
	return slog.New(logbook{slog.NewJSONHandler(&w.log, nil), w, run})
}

// guarding gives the guard, wired as the function is.
func (w *world) guarding() *running {
	if !w.guard.over() {
		return w.guard
	}
	run, cfg := w.started(actions.Guard, deployment.GuardRole)
	accounts, err := awsapi.NewAccounts(awsapi.Config{
		AWS: cfg, Now: time.Now, ReaderRole: "rolewarden/" + deployment.ReaderRole, WriterRole: "rolewarden/" + deployment.RemediatorRole, ExternalID: notify.NewSecret(externalID),
	})
	w.must(err)
	table, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: deployment.Table})
	w.must(err)
	queue, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: cfg, URL: w.queue[later]})
	w.must(err)
	seals, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: cfg, KeyID: w.key})
	w.must(err)
	run.guard, err = guard.New(w.recorded(guard.Config{
		Rules: w.rules, Reader: accounts, Writers: accounts, Census: accounts, Seals: seals, Containers: accounts,
		Members: awsapi.NewMembership(awsapi.MembershipConfig{AWS: cfg}), Ledger: table,
		Channel: notify.SNS{Publisher: awsapi.NewSNS(awsapi.SNSConfig{AWS: cfg}), TopicARN: w.topic},
		Later:   steps{queue}, Now: time.Now, Wait: wait, Log: w.logger(run),
	}))
	w.must(err)
	w.guard = run
	return run
}

// steps sends steps to the later queue, as the functions do.
type steps struct{ queue *awsapi.Queue }

func (s steps) Send(ctx context.Context, step guard.Step) error {
	body, err := step.Body()
	if err != nil {
		return err
	}
	return s.queue.Send(ctx, string(body), step.Delay(time.Now()))
}

// messages sends to the sweep's own queue, as the function does.
type messages struct{ queue *awsapi.Queue }

func (q messages) Send(ctx context.Context, m sweep.Message, delay time.Duration) error {
	body, err := m.Body()
	if err != nil {
		return err
	}
	return q.queue.Send(ctx, string(body), delay)
}

// sweeping gives the sweep, wired as the function is.
func (w *world) sweeping() *running {
	if !w.sweep.over() {
		return w.sweep
	}
	run, cfg := w.started(actions.Sweep, deployment.SweepRole)
	pace, err := awsapi.NewPace(awsapi.PaceConfig{Now: time.Now, Wait: wait})
	w.must(err)
	accounts, err := awsapi.NewAccounts(awsapi.Config{
		AWS: cfg, Now: time.Now, ReaderRole: "rolewarden/" + deployment.ReaderRole, WriterRole: "rolewarden/" + deployment.ReaderRole,
		ExternalID: notify.NewSecret(externalID), Pace: pace,
	})
	w.must(err)
	table, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: deployment.Table})
	w.must(err)
	steps1, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: cfg, URL: w.queue[later]})
	w.must(err)
	own, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: cfg, URL: w.queue[swept]})
	w.must(err)
	line := w.recorded(guard.Config{
		Rules: w.rules, Reader: accounts, Writers: guard.HandsOff{}, Census: accounts,
		Members: &sweep.Remembering{Members: awsapi.NewMembership(awsapi.MembershipConfig{AWS: cfg}), Now: time.Now}, Ledger: table,
		Channel: notify.SNS{Publisher: awsapi.NewSNS(awsapi.SNSConfig{AWS: cfg}), TopicARN: w.topic},
		Later:   steps{steps1}, Now: time.Now, Wait: wait, Log: w.logger(run),
	})
	g, err := guard.New(line)
	w.must(err)
	seals, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: cfg, KeyID: w.key})
	w.must(err)
	run.sweeper, err = sweep.New(sweep.Config{
		Rules: w.rules, Details: accounts, Reader: line.Reader, Line: g, Ledger: line.Ledger, Queue: messages{own}, Sealer: seals,
		Organization: awsapi.NewRoster(awsapi.RosterConfig{AWS: cfg, Pace: pace, Units: awsapi.WithoutUnits}),
		Meter:        meter.New(meter.Config{Function: meter.Sweep, Out: discard{}, Now: time.Now}), Now: time.Now, Log: w.logger(run),
	})
	w.must(err)
	w.sweep = run
	return run
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
