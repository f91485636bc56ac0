package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
)

// day is how the ends of exemptions are counted.
const day = 24 * time.Hour

// stages are the reminders of an exemption's end, in days before it.
var stages = [...]int{0, 3, 14}

// stale is how long after its end an exemption is reminded of at last: who
// deploys with a rules file of old exemptions gets no letter for each.
const stale = 30 * day

// remind posts the reminders that are due, each once (T59). Where a sweep was
// missed only the latest of them is sent, which says all that the others did.
func (s *Sweeper) remind(ctx context.Context) error {
	for _, e := range slices.Concat(s.cfg.Rules.Exemptions, s.cfg.Rules.Expired) {
		days, due := stageOf(e, s.cfg.Now())
		if !due {
			continue
		}
		token := fmt.Sprintf("exemption/%s/%d", nameOf(e), days)
		if _, err := s.post(ctx, token, alert.BuildReminder(alert.Reminder{
			Now: s.cfg.Now(), Role: e.Role, Rules: e.Rules, Owner: e.Owner, Reason: e.Reason, Ticket: e.Ticket,
			Expires: e.Expires, Place: fmt.Sprintf("the rules file, line %d", e.Line), Days: days,
		})); err != nil {
			return fmt.Errorf("reminding of the end of exemption %s: %w", e.Ticket, err)
		}
	}
	return nil
}

// stageOf gives the reminder that is due, by its days.
func stageOf(e org.Exemption, now time.Time) (days int, due bool) {
	if now.Sub(e.Expires) > stale {
		return 0, false
	}
	for _, days := range stages {
		if !now.Before(e.Expires.Add(-time.Duration(days) * day)) {
			return days, true
		}
	}
	return 0, false
}

// nameOf names an exemption by all that makes it another one.
func nameOf(e org.Exemption) string {
	rules := slices.Clone(e.Rules)
	slices.Sort(rules)
	sum := sha256.Sum256([]byte(strings.Join([]string{e.Role, e.RoleID, e.Digest, e.Ticket, e.Expires.UTC().Format(time.RFC3339), strings.Join(rules, ",")}, "\x00")))
	return hex.EncodeToString(sum[:])[:32]
}

// post keeps an alert that no event led to until it is delivered, once per token.
func (s *Sweeper) post(ctx context.Context, token string, a alert.Alert) (ledger.Firstness, error) {
	sum := sha256.Sum256([]byte(token))
	return s.cfg.Ledger.Post(ctx, token, ledger.Letter{ID: hex.EncodeToString(sum[:])[:32], Body: a.JSON(), At: s.cfg.Now()})
}
