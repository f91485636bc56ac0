package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/org"
)

// IDAt names the sweep that a schedule started at a time. A tick that is
// delivered twice names the same sweep.
func IDAt(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// sweepForm is the form of a sweep's name.
var sweepForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// Begin starts a sweep: it lists the accounts, and sends one message that ends the
// sweep and one for each account. A beginning that is repeated sends them again,
// which changes nothing: what was done of an account is in the ledger. A sweep
// before it that was never ended is ended now.
func (s *Sweeper) Begin(ctx context.Context, id string) (ledger.Sweep, error) {
	switch {
	case !sweepForm.MatchString(id):
		return ledger.Sweep{}, fmt.Errorf("beginning sweep %q: write a name of up to 64 letters, digits and hyphens", id)
	case slices.Contains([]string{latest, inhabitants, brakes}, id):
		// What is kept under these names would be taken for the sweep's, and lost.
		return ledger.Sweep{}, fmt.Errorf("beginning sweep %q: the sweep keeps something else under that name: write another", id)
	}
	if _, err := s.Deliver(ctx); err != nil {
		// Alerts that wait are no reason not to look.
		s.cfg.Log.Error("alerts that wait could not be sent", meter.Key, meter.WordTrouble, "sweep", id, "reason", err.Error())
	}
	if _, err := s.cfg.Ledger.SeeRules(ctx, s.cfg.Rules.Hash, s.cfg.Now()); err != nil {
		return ledger.Sweep{}, fmt.Errorf("beginning sweep %s: recording the rules: %w", id, err)
	}
	if err := s.remind(ctx); err != nil {
		return ledger.Sweep{}, fmt.Errorf("beginning sweep %s: %w", id, err)
	}
	if busy, err := s.busy(ctx, id); err != nil || busy.ID != "" {
		return busy, err
	}
	listed, err := s.list(ctx)
	if err != nil {
		return ledger.Sweep{}, fmt.Errorf("beginning sweep %s: %w", id, err)
	}
	if listed.Problem != "" {
		s.cfg.Log.Error("the organization's accounts could not be listed", meter.Key, meter.WordCoverageGap, "sweep", id, "reason", listed.Problem)
	}
	sweep := ledger.Sweep{ID: id, At: s.cfg.Now(), RulesHash: s.cfg.Rules.Hash, Accounts: listed.accounts}
	first, err := s.cfg.Ledger.BeginSweep(ctx, sweep)
	if err != nil {
		return sweep, fmt.Errorf("beginning sweep %s: %w", id, err)
	}
	if first == ledger.First {
		s.cfg.Meter.Put(meter.Count(meter.SweepAccounts, len(sweep.Accounts)))
	} else if sweep, listed, err = s.again(ctx, id, listed); err != nil {
		return sweep, fmt.Errorf("beginning sweep %s again: %w", id, err)
	}
	if err := s.begun(ctx, id, listed); err != nil {
		return sweep, fmt.Errorf("beginning sweep %s: %w", id, err)
	}
	if err := s.send(ctx, sweep); err != nil {
		return sweep, fmt.Errorf("beginning sweep %s: %w", id, err)
	}
	s.cfg.Log.Info("a sweep began", "sweep", id, "accounts", len(sweep.Accounts), "rules_hash", sweep.RulesHash)
	return sweep, nil
}

// again gives a sweep that began before, whose accounts are those of that time,
// and what its lists disagreed on. Where that was not kept, an account that is
// listed now and not in the sweep is one that is not covered.
func (s *Sweeper) again(ctx context.Context, id string, now list) (ledger.Sweep, list, error) {
	sweep, accounts, _, err := s.cfg.Ledger.Sweeping(ctx, id)
	if err != nil {
		return sweep, now, err
	}
	if slices.ContainsFunc(accounts, isEverybody) {
		return sweep, listOf(accounts), nil
	}
	if left := lacking(now.accounts, sweep.Accounts); len(left) > 0 {
		now.Problem = strings.TrimSpace(fmt.Sprintf("%s listed only after the sweep had begun, so it did not read %s: %s. ", are(len(left), "account was", "accounts were"), them(len(left)), named25(left)) + now.Problem)
	}
	return sweep, now, nil
}

// send sends a sweep's messages. The one that ends it goes first and waits for the
// accounts: what is found in an account is told by the sweep's summary alone, so
// no account may be read whose sweep is never ended.
func (s *Sweeper) send(ctx context.Context, sweep ledger.Sweep) error {
	if err := s.cfg.Queue.Send(ctx, Message{Task: CloseSweep, Sweep: sweep.ID}, closeAfter(len(sweep.Accounts))); err != nil {
		return fmt.Errorf("sending its end to the queue: %w", err)
	}
	for _, account := range sweep.Accounts {
		if err := s.cfg.Queue.Send(ctx, Message{Task: ReadAccount, Sweep: sweep.ID, Account: account}, 0); err != nil {
			return fmt.Errorf("sending account %s to the queue: %w", account, err)
		}
	}
	return nil
}

// latest is the name under which it is kept which sweep began last. It is no
// sweep, and everybody no account.
const (
	latest    = "latest"
	everybody = "organization"
)

// begun keeps which sweep is the last, and what its lists of accounts disagree on.
func (s *Sweeper) begun(ctx context.Context, id string, l list) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("writing the accounts down: %w", err)
	}
	return errors.Join(
		s.cfg.Ledger.SaveSwept(ctx, ledger.SweptAccount{Sweep: id, Account: everybody, Notes: text}),
		s.cfg.Ledger.SaveSwept(ctx, ledger.SweptAccount{Sweep: latest, Account: everybody, Marker: id}),
	)
}

