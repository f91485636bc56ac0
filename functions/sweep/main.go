// Command sweep is the Lambda that reads every role of every account: its
// schedule starts a sweep, and its queue brings the accounts, one message each
// (pkg/sweep). It holds wiring only.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/rolewarden/rolewarden/functions/start"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

func main() {
	m := meter.New(meter.Config{Function: meter.Sweep, Out: os.Stdout, Now: time.Now})
	log := slog.New(meter.Handler(slog.NewJSONHandler(os.Stdout, nil), m))
	r, err := build(context.Background(), log, m)
	if err != nil {
		log.Error("the sweep cannot start", meter.Key, meter.WordNotStarted, "reason", err.Error())
		os.Exit(1)
	}
	lambda.Start(r.run)
}

// build wires the sweep to AWS. Its guard has nothing to write with: what asks
// for a write goes to the later queue, to the guard that has.
func build(ctx context.Context, log *slog.Logger, m *meter.Meter) (runs, error) {
	s, err := readSettings(os.Getenv)
	if err != nil {
		return runs{}, err
	}
	rules, err := start.Rules(s.rulesFile, time.Now())
	if err != nil {
		return runs{}, err
	}
	cfg, err := awsapi.Load(ctx)
	if err != nil {
		return runs{}, err
	}
	pace, err := awsapi.NewPace(awsapi.PaceConfig{Now: time.Now, Wait: guard.Wait})
	if err != nil {
		return runs{}, err
	}
	accounts, err := awsapi.NewAccounts(awsapi.Config{
		AWS: cfg, Now: time.Now, Partition: rules.Organization.Partition, ReaderRole: s.readerRole, WriterRole: s.readerRole,
		ExternalID: s.externalID, Pace: pace,
	})
	if err != nil {
		return runs{}, err
	}
	table, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: s.table})
	if err != nil {
		return runs{}, err
	}
	later, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: cfg, URL: s.laterQueue})
	if err != nil {
		return runs{}, err
	}
	own, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: cfg, URL: s.sweepQueue})
	if err != nil {
		return runs{}, err
	}
	g, err := guard.New(guard.Config{
		Rules: rules, Reader: accounts, Writers: guard.HandsOff{}, Census: accounts,
		Members: &sweep.Remembering{Members: awsapi.NewMembership(awsapi.MembershipConfig{AWS: cfg}), Now: time.Now},
		Ledger:  table,
		Channel: notify.SNS{Publisher: awsapi.NewSNS(awsapi.SNSConfig{AWS: cfg}), TopicARN: s.topic},
		Later:   start.Later{Queue: later, Now: time.Now},
		Now:     time.Now, Wait: guard.Wait, Log: log,
	})
	if err != nil {
		return runs{}, err
	}
	c := sweep.Config{
		Rules: rules, Details: accounts, Reader: accounts, Line: g, Ledger: table, Queue: messages{own},
		Meter: m, Now: time.Now, Log: log,
	}
	if rules.Organization.ID != "" {
		c.Organization = awsapi.NewRoster(awsapi.RosterConfig{AWS: cfg, Pace: pace, Units: awsapi.WithoutUnits})
	} else {
		// Where there is no organization the account that this runs in is swept.
		account, _ := start.Queue(s.sweepQueue)
		c.Accounts = []string{account}
	}
	if s.sealKey != "" {
		seals, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: cfg, KeyID: s.sealKey})
		if err != nil {
			return runs{}, err
		}
		c.Sealer = seals
	}
	sweeper, err := sweep.New(c)
	if err != nil {
		return runs{}, err
	}
	log.Info("started", "rules_file", s.rulesFile, "rules_hash", rules.Hash, "version", start.Version())
	return runs{sweeper: sweeper, log: log, now: time.Now}, nil
}

// messages sends to the sweep's own queue.
type messages struct{ queue *awsapi.Queue }

// Send implements sweep.Queue.
func (q messages) Send(ctx context.Context, m sweep.Message, delay time.Duration) error {
	body, err := m.Body()
	if err != nil {
		return fmt.Errorf("writing a message of sweep %s: %w", m.Sweep, err)
	}
	return q.queue.Send(ctx, string(body), delay)
}
