// Command guard is the Lambda on the intake and later queues: it hands each
// message of a batch to the line (pkg/guard) and answers with those that must
// come again. It holds wiring only.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/rolewarden/rolewarden/functions/start"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
)

func main() {
	m := meter.New(meter.Config{Function: meter.Guard, Out: os.Stdout, Now: time.Now})
	log := slog.New(meter.Handler(slog.NewJSONHandler(os.Stdout, nil), m))
	b, err := build(context.Background(), log, m)
	if err != nil {
		log.Error("the guard cannot start", meter.Key, meter.WordNotStarted, "reason", err.Error())
		os.Exit(1)
	}
	lambda.Start(b.handle)
}

// build wires the line to AWS.
func build(ctx context.Context, log *slog.Logger, m *meter.Meter) (batches, error) {
	s, err := readSettings(os.Getenv)
	if err != nil {
		return batches{}, err
	}
	rules, err := start.Rules(s.rulesFile, time.Now())
	if err != nil {
		return batches{}, err
	}
	for _, e := range rules.Expired {
		log.Warn("an exemption has ended and exempts nothing", meter.Key, meter.WordExpired, "role", e.Role, "rule", e.Rules, "ticket", e.Ticket, "owner", e.Owner)
	}
	cfg, err := awsapi.Load(ctx)
	if err != nil {
		return batches{}, err
	}
	accounts, err := awsapi.NewAccounts(awsapi.Config{
		AWS: cfg, Now: time.Now, Partition: rules.Organization.Partition,
		ReaderRole: s.readerRole, WriterRole: s.writerRole, ExternalID: s.externalID,
	})
	if err != nil {
		return batches{}, err
	}
	table, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: s.table})
	if err != nil {
		return batches{}, err
	}
	queue, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: cfg, URL: s.laterQueue})
	if err != nil {
		return batches{}, err
	}
	seals, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: cfg, KeyID: s.sealKey})
	if err != nil {
		return batches{}, err
	}
	turns, err := guard.NewTurns(guard.TurnsConfig{Now: time.Now})
	if err != nil {
		return batches{}, err
	}
	g, err := guard.New(guard.Config{
		Rules: rules, Reader: accounts, Writers: accounts, Census: accounts, Seals: seals, Containers: accounts,
		Members: awsapi.NewMembership(awsapi.MembershipConfig{AWS: cfg}),
		Ledger:  table,
		Channel: notify.SNS{Publisher: awsapi.NewSNS(awsapi.SNSConfig{AWS: cfg}), TopicARN: s.topic},
		Later:   start.Later{Queue: queue, Now: time.Now}, Turns: turns,
		Now: time.Now, Wait: guard.Wait, Log: log,
	})
	if err != nil {
		return batches{}, err
	}
	_, laterName := start.Queue(s.laterQueue)
	log.Info("started", "rules_file", s.rulesFile, "rules_hash", rules.Hash, "version", start.Version())
	return batches{line: g, later: laterName, log: log, meter: m, now: time.Now, rules: fingerprint(rules.Hash)}, nil
}