// busy gives the sweep that is going on; none when another may begin. Two at a
// time would only make each other slow. One whose time is over and that was not
// ended, since its message was lost, is ended before it is forgotten.
func (s *Sweeper) busy(ctx context.Context, id string) (ledger.Sweep, error) {
	last, ok, err := s.cfg.Ledger.Swept(ctx, latest, everybody)
	if err != nil {
		return ledger.Sweep{}, fmt.Errorf("beginning sweep %s: %w", id, err)
	}
	if !ok || last.Marker == id {
		return ledger.Sweep{}, nil
	}
	sweep, accounts, ok, err := s.cfg.Ledger.Sweeping(ctx, last.Marker)
	switch {
	case err != nil:
		return ledger.Sweep{}, fmt.Errorf("beginning sweep %s: looking whether sweep %s has ended: %w", id, last.Marker, err)
	case !ok || closed(accounts):
		return ledger.Sweep{}, nil
	case len(unfinished(sweep, accounts)) == 0 || s.cfg.Now().Sub(sweep.At) >= s.cfg.Patience:
		if err := s.cfg.Queue.Send(ctx, Message{Task: CloseSweep, Sweep: sweep.ID}, 0); err != nil {
			return ledger.Sweep{}, fmt.Errorf("beginning sweep %s: ending sweep %s: %w", id, sweep.ID, err)
		}
		return ledger.Sweep{}, nil
	}
	s.cfg.Log.Info("no sweep begins, since one goes on", "sweep", id, "going_on", sweep.ID, "unfinished", len(unfinished(sweep, accounts)))
	return sweep, nil
}

// closeAfter is how long it takes at least until so many accounts have ended.
func closeAfter(accounts int) time.Duration {
	return min(time.Minute+time.Duration(accounts)*time.Second, 15*time.Minute)
}

// list is which accounts there are, by whom. Its JSON is kept with the sweep.
type list struct {
	accounts []string
	// Unlisted are in the organization and not in the rules file; Absent the other
	// way round: they left, were closed, or never belonged (T14, T15).
	Unlisted []string `json:"unlisted,omitempty"`
	Absent   []string `json:"absent,omitempty"`
	// Problem is why the organization could not be asked for all of them.
	Problem string `json:"problem,omitempty"`
	// Late are the accounts that had not ended when the sweep's summary was told.
	Late []string `json:"late,omitempty"`
}

