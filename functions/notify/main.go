// Command notify is the Lambda that takes alerts from their queue to Slack.
//
// It takes SQS batches of SNS notifications and answers with those that must
// come again. It decides nothing about roles and reads nothing but the one
// secret that holds the webhook's URL.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
)

// keepURL is how long the webhook's URL is used without looking whether it is
// still the one.
const keepURL = 5 * time.Minute

func main() {
	m := meter.New(meter.Config{Function: meter.Notify, Out: os.Stdout, Now: time.Now})
	log := slog.New(meter.Handler(slog.NewJSONHandler(os.Stdout, nil), m))
	p, err := wire(context.Background(), log, m)
	if err != nil {
		log.Error("starting notify", meter.Key, meter.WordNotStarted, "reason", err.Error())
		os.Exit(1)
	}
	lambda.Start(p.handle)
}

// wire joins the parts as the environment says.
func wire(ctx context.Context, log *slog.Logger, m *meter.Meter) (postman, error) {
	s, err := readSettings(os.Getenv)
	if err != nil {
		return postman{}, err
	}
	aws, err := awsapi.Load(ctx)
	if err != nil {
		return postman{}, err
	}
	alerts, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: aws, URL: s.queue})
	if err != nil {
		return postman{}, fmt.Errorf("opening the alert queue: %w", err)
	}
	dead, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: aws, URL: s.deadLetters})
	if err != nil {
		return postman{}, fmt.Errorf("opening the dead-letter queue: %w", err)
	}
	// The webhook keeps the URL, and must be able to look past what was kept.
	secrets, err := awsapi.NewSecrets(awsapi.SecretsConfig{AWS: aws, Now: time.Now, Keep: time.Nanosecond})
	if err != nil {
		return postman{}, err
	}
	hook := &webhook{keep: keepURL, now: time.Now, read: func(ctx context.Context) (string, error) {
		value, err := secrets.Value(ctx, s.secret)
		if err != nil {
			return "", err
		}
		return value.Reveal(), nil
	}}
	slack := notify.Slack{URL: hook.url, Now: time.Now}
	return postman{channel: slack, queue: alerts, dead: dead, renew: hook.renew, log: log, meter: m}, nil
}
