package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// sealKey makes the key that baselines are sealed with, under the policy that
// it is deployed with: who sweeps seals, and the guard only checks.
func (h *house) sealKey(w grants.World) (string, error) {
	arn, err := h.lab.SeedKey(h.hub, lab.SeedKey{Alias: deployment.SealKey, Policy: grants.SealKeyPolicy(w).JSON()})
	if err != nil {
		return "", fmt.Errorf("making the key that seals: %w", err)
	}
	return arn, nil
}

// working gives the keys of a function's role, such as Lambda gives it.
func (h *house) working(role, session string) (awsapi.Keys, error) {
	keys, err := h.lab.AssumeAsService(lab.ServiceCall{
		Service: "lambda.amazonaws.com", RoleARN: h.arn(h.hub, "role/"+role), SessionName: session, SourceAccount: h.hub,
	})
	if err != nil {
		return awsapi.Keys{}, fmt.Errorf("starting the function: %w", err)
	}
	return awsapi.Keys{
		Endpoint: h.server.URL, Region: homeRegion,
		AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken,
	}, nil
}

// day lets the time pass after which a sweep seals what has stood, and has it
// sealed. The line's credentials have ended by then.
func (h *house) day(ctx context.Context) error {
	if err := h.clock.Wait(ctx, h.rules.Baselines.Age); err != nil {
		return err
	}
	if err := h.seal(ctx, h.clock.Now()); err != nil {
		return err
	}
	return h.start()
}

// seal makes baselines of the documents that have stood since a day before a
// time, or for as long as the rules file asks for, as a sweep does.
func (h *house) seal(ctx context.Context, at time.Time) error {
	keys, err := h.working(sweepRole, "rolewarden-sweep")
	if err != nil {
		return err
	}
	seals, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: awsapi.Fixed(keys), KeyID: h.key})
	if err != nil {
		return err
	}
	return h.ledger.States(ctx, "", func(s ledger.RoleState) error {
		known, err := h.ledger.Recall(ctx, s.Account, s.RoleID)
		b := known.Candidate
		if err != nil || b == nil || b.Digest != s.Digest || at.Sub(b.Since) < h.rules.Baselines.Age {
			return err
		}
		b.Sealed = at
		if b.Seal, err = seals.Seal(ctx, *b); err != nil {
			return err
		}
		return h.ledger.AddBaseline(ctx, *b)
	})
}
