package guard

import (
	"context"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// ourRole is the path and name of the role under which rolewarden writes, in
// every account.
const ourRole = deployment.Path + deployment.RemediatorRole

// How our writing sessions are called: the id of the decision follows.
const (
	sessionName    = "rw-"
	sourceIdentity = "rolewarden-"
)

// ours says whether an event was made under the role that rolewarden writes
// with. Nothing is passed over for it: who has taken the role over has its name.
func ours(c trail.Change) bool {
	return strings.HasSuffix(c.Actor.Issuer, ":role"+ourRole) || oursSays(c.Actor.ARN)
}

// vouch holds every event under our own role against the intents in the ledger:
// one that fits none is a write by whoever has taken the role over, and is told
// at once (T75). The role that was changed is judged like any other.
func (g *Guard) vouch(ctx context.Context, j job) error {
	if j.attempt > 0 || !ours(j.change) {
		return nil
	}
	var res Result
	why, i, err := g.unintended(ctx, j.change)
	if err != nil {
		return err
	}
	if why == "" {
		// The ledger knows when it was intended, CloudTrail when it was made: what
		// was handled between the two may have been overwritten.
		if i.WrittenAt.IsZero() {
			g.written(ctx, i, ledger.Until(j.change.Time))
		}
		return g.tellOverwritten(ctx, &res, role.Role{Account: i.Role.Account, Name: i.Role.Name, ID: i.RoleID, ARN: j.change.RoleARN, TrustPolicy: i.After}, ledger.Until(j.change.Time))
	}
	g.cfg.Log.Error("rolewarden's own role wrote what rolewarden did not decide", meter.Key, meter.WordNoIntent,
		"event_id", j.change.EventID, "account", j.change.Account, "role", j.change.RoleName, "actor", j.change.Actor.ARN, "reason", why)
	_, err = g.tellOnce(ctx, &res, "no-intent/"+j.key.String(), alert.BuildTrouble(g.noIntent(j, why)))
	return err
}

// unintended says why an event under our own role fits no intent; empty when it
// fits the one it gives.
func (g *Guard) unintended(ctx context.Context, c trail.Change) (string, ledger.Intent, error) {
	id, named := strings.CutPrefix(c.Actor.SourceIdentity, sourceIdentity)
	switch {
	case c.Kind != trail.TrustUpdated:
		return "rolewarden never makes a call of this kind (" + c.EventName + ")", ledger.Intent{}, nil
	case !named || id == "" || !strings.HasSuffix(c.Actor.ARN, "/"+sessionName+id):
		return "its session names no decision", ledger.Intent{}, nil
	}
	i, _, ok, err := g.cfg.Ledger.Decided(ctx, id)
	switch {
	case err != nil:
		return "", i, fmt.Errorf("looking for decision %s, which event %s names: %w", id, c.EventID, err)
	case !ok || i.Void || !i.Replaces() && !i.Contains:
		return "there is no decision " + id + " to replace a trust policy", i, nil
	case i.Role.Account != c.Account || !strings.EqualFold(i.Role.Name, c.RoleName):
		return "decision " + id + " was about role " + i.Role.String(), i, nil
	case !fits(i, c):
		return "what was written is not what decision " + id + " was to write", i, nil
	case c.Time.After(i.At.Add(leaseFor)):
		return "it was made long after decision " + id, i, nil
	}
	return "", i, nil
}

// fits says whether an event's document is the one that was to be written, in
// either form of a quarantine. What the event does not carry whole is none of
// ours: our documents are short.
func fits(i ledger.Intent, c trail.Change) bool {
	sent, err := policy.Parse([]byte(c.Document))
	return err == nil && !c.Truncated && leftBy(i, sent, c.Partition)
}

// leftBy says whether a document is the one that an intent leaves, in either form
// of a quarantine.
func leftBy(i ledger.Intent, d policy.Document, partition string) bool {
	forms := []string{i.After}
	if i.Decision.Action == decision.Quarantine {
		forms = append(forms, remediate.QuarantineFallback(i.Role.Account, i.Decision.ID))
	}
	for _, form := range forms {
		if due, err := policy.Parse([]byte(form)); err == nil && due.Equal(d, partition) {
			return true
		}
	}
	return false
}

// noIntent is the alert about a write under our own role that nobody decided.
func (g *Guard) noIntent(j job, why string) alert.Trouble {
	c := toldOf(j.change)
	problem := "A call under rolewarden's own role is none that rolewarden decided: " + why + ". Whoever holds a session of that role can write trust policies in account " + c.Account +
		". Stop every write (`rolewarden writes stop --deployment FILE --reason TEXT`), find out in CloudTrail who assumed the role " + strings.TrimPrefix(ourRole, "/") + " and from where, and judge by hand what was written; the role that was changed is judged as after any change."
	t := alert.Trouble{
		Now: g.cfg.Now(), Account: c.Account, Role: c.RoleARN, Change: &c, EventID: c.EventID, Problem: problem,
		Decision: decision.Decision{ID: decision.ID(j.key.Account, j.key.EventID, "no-intent"), Action: decision.Tell, Reasons: []string{"Rolewarden's own role was used for what no decision asked for."}, RulesHash: g.cfg.Rules.Hash, At: g.cfg.Now()},
	}
	if t.Role == "" && c.RoleName != "" {
		t.Role = c.Account + "/" + c.RoleName
	}
	return t
}