// list gives the accounts of the organization, of the rules file and of the
// configuration together: what only one of them knows is swept too.
func (s *Sweeper) list(ctx context.Context) (list, error) {
	known := s.cfg.Rules.MemberIDs()
	var l list
	var members []string
	if s.cfg.Organization != nil {
		found, err := s.cfg.Organization.Members(ctx)
		if err == nil && len(found) == 0 {
			err = errors.New("it has no active account")
		}
		members = ids(found)
		if l.Unlisted = lacking(members, known); err == nil {
			l.Absent = lacking(known, members)
		} else {
			l.Problem = "The organization's accounts could not all be listed, so one that the rules file does not name may not have been swept: " + err.Error()
		}
	}
	l.accounts = slices.Concat(members, known, s.cfg.Accounts)
	slices.Sort(l.accounts)
	if l.accounts = slices.Compact(l.accounts); len(l.accounts) == 0 {
		return l, errors.New("listing the accounts: there is none: list them in the rules file under organization.accounts, or let rolewarden ask Organizations (organizations:ListAccounts)" + because(l.Problem))
	}
	return l, nil
}

func because(problem string) string {
	if problem == "" {
		return ""
	}
	return ". " + problem
}

func ids(accounts []org.Account) []string {
	var out []string
	for _, a := range accounts {
		out = append(out, a.ID)
	}
	slices.Sort(out)
	return out
}

// lacking gives what is in one sorted list and not in the other.
func lacking(in, other []string) []string {
	return slices.DeleteFunc(slices.Clone(in), func(id string) bool {
		_, found := slices.BinarySearch(other, id)
		return found
	})
}

// sentences says what the lists disagree on.
func (l list) sentences() []string {
	var out []string
	if n := len(l.Unlisted); n > 0 {
		out = append(out, fmt.Sprintf("%s in the organization and not in the rules file, so trust in %s counts as foreign where Organizations cannot be asked: %s.", are(n, "account is", "accounts are"), them(n), named25(l.Unlisted)))
	}
	if n := len(l.Absent); n > 0 {
		out = append(out, fmt.Sprintf("%s in the rules file and not active in the organization, so %s trusted as a member and may be nobody's: %s.", are(n, "account is", "accounts are"), are2(n, "it is", "they are"), named25(l.Absent)))
	}
	return out
}

func are(n int, one, many string) string { return fmt.Sprintf("%d %s", n, are2(n, one, many)) }

func are2(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func them(n int) string { return are2(n, "it", "them") }

// mostNamed is how many names a sentence holds.
const mostNamed = 25

func named25(all []string) string {
	text := strings.Join(all[:min(len(all), mostNamed)], ", ")
	if more := len(all) - mostNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// mostLetters is how many alerts that wait are sent at a time.
const mostLetters = 200

// waited is how long an alert may wait until somebody has to look.
const waited = 10 * time.Minute

// Deliver sends the alerts that wait, and says so where one has waited for too long.
func (s *Sweeper) Deliver(ctx context.Context) (int, error) {
	if _, err := s.watch(ctx); err != nil {
		// What waits is sent all the same.
		s.cfg.Log.Error("which writes are held back could not be looked at", meter.Key, meter.WordTrouble, "reason", err.Error())
	}
	sent, err := s.cfg.Line.Deliver(ctx, mostLetters)
	s.cfg.Meter.Put(meter.Count(meter.AlertPublished, sent))
	left, leftErr := s.cfg.Ledger.Undelivered(ctx, 1)
	if len(left) > 0 && s.cfg.Now().Sub(left[0].At) > waited {
		s.cfg.Log.Error("an alert waits to be delivered", meter.Key, meter.WordUndelivered, "event_id", left[0].Event.EventID, "account", left[0].Event.Account, "since", left[0].At.UTC().Format(time.RFC3339))
	}
	return sent, errors.Join(err, leftErr)
}
