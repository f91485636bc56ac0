// Command canary is the Lambda on a schedule that proves that the whole way is
// open, from a call in each account to a decision in the ledger (pkg/canary).
// It holds wiring only.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
)

func main() {
	m := meter.New(meter.Config{Function: meter.Canary, Out: os.Stdout, Now: time.Now})
	log := slog.New(meter.Handler(slog.NewJSONHandler(os.Stdout, nil), m))
	c, err := build(context.Background(), log, m)
	if err != nil {
		log.Error("the canary cannot start", meter.Key, meter.WordNotStarted, "reason", err.Error())
		os.Exit(1)
	}
	lambda.Start(runs{c}.run)
}

// build wires the canary to AWS.
func build(ctx context.Context, log *slog.Logger, m *meter.Meter) (*canary.Canary, error) {
	s, err := readSettings(os.Getenv)
	if err != nil {
		return nil, err
	}
	cfg, err := awsapi.Load(ctx)
	if err != nil {
		return nil, err
	}
	sessions, err := awsapi.NewCanarySessions(awsapi.CanaryConfig{
		AWS: cfg, Now: time.Now, Partition: s.partition, ExternalID: s.externalID,
		WriterRole: below(deployment.Path, deployment.CanaryWriterRole), Target: below(deployment.CanaryPath, deployment.CanaryTarget),
		Rule: s.rule,
	})
	if err != nil {
		return nil, err
	}
	table, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: s.table})
	if err != nil {
		return nil, err
	}
	accounts := covered{listed: s.accounts}
	if len(s.targets) > 0 {
		if accounts.below, err = awsapi.NewOrganization(awsapi.OrganizationConfig{AWS: cfg, Targets: s.targets}); err != nil {
			return nil, err
		}
	}
	return canary.New(canary.Config{
		Accounts: accounts, Sessions: sessions, Ledger: table, Meter: m, Log: log, Now: time.Now,
		Channel:   notify.SNS{Publisher: awsapi.NewSNS(awsapi.SNSConfig{AWS: cfg}), TopicARN: s.topic},
		Partition: s.partition, Fresh: s.fresh,
	})
}

// below gives the path and name of a role without the first slash.
func below(path, name string) string { return strings.TrimPrefix(path, "/") + name }

// covered are the accounts that ought to be covered: those that are listed, and
// those below the targets.
type covered struct {
	listed []string
	// below is nil where there is no target.
	below canary.Accounts
}

// Accounts implements canary.Accounts.
func (c covered) Accounts(ctx context.Context) ([]string, error) {
	if c.below == nil {
		return c.listed, nil
	}
	found, err := c.below.Accounts(ctx)
	if err == nil && len(found) == 0 {
		// The management account beside them would hide that nothing was found.
		err = errors.New("listing the accounts to cover: there is no active account below the targets: look at members.targets in the deployment file")
	}
	return append(found, c.listed...), err
}

// runs answers Lambda.
type runs struct{ canary *canary.Canary }

// answer is what whoever starts the function by hand gets to see.
type answer struct {
	Accounts    int `json:"accounts"`
	Reached     int `json:"reached"`
	FirstTime   int `json:"firstTime"`
	Missed      int `json:"missed"`
	Unreachable int `json:"unreachable"`
	Unknown     int `json:"unknown"`
	NotLooked   int `json:"notLookedAt"`
	Told        int `json:"alerts"`
}

// run runs the canary once. What the schedule sends with it does not matter. An
// error, such as an alert that nobody got, counts among the function's own.
func (r runs) run(ctx context.Context) (answer, error) {
	report, err := r.canary.Run(ctx)
	if err != nil {
		return answer{}, err
	}
	return answer{
		Accounts: len(report.Accounts), Reached: report.Count(canary.Reached), FirstTime: report.Count(canary.First),
		Missed: report.Count(canary.Missed), Unreachable: report.Count(canary.Unreachable), Unknown: report.Count(canary.Unknown),
		NotLooked: report.Count(canary.NotLooked), Told: report.Told,
	}, nil
}
