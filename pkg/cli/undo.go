package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/inspect"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
)

type undoVerb struct {
	Decision     string   `arg:"" help:"The id of the decision, as the alert names it." placeholder:"DECISION"`
	Deployment   string   `required:"" help:"The deployment file (YAML), which says where the ledger is." placeholder:"FILE"`
	Reason       string   `required:"" help:"Why it is taken back; kept in the ledger and told." placeholder:"TEXT"`
	Profile      string   `help:"The profile of your AWS configuration whose credentials are of the role's account. Without it, those of the ledger's account are used." placeholder:"NAME"`
	Days         int      `help:"How many days the document stays though it breaks rules (1 to 14; ${default} if not given)." default:"3" placeholder:"N"`
	Accept       []string `sep:"none" help:"The ARN of a user or role that comes back although nobody can tell whether it still is whom it was. May be repeated." placeholder:"ARN"`
	WhileStopped bool     `help:"Do it although the kill switch stops every write: it was pulled because of what is being undone."`
	form
}

// Help is the verb's long help.
func (undoVerb) Help() string {
	return `Puts back the trust policy that a decision replaced, as the ledger keeps it. You write under your own credentials of the role's account; rolewarden's roles are not used.

    rolewarden undo qhuos5fk36jiujplg44fcz5a54 --deployment organization.yaml --profile prod-admin --reason "incident 4711"

The same checks as for every other write are made: the role must be the same one (by RoleId) and show what was written, its principals must still be whom they were, protected roles are left alone, and the intent is recorded before the write. Only the verdict does not stand in the way: the findings are shown, and for the days that you give rolewarden tells of the role and does not write it. What is to stay for longer is an exemption in the rules file.

Status: 0 it is back and obeys the rules; 1 it is back and breaks rules; 2 it is back and cannot be judged; 3 nothing was written, and the error says why.`
}

// undone is the JSON form of the result.
type undone struct {
	Version  int               `json:"version"`
	Role     string            `json:"role"`
	Undid    string            `json:"undid"`
	Decision string            `json:"decision"`
	Verified bool              `json:"verified"`
	Verdict  finding.Verdict   `json:"verdict"`
	Findings []finding.Finding `json:"findings"`
	// Dropped are principals that are not whom they were, and were left out.
	Dropped []string `json:"dropped"`
	// Problem is what went otherwise than meant with what IAM took; missing where nothing did.
	Problem string `json:"problem,omitempty"`
	// Until is how long rolewarden only tells of the role; missing where it obeys the rules.
	Until string `json:"until,omitempty"`
}

