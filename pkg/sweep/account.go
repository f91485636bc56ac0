package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Progress says how far the reading of an account came.
type Progress struct {
	Account string
	// Roles is how many were read so far, Found how many of them were news.
	Roles, Found int
	// State is whether it ended.
	State State
	// Problem is why it ended early; empty when it did not.
	Problem string
}

// State is how the reading of an account stands. The zero value is Unfinished.
type State uint8

// The states.
const (
	// Unfinished: it goes on when its message comes again.
	Unfinished State = iota
	// Read: all of the account was read.
	Read
	// Gap: it could not be read to its end, which is told.
	Gap
)

// String gives "Unfinished", "Read" or "Gap".
func (s State) String() string {
	switch s {
	case Unfinished:
		return "Unfinished"
	case Read:
		return "Read"
	case Gap:
		return "Gap"
	}
	return "State?"
}

// The bounds of trying again.
const (
	// lastTry is the one in which whatever does not work is told and passed over.
	// It must come before the queue gives the message up.
	lastTry = 4
	// mostThrottled is how often in a row IAM may ask to slow down.
	mostThrottled = 12
	// mostDenied is how many roles of an account may refuse to be read by
	// themselves until the account counts as one that cannot be read.
	mostDenied = 3
)

// Handle takes one message of the sweep's queue. Tries is how often it was
// delivered, this time included. An error means that it must come again.
func (s *Sweeper) Handle(ctx context.Context, m Message, tries int) (Progress, error) {
	switch m.Task {
	case ReadAccount:
		return s.Account(ctx, m, tries)
	case CloseSweep:
		return Progress{}, s.close(ctx, m)
	default:
		return Progress{}, fmt.Errorf("handling a message of sweep %s: %q is no task", m.Sweep, m.Task)
	}
}

// visit is the reading of one account in one run.
type visit struct {
	message Message
	tries   int
	// until is when the run has to stop; zero where its time is not limited.
	until time.Time
	saved ledger.SweptAccount
	*tally
	// known is who is recorded of the account, nil until it is asked for.
	known *known
	// freed is what held writes back before.
	freed freed
	// idKey is the key of the hashes of external ids.
	idKey []byte
	// whole says that this run read the account from its beginning, and then
	// current are all identities that it has, and users the ids of its users.
	whole   wholeness
	current map[uint64]bool
	users   map[string]bool
	// denied counts the roles that refused to be read by themselves.
	denied int
}

// wholeness says whether one run saw all of an account. The zero value is partly.
type wholeness uint8

const (
	partly wholeness = iota
	wholly
)

// Account reads one account from where the ledger says, page by page, until it
// ends or the time of the run is up; what is left goes back to the queue.
func (s *Sweeper) Account(ctx context.Context, m Message, tries int) (Progress, error) {
	v := &visit{message: m, tries: max(tries, m.Failed+1), until: s.until(ctx)}
	p := Progress{Account: m.Account}
	var err error
	if v.saved, _, err = s.cfg.Ledger.Swept(ctx, m.Sweep, m.Account); err != nil {
		return p, fmt.Errorf("reading how far sweep %s got in account %s: %w", m.Sweep, m.Account, err)
	}
	if !v.saved.Ended.IsZero() {
		p.State, p.Problem = Read, v.saved.Problem
		return p, s.late(ctx, v.saved)
	}
	v.saved.Sweep, v.saved.Account = m.Sweep, m.Account
	if v.tally, err = tallyOf(v.saved); err != nil {
		s.cfg.Log.Warn("what was saved of an account cannot be read, so it is read again from its beginning", "sweep", m.Sweep, "account", m.Account, "reason", err.Error())
		v.tally, _ = tallyOf(ledger.SweptAccount{})
		v.saved.Marker = ""
	}
	if v.freed, err = s.freed(ctx); err != nil {
		return p, err
	}
	if v.current, v.users = map[uint64]bool{}, map[string]bool{}; v.saved.Marker == "" {
		v.whole = wholly
	}
	before := v.total()
	p.State, err = s.pages(ctx, v)
	p.Roles, p.Found, p.Problem = v.counts[countRoles], v.total(), v.saved.Problem
	s.cfg.Meter.Put(meter.Count(meter.SweepFound, max(0, v.total()-before)))
	return p, err
}

// total is how many roles were news.
func (t *tally) total() int {
	n := 0
	for _, name := range []string{countNew, countChanged, countRejudged, countByRules, countActing, countGone, countResumed, countCleared} {
		n += t.counts[name]
	}
	return n
}

// pages reads page after page.
func (s *Sweeper) pages(ctx context.Context, v *visit) (State, error) {
	for {
		if s.short(v) {
			return Unfinished, s.rest(ctx, v, 0)
		}
		next, err := s.page(ctx, v)
		switch {
		case errors.Is(err, errShort):
			return Unfinished, s.rest(ctx, v, 0)
		case err != nil:
			return s.stuck(ctx, v, err)
		case next == "":
			err := s.gone(ctx, v)
			if err == nil {
				return Read, s.end(ctx, v, "")
			}
			if errors.Is(err, errShort) {
				return Unfinished, s.rest(ctx, v, 0)
			}
			return s.stuck(ctx, v, err)
		}
		v.message.Throttled, v.message.Failed, v.saved.Marker = 0, 0, next
		if err := s.save(ctx, v); err != nil {
			return Unfinished, err
		}
	}
}

// errShort ends a page for which there is no time.
var errShort = errors.New("the time of this run is nearly up")

