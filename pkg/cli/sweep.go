package cli

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/inspect"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

type sweepVerb struct {
	Account string `required:"" help:"The account whose roles are read; the credentials must be of it." placeholder:"ID"`
	Rules   string `help:"The organization's rules file (YAML). Without it the organization is empty: every account but this one is foreign." placeholder:"FILE"`
	form
	secrecy
}

// Help is the verb's long help.
func (sweepVerb) Help() string {
	return `It reads every role of one account, with the credentials that the aws command would use, and judges its trust policy, as the sweep does that is deployed. It needs iam:GetAccountAuthorizationDetails, iam:GetRole and iam:GetUser, makes at most five calls a second, writes nothing and tells nobody. How far it is stands on standard error.

    rolewarden sweep --account 111122223333 --rules rules.yaml
    AWS_PROFILE=prod rolewarden sweep --account 444455556666 --rules rules.yaml --format json

It looks at the roles side by side, too: partners that share an external ID, which is never shown, and roles that trust one whose trust policy is broken. Nothing need be deployed, and nothing that is remembered of the account is looked at: rolewarden preview judges a new rules file by that.

Status: 0 every role is Compliant; 1 one is Noncompliant; 2 one is Undecided, or not all could be read; 3 an input could not be read, or there are no credentials of the account.`
}

// swept is the JSON form of the result.
type swept struct {
	Version int    `json:"version"`
	Account string `json:"account"`
	// Rules is the hash of the rules file; missing without one.
	Rules string      `json:"rules,omitempty"`
	Roles []sweptRole `json:"roles"`
	// Chains, Shared and Unread are sentences.
	Chains []string `json:"chains"`
	Shared []string `json:"sharedExternalIds"`
	Unread []string `json:"unread"`
}

type sweptRole struct {
	Role string `json:"role"`
	ID   string `json:"roleId"`
	finding.Report
}

// Run sweeps an account.
func (v sweepVerb) Run(s *session) error {
	if !role.ValidAccount(v.Account) {
		return &unusable{"--account", fmt.Sprintf("%q is no account id", v.Account), "write its twelve digits"}
	}
	o, err := s.organization(v.Rules)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	accounts, err := v.open(ctx, s, o)
	if err != nil {
		return err
	}
	result, err := v.sweep(ctx, s, o, accounts)
	if err != nil {
		return err
	}
	if len(result.Unread) > 0 {
		s.end(Undecided)
	}
	for _, r := range result.Roles {
		s.end(statusOf(r.Verdict))
	}
	if v.Format == JSON {
		return writeLine(s.out, result)
	}
	return result.print(s)
}

// open opens the account under the person's credentials.
func (v sweepVerb) open(ctx context.Context, s *session, o *org.Rules) (*awsapi.Accounts, error) {
	waiting, cancel := context.WithTimeout(ctx, credentialsWait)
	defer cancel()
	region, known := deployment.HomeRegion(cmp.Or(o.Organization.Partition, "aws"))
	if !known {
		region = homeRegion
	}
	own, err := inspect.Person(waiting, region)
	if err != nil {
		return nil, err
	}
	c, err := whose(waiting, own)
	switch {
	case err != nil:
		return nil, err
	case c.Account != v.Account:
		return nil, &unusable{"--account", "these are credentials of account " + c.Account, "set AWS_PROFILE to a profile of account " + v.Account}
	}
	pace, err := awsapi.NewPace(awsapi.PaceConfig{Now: s.now, Wait: guard.Wait})
	if err != nil {
		return nil, err
	}
	return awsapi.NewPersonal(awsapi.PersonalConfig{AWS: own.AWS, Now: s.now, Partition: o.Organization.Partition, Account: v.Account, Pace: pace})
}

// desk is where a person sweeps: what is deployed is a queue and a ledger is a
// list and a memory here, and what the line says of each role is kept.
type desk struct {
	*guard.Guard
	accounts *awsapi.Accounts
	s        *session
	read     int
	seen     map[string]sweptRole
	todo     []sweep.Message
}

// Look implements sweep.Line.
func (d *desk) Look(ctx context.Context, r role.Role) (guard.Look, error) {
	l, err := d.Guard.Look(ctx, r)
	if err == nil {
		d.seen[r.ID] = sweptRole{Role: r.ARN, ID: r.ID, Report: l.Report}
	}
	return l, err
}

// See implements sweep.Line. What is read once more counts.
func (d *desk) See(ctx context.Context, g guard.Sighting, l guard.Look) (guard.Result, error) {
	res, err := d.Guard.See(ctx, g, l)
	if err == nil && res.Ignored == "" {
		d.seen[l.Role.ID] = sweptRole{Role: res.Role.ARN, ID: res.Role.ID, Report: res.Report}
	}
	return res, err
}