// Run takes a decision back.
func (v undoVerb) Run(s *session) error {
	switch {
	case strings.TrimSpace(v.Reason) == "":
		return &unusable{"--reason", "taking a decision back needs a reason", `say why, such as --reason "incident 4711"`}
	case v.Days < 1 || v.Days > int(guard.Longest.Hours()/24):
		return &unusable{"--days", fmt.Sprintf("%d is not from 1 to %d", v.Days, int(guard.Longest.Hours()/24)), "for longer write an exemption into the rules file"}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	hub, err := openHub(ctx, s, v.Deployment)
	if err != nil {
		return err
	}
	i, _, ok, err := hub.table.Decided(ctx, v.Decision)
	if err != nil {
		return err
	}
	if !ok {
		return &unusable{v.Decision, "no decision of this id wrote anything", "copy it from the alert"}
	}
	accounts, err := v.account(ctx, hub.deployment, hub.own, i.Role.Account, s)
	if err != nil {
		return err
	}
	g, err := personsGuard(hub.deployment.Rules, accounts, hub.own, hub.table, s)
	if err != nil {
		return err
	}
	return v.undo(ctx, s, g, hub.by)
}

// account opens the role's account under the person's credentials.
func (v undoVerb) account(ctx context.Context, d *deployment.Deployment, own inspect.Config, account string, s *session) (*awsapi.Accounts, error) {
	waiting, cancel := context.WithTimeout(ctx, credentialsWait)
	defer cancel()
	theirs := own
	if v.Profile != "" {
		var err error
		if theirs, err = inspect.PersonAs(waiting, d.Region, v.Profile); err != nil {
			return nil, err
		}
	}
	c, err := whose(waiting, theirs)
	switch {
	case err != nil:
		return nil, err
	case c.Account != account:
		return nil, &unusable{"--profile", "these are credentials of account " + c.Account + ", and the role is in account " + account, "name a profile of your AWS configuration that is of that account"}
	}
	return awsapi.NewPersonal(awsapi.PersonalConfig{AWS: theirs.AWS, Now: s.now, Partition: d.Partition, Account: account})
}

// personsGuard is the line under a person's credentials. It tells nobody: the
// event of the write goes through the deployed line, which does.
func personsGuard(rules *org.Rules, accounts *awsapi.Accounts, own inspect.Config, l ledger.Ledger, s *session) (*guard.Guard, error) {
	return guard.New(guard.Config{
		Rules: rules, Reader: accounts, Writers: accounts, Members: awsapi.NewMembership(awsapi.MembershipConfig{AWS: own.AWS}),
		Ledger: l, Channel: guard.Nobody{}, Later: guard.Nobody{}, Now: s.now, Wait: guard.Wait, Log: slog.New(slog.DiscardHandler),
	})
}

// undo takes it back and prints.
func (v undoVerb) undo(ctx context.Context, s *session, g *guard.Guard, by string) error {
	u := guard.Undoing{Decision: v.Decision, By: by, Reason: v.Reason, Until: s.now().Add(time.Duration(v.Days) * 24 * time.Hour), Accept: v.Accept}
	if v.WhileStopped {
		u.Stopped = guard.WriteAllTheSame
	}
	done, err := g.Undo(ctx, u)
	var refused *guard.RefusedError
	if errors.As(err, &refused) {
		return &unusable{v.Decision, "it was not taken back: " + refused.Why, "nothing was written; see to what it says and try again"}
	}
	if err != nil {
		return err
	}
	out := undone{
		Version: 1, Role: done.Role.ARN, Undid: done.Taken.ID, Decision: done.Decision.ID, Verified: done.Outcome.Verified,
		Verdict: done.Report.Verdict, Findings: append([]finding.Finding{}, done.Report.Masked().Findings...), Dropped: append([]string{}, done.Outcome.Dropped...), Problem: done.Outcome.Problem,
	}
	if done.Word != nil {
		out.Until = done.Word.Until.UTC().Format(time.RFC3339)
	}
	switch out.Verdict {
	case finding.Compliant:
	case finding.Noncompliant:
		s.end(Found)
	case finding.Undecided:
		s.end(Undecided)
	}
	if v.Format == JSON {
		return writeLine(s.out, out)
	}
	return v.print(s, out)
}

func (v undoVerb) print(s *session, out undone) error {
	var b strings.Builder
	if out.Problem == "" {
		fmt.Fprintf(&b, "%s has the trust policy back that decision %s replaced\n", bold.Render(plain(out.Role)), plain(out.Undid))
	} else {
		fmt.Fprintf(&b, "the trust policy that decision %s replaced was written to %s; look at it: %s\n", plain(out.Undid), bold.Render(plain(out.Role)), plain(out.Problem))
	}
	for _, d := range out.Dropped {
		fmt.Fprintf(&b, "left out, since it is not whom it was: %s\n", plain(d))
	}
	fmt.Fprintf(&b, "by today's rules it is %s\n", out.Verdict)
	for _, f := range out.Findings {
		fmt.Fprintf(&b, "    %s %s %s: %s\n", f.Severity, f.Rule, plain(f.Where), plain(f.Message))
	}
	if out.Until != "" {
		fmt.Fprintf(&b, "rolewarden tells of it and does not write it until %s\n", out.Until)
	}
	return s.show(b.String())
}