// stuck sorts what kept a page from being read: wait, tell of a gap, or give the
// message back.
func (s *Sweeper) stuck(ctx context.Context, v *visit, err error) (State, error) {
	switch {
	case errors.Is(err, role.ErrThrottled) && v.message.Throttled < mostThrottled:
		v.message.Throttled++
		// IAM's buckets fill within seconds; whoever else empties them is given minutes.
		return Unfinished, s.rest(ctx, v, min(15*time.Minute, time.Duration(v.message.Throttled)*time.Minute))
	case errors.Is(err, role.ErrAccessDenied), errors.Is(err, role.ErrNotFound), errors.Is(err, role.ErrThrottled):
		return Gap, s.end(ctx, v, err.Error())
	case v.tries >= lastTry && v.saved.Marker != "" && v.message.Anew == 0 && ctx.Err() == nil:
		// A marker may be good for a while only: once more from the beginning.
		// What was read is known, so it goes quickly.
		v.saved.Marker, v.message.Anew, v.message.Failed = "", 1, 0
		s.cfg.Log.Warn("the reading of an account begins anew", "sweep", v.saved.Sweep, "account", v.saved.Account, "reason", err.Error())
		return Unfinished, s.rest(ctx, v, time.Minute)
	case v.tries >= lastTry && ctx.Err() == nil:
		return Gap, s.end(ctx, v, err.Error())
	case ctx.Err() != nil:
		return Unfinished, err
	}
	// A message that is given back shows again after hours: long runs ask for that.
	v.message.Failed++
	s.cfg.Log.Error("an account is not done and comes again", meter.Key, meter.WordMessageFailed, "sweep", v.saved.Sweep, "account", v.saved.Account, "reason", err.Error())
	if again := s.rest(ctx, v, time.Duration(v.message.Failed)*2*time.Minute); again != nil {
		return Unfinished, errors.Join(err, again)
	}
	return Unfinished, nil
}

// save keeps how far it got.
func (s *Sweeper) save(ctx context.Context, v *visit) error {
	a, err := v.save(v.saved)
	if err != nil {
		return err
	}
	if err := s.cfg.Ledger.SaveSwept(ctx, a); err != nil {
		return fmt.Errorf("saving how far sweep %s got in account %s: %w", a.Sweep, a.Account, err)
	}
	return nil
}

// rest keeps how far it got and sends the rest to the queue.
func (s *Sweeper) rest(ctx context.Context, v *visit, delay time.Duration) error {
	if err := s.save(ctx, v); err != nil {
		return err
	}
	if err := s.cfg.Queue.Send(ctx, v.message, delay); err != nil {
		return fmt.Errorf("sending the rest of account %s to the queue: %w", v.saved.Account, err)
	}
	s.cfg.Log.Info("an account goes on later", "sweep", v.saved.Sweep, "account", v.saved.Account, "roles", v.counts[countRoles])
	return nil
}

// end ends an account. A problem is a gap in what is covered: it is an alarm, and
// people are told before the end is recorded, so that a crash between the two
// loses nothing.
func (s *Sweeper) end(ctx context.Context, v *visit, problem string) error {
	if problem != "" {
		if err := s.gap(ctx, v.saved.Sweep, v.saved.Account, problem); err != nil {
			return err
		}
	}
	v.saved.Ended, v.saved.Problem, v.saved.Marker = s.cfg.Now(), problem, ""
	// What was seen matters only as long as the reading may go on.
	clear(v.seen)
	if err := s.save(ctx, v); err != nil {
		return err
	}
	s.cfg.Log.Info("an account has ended", "sweep", v.saved.Sweep, "account", v.saved.Account, "roles", v.counts[countRoles], "found", v.total(), "problem", problem)
	return s.lateOf(ctx, v.saved.Sweep, v.saved.Account)
}

// mostGaps is how many accounts of one sweep are told of one by one; where more
// cannot be read something they share is broken, and the summary names them.
const mostGaps = 10

// gap tells that an account is not covered.
func (s *Sweeper) gap(ctx context.Context, sweep, account, problem string) error {
	s.cfg.Log.Error("an account could not be read to its end, so it is not covered", meter.Key, meter.WordCoverageGap, "sweep", sweep, "account", account, "reason", problem)
	token := "sweep/" + sweep + "/gap/" + account
	err := s.cfg.Ledger.Spend(ctx, token, s.cfg.Now(), []ledger.Counter{{Name: "sweep/" + sweep + "/gaps", Window: window, Limit: mostGaps}})
	switch full, err := limited(err); {
	case err != nil:
		return fmt.Errorf("telling of account %s: %w", account, err)
	case full:
		return nil
	}
	a := alert.BuildTrouble(alert.Trouble{
		Now: s.cfg.Now(), Account: account, Role: account + "/*",
		Problem: "Account " + account + " could not be read by the sweep: " + problem + ". What no event told of stays unseen there.",
		Decision: decision.Decision{
			// One thread for an account over all sweeps.
			ID: decision.ID(account, "sweep/gap", ""), Action: decision.Tell, RulesHash: s.cfg.Rules.Hash, At: s.cfg.Now(),
			Reasons: []string{"An account that cannot be read is not covered, and never counts as fine."},
		},
	})
	a.Mend = "Deploy the member stack in the account, and look for an SCP or RCP that stops its reader role (iam:GetAccountAuthorizationDetails, iam:GetRole); `rolewarden doctor` looks at every part of the way. This is told at every sweep while it lasts."
	if _, err := s.post(ctx, token, a); err != nil {
		return fmt.Errorf("telling of account %s: %w", account, err)
	}
	return nil
}

// window is the window of counters that belong to one sweep, whose name they bear.
const window = 30 * day

// limited says whether an error of Spend is that a limit is reached.
func limited(err error) (full bool, other error) {
	var limit *ledger.LimitError
	var tripped *ledger.TrippedError
	if errors.As(err, &limit) || errors.As(err, &tripped) {
		return true, nil
	}
	return false, err
}