// Details implements sweep.Details, and says how far it is.
func (d *desk) Details(ctx context.Context, account, marker string) ([]role.Role, []ledger.Identity, string, error) {
	if marker == "" {
		d.s.note("reading the roles of account " + account)
	}
	roles, ids, next, err := d.accounts.Details(ctx, account, marker)
	if d.read += len(roles); err == nil && next != "" {
		d.s.note(fmt.Sprintf("%d roles of account %s are read, and there are more", d.read, account))
	}
	return roles, ids, next, err
}

// Send implements sweep.Queue.
func (d *desk) Send(ctx context.Context, m sweep.Message, delay time.Duration) error {
	if m.Task != sweep.ReadAccount {
		return nil
	}
	if delay > 0 {
		d.s.note(fmt.Sprintf("account %s is read on in %s", m.Account, delay))
		if err := guard.Wait(ctx, delay); err != nil {
			return err
		}
	}
	d.todo = append(d.todo, m)
	return nil
}

// unheeded drops what guard would go on with: nothing is written for a person who looks.
type unheeded struct{}

// Send implements guard.Later.
func (unheeded) Send(context.Context, guard.Step) error { return nil }

// Put implements sweep.Meter: nobody counts here.
func (*desk) Put(...meter.Sample) {}

// sweep reads and judges the account.
func (v sweepVerb) sweep(ctx context.Context, s *session, o *org.Rules, accounts *awsapi.Accounts) (swept, error) {
	memory, log := ledger.NewMemory(), slog.New(slog.DiscardHandler)
	g, err := guard.New(guard.Config{
		Rules: o, Reader: accounts, Writers: guard.HandsOff{}, Census: accounts, Ledger: memory, Channel: guard.Nobody{}, Later: unheeded{}, Now: s.now, Wait: guard.Wait, Log: log,
	})
	if err != nil {
		return swept{}, err
	}
	d := &desk{Guard: g, accounts: accounts, s: s, seen: map[string]sweptRole{}}
	sweeper, err := sweep.New(sweep.Config{
		Rules: o, Details: d, Reader: accounts, Line: d, Ledger: memory, Queue: d, Meter: d, Now: s.now, Log: log,
	})
	if err != nil {
		return swept{}, err
	}
	id := sweep.IDAt(s.now())
	if _, err := memory.BeginSweep(ctx, ledger.Sweep{ID: id, At: s.now(), RulesHash: o.Hash, Accounts: []string{v.Account}}); err != nil {
		return swept{}, err
	}
	d.todo = []sweep.Message{{Task: sweep.ReadAccount, Sweep: id, Account: v.Account}}
	for len(d.todo) > 0 {
		m := d.todo[0]
		d.todo = d.todo[1:]
		if _, err := sweeper.Handle(ctx, m, 1); err != nil {
			return swept{}, err
		}
	}
	found, err := sweeper.Outcome(ctx, id)
	if err != nil {
		return swept{}, err
	}
	out := swept{Version: 1, Account: v.Account, Rules: o.Hash, Roles: []sweptRole{}, Chains: list(found.Chains), Shared: list(found.Shared), Unread: list(found.Unknown)}
	for _, r := range d.seen {
		if !v.ShowSecrets {
			r.Report = r.Masked()
		}
		out.Roles = append(out.Roles, r)
	}
	slices.SortFunc(out.Roles, func(a, b sweptRole) int { return cmp.Or(strings.Compare(a.Role, b.Role), strings.Compare(a.ID, b.ID)) })
	return out, nil
}

// list is never nil: its JSON is a published contract.
func list(sentences []string) []string { return append([]string{}, sentences...) }

// print says what is wrong, role by role, and counts the rest.
func (r swept) print(s *session) error {
	var b strings.Builder
	counts := map[finding.Verdict]int{}
	for _, one := range r.Roles {
		counts[one.Verdict]++
		if one.Verdict == finding.Compliant {
			continue
		}
		fmt.Fprintf(&b, "%s  %s\n", bold.Render(plain(one.Role)), colourOf(one.Verdict).Render(one.Verdict.String()))
		if err := describe(&b, one.Report); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		title     string
		sentences []string
	}{{"whoever gets into the first gets into the others", r.Chains}, {"shared external IDs", r.Shared}, {"not read", r.Unread}} {
		for _, sentence := range part.sentences {
			fmt.Fprintf(&b, "%s %s\n", amber.Render(part.title+":"), plain(sentence))
		}
	}
	fmt.Fprintf(&b, "%d roles of account %s: %d Noncompliant, %d Undecided, %d Compliant\n", len(r.Roles), r.Account,
		counts[finding.Noncompliant], counts[finding.Undecided], counts[finding.Compliant])
	return s.show(b.String())
}
