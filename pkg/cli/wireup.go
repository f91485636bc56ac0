package cli

import (
	"context"
	"time"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/notify"
)

// moveIn makes rolewarden's roles over the IAM API, and starts it.
func (h *house) moveIn(ctx context.Context, cfg houseConfig, organization string) error {
	var err error
	if h.key, err = h.sealKey(h.world(cfg.Hub, organization)); err != nil {
		return err
	}
	if err := h.makeRoles(ctx, cfg, organization); err != nil {
		return err
	}
	return h.start()
}

// shift is how long the line works under one set of credentials. Lambda's last
// longer, and are renewed before they end as well.
const shift = 45 * time.Minute

// start wires the line out of the same parts as the function in AWS, under
// fresh credentials such as Lambda gives it. What it remembers is in the ledger.
func (h *house) start() error {
	keys, err := h.working(hubRole, "rolewarden-guard")
	if err != nil {
		return err
	}
	h.started = h.clock.Now()
	own := awsapi.Fixed(keys)
	own.HTTPClient = h.wire
	h.accounts, err = awsapi.NewAccounts(awsapi.Config{
		AWS: own, Now: h.clock.Now, Partition: h.rules.Organization.Partition,
		ReaderRole: readerRole, WriterRole: writerRole, ExternalID: awsapi.NewSecret(houseSecret),
	})
	if err != nil {
		return err
	}
	seals, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: own, KeyID: h.key})
	if err != nil {
		return err
	}
	wired := guard.Config{
		Rules: h.rules, Reader: h.accounts, Writers: h.accounts, Census: h.accounts, Seals: seals, Containers: h.accounts, Ledger: h.ledger, Later: h,
		Channel: notify.SNS{Publisher: awsapi.NewSNS(awsapi.SNSConfig{AWS: own}), TopicARN: h.topic},
		Now:     h.clock.Now, Wait: h.clock.Wait, Log: h.log,
	}
	if h.rules.Organization.ID != "" {
		wired.Members = awsapi.NewMembership(awsapi.MembershipConfig{AWS: own})
	}
	h.guard, err = guard.New(wired)
	return err
}
