package canary

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// mostAlerts is how many accounts are told one by one. When more are shut at
// once, something they share is broken, and people need one message.
const mostAlerts = 10

// mostNamed is how many accounts a summary names.
const mostNamed = 25

// tell publishes what is wrong. Every message is tried, whatever becomes of the
// others; the number is of those that were published.
func (c *Canary) tell(ctx context.Context, r Report, listing error) (int, error) {
	var wrong []error
	told := 0
	for _, a := range c.alerts(r, listing) {
		if _, err := c.cfg.Channel.Notify(ctx, a); err != nil {
			err = fmt.Errorf("telling %s about the canary: %w", c.cfg.Channel.Name(), err)
			c.cfg.Log.Error("an alert could not be told", meter.Key, meter.WordTrouble, "account", a.Account, "reason", err.Error())
			wrong = append(wrong, err)
			continue
		}
		told++
	}
	return told, errors.Join(wrong...)
}

// alerts makes what is to be told.
func (c *Canary) alerts(r Report, listing error) []alert.Alert {
	var out []alert.Alert
	if listing != nil {
		out = append(out, c.alert("", "list of accounts", "The canary does not know every account that ought to be covered: "+listing.Error()))
	}
	if shut := r.In(Missed, Unreachable); len(shut) > mostAlerts {
		out = append(out, c.alert("", "many accounts", summary(r, shut)))
	} else {
		for _, a := range shut {
			out = append(out, c.alert(a.ID, "account", sentence(a)))
		}
	}
	if open := r.In(NotLooked, Unknown); len(open) > 0 {
		text := fmt.Sprintf("The canary could not find out whether %d of %d accounts are covered: %s. The first of them, %s: %s.", len(open), len(r.Accounts), named(open), open[0].ID, open[0].Why)
		if n := r.Count(NotLooked); n > 0 {
			text += fmt.Sprintf(" For %d of them there was no time: give the function more.", n)
		}
		out = append(out, c.alert("", "accounts not known", text))
	}
	return out
}

// alert makes one alert. Its id and fingerprint depend on what it is about and
// not on what it says, so that it is one thread over all runs.
func (c *Canary) alert(account, topic, problem string) alert.Alert {
	t := alert.Trouble{
		Now: c.cfg.Now(), Account: account, Problem: problem,
		Decision: decision.Decision{
			ID: decision.ID(account, "canary/"+topic, ""), Action: decision.Tell, At: c.cfg.Now(),
			Reasons: []string{"The canary changes no role but its own, so what is wrong is for people to mend."},
		},
		Role: "rolewarden's canary (" + topic + ")",
	}
	if account != "" {
		t.Role = role.ARN{Partition: c.cfg.Partition, Account: account, Path: deployment.CanaryPath, Name: deployment.CanaryTarget}.String()
	}
	a := alert.BuildTrouble(t)
	a.Undo = "Nothing was written but the canary's own role, which lets nobody in; there is nothing to undo."
	a.Mend = "Mend what is named under Reasons; `rolewarden doctor` looks at every part of the way. Changes in the accounts named here may go unseen until then. This is told again at every run of the canary while it lasts, and not any more once it is mended."
	return a
}

// sentence is what is told of one account.
func sentence(a Account) string {
	if a.State == Unreachable {
		return fmt.Sprintf("Account %s is not covered: the canary cannot work there: %s.", a.ID, a.Why)
	}
	return fmt.Sprintf("Account %s is not shown to be covered: %s.", a.ID, a.Why)
}

// summary tells of many accounts at once.
func summary(r Report, shut []Account) string {
	missed, unreachable := r.In(Missed), r.In(Unreachable)
	var b strings.Builder
	fmt.Fprintf(&b, "Of %d accounts that ought to be covered, %d are not shown to be.", len(r.Accounts), len(shut))
	if r.Count(Reached) == 0 {
		b.WriteString(" No account at all came through: look at the hub first.")
	}
	if len(missed) > 0 {
		fmt.Fprintf(&b, " From %d nothing came through: %s. The first of them, %s: %s.", len(missed), named(missed), missed[0].ID, missed[0].Why)
	}
	if len(unreachable) > 0 {
		fmt.Fprintf(&b, " Into %d the canary cannot get: %s. The first of them, %s: %s.", len(unreachable), named(unreachable), unreachable[0].ID, unreachable[0].Why)
	}
	return b.String()
}

// named lists accounts, up to a number.
func named(accounts []Account) string {
	var ids []string
	for _, a := range accounts[:min(len(accounts), mostNamed)] {
		ids = append(ids, a.ID)
	}
	text := strings.Join(ids, ", ")
	if more := len(accounts) - len(ids); more > 0 {
		text += fmt.Sprintf(" and %d more, named in the canary's log", more)
	}
	return text
}

// count puts the run's numbers, zeros too: a missing number is an alarm.
func (c *Canary) count(r Report) {
	samples := []meter.Sample{
		meter.Count(meter.CanaryAccounts, len(r.Accounts)), meter.Count(meter.CanaryReached, r.Count(Reached)),
		meter.Count(meter.CanaryMissed, r.Count(Missed)), meter.Count(meter.CanaryUnreachable, r.Count(Unreachable)),
		meter.Count(meter.CanaryFirst, r.Count(First)),
	}
	for _, a := range r.In(Reached) {
		samples = append(samples, meter.Seconds(meter.CanarySeconds, a.Took))
	}
	c.cfg.Meter.Put(samples...)
}

// log writes a line for every account. What is missed or unreachable is counted
// by itself; what is not known is trouble.
func (c *Canary) log(r Report, listing error) {
	if listing != nil {
		c.cfg.Log.Error("the accounts to cover are not all known", meter.Key, meter.WordTrouble, "reason", listing.Error())
	}
	for _, a := range r.Accounts {
		line := c.cfg.Log.With("account", a.ID, "state", a.State.String(), "change", a.Change.String())
		switch a.State {
		case Reached:
			line.Info("the way is open", "seconds", a.Took.Seconds(), "written", a.Written)
		case First:
			line.Info("the canary's role was changed for the first time")
		case Missed, Unreachable:
			line.Error("the account is not shown to be covered", "reason", a.Why)
		case NotLooked, Unknown:
			line.Error("it is not known whether the account is covered", meter.Key, meter.WordTrouble, "reason", a.Why)
		}
	}
}
