package sweep

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// page reads one page and takes every role on it through the line. The unique ids
// that candidates and baselines need are read in between: after the page, which
// is the first reading of its roles, and before the second.
func (s *Sweeper) page(ctx context.Context, v *visit) (next string, err error) {
	account := v.saved.Account
	found, principals, next, err := s.cfg.Details.Details(ctx, account, v.saved.Marker)
	switch {
	case err != nil && len(found)+len(principals) == 0 && next == "":
		return "", fmt.Errorf("reading the roles of account %s: %w", account, err)
	case err != nil:
		s.cfg.Log.Error("an entry of an account could not be read", meter.Key, meter.WordTrouble, "sweep", v.saved.Sweep, "account", account, "reason", err.Error())
		v.counts[countFailed]++
		v.notes.Failed = keep(v.notes.Failed, err.Error())
	}
	at := s.cfg.Now()
	if err := s.record(ctx, v, found, principals); err != nil {
		return "", err
	}
	looks := make([]*guard.Look, len(found))
	ids := map[string]string{}
	fresh := 0
	for i, r := range found {
		if s.short(v) {
			return "", errShort
		}
		if v.again(r) {
			continue
		}
		fresh++
		if looks[i], err = s.look(ctx, v, r, ids); err != nil {
			return "", err
		}
	}
	for i := range found {
		if looks[i] == nil {
			continue
		}
		if s.short(v) {
			return "", errShort
		}
		if err := s.role(ctx, v, *looks[i], at, ids); err != nil {
			return "", err
		}
	}
	s.cfg.Meter.Put(meter.Count(meter.SweepRoles, fresh))
	return next, nil
}

// look compares a role with what is remembered, and reads the ids that its past needs.
func (s *Sweeper) look(ctx context.Context, v *visit, r role.Role, ids map[string]string) (*guard.Look, error) {
	var l guard.Look
	err := s.guarded(func() (err error) {
		l, err = s.cfg.Line.Look(ctx, r)
		return err
	})
	if err == nil {
		for _, arn := range s.promoter.wants(aspirant{first: r, report: l.Report, recalled: l.Recalled}) {
			if _, known := ids[arn]; known {
				continue
			}
			if ids[arn], err = idOf(ctx, s.cfg.Reader, arn); err != nil {
				break
			}
		}
	}
	if err != nil {
		return nil, s.failed(ctx, v, r, err)
	}
	return &l, nil
}

// role takes one role through the line, and then sees to its past.
func (s *Sweeper) role(ctx context.Context, v *visit, l guard.Look, at time.Time, ids map[string]string) error {
	var res guard.Result
	err := s.guarded(func() (err error) {
		res, err = s.see(ctx, v, l, at)
		return err
	})
	if err != nil {
		return s.failed(ctx, v, l.Role, err)
	}
	a := aspirant{first: l.Role, report: l.Report, recalled: l.Recalled, ids: ids}
	if l.News != guard.NoNews && res.Ignored == "" {
		// The line read the role live, after the ids were read.
		live := res.Role
		a.second, a.report, l.Report = &live, res.Report, res.Report
	}
	if l, err = s.settled(ctx, l, res); err != nil {
		return err
	}
	v.role(l, v.saved.Sweep)
	switch {
	case len(res.Steps) > 0:
		v.counts[countHandedOver]++
	case len(res.Alerts) > 0:
		v.counts[countTold]++
		s.cfg.Meter.Put(meter.Count(meter.AlertPublished, len(res.Alerts)))
	}
	if err := s.past(ctx, v, a); err != nil {
		return err
	}
	s.external(ctx, v, l.Role)
	return s.chains(ctx, v, l)
}

// settled is a look as it stands after the line: what asked for nothing there is
// no news, or another run of this sweep was quicker, since a message may be
// delivered twice. Whichever of them ends last has to know what either found.
func (s *Sweeper) settled(ctx context.Context, l guard.Look, res guard.Result) (guard.Look, error) {
	if l.News == guard.NoNews || res.Ignored == "" {
		return l, nil
	}
	l.News = guard.NoNews
	known, err := s.cfg.Ledger.Recall(ctx, l.Role.Account, l.Role.ID)
	if err != nil {
		return l, fmt.Errorf("recalling role %s, of which nothing is new: %w", l.Role.ARN, err)
	}
	l.Recalled = known
	return l, nil
}

// see gives a role to the line. What was good and no longer is may be told by
// itself, as long as there are few of them; what other rules judge otherwise is
// the summary's.
func (s *Sweeper) see(ctx context.Context, v *visit, l guard.Look, at time.Time) (guard.Result, error) {
	sighting := guard.Sighting{Sweep: v.saved.Sweep, Role: l.Role, At: at, Voice: guard.Quietly}
	if v.freed.retries(l) {
		sighting.Insist = guard.Insist
		v.counts[countRetried]++
	}
	if l.Worse() && l.News != guard.RulesChanged {
		err := s.cfg.Ledger.Spend(ctx, "sweep/"+v.saved.Sweep+"/aloud/"+l.Role.ID, s.cfg.Now(), []ledger.Counter{
			{Name: "sweep/" + v.saved.Sweep + "/aloud/" + v.saved.Account, Window: window, Limit: s.cfg.Aloud},
			{Name: "sweep/" + v.saved.Sweep + "/aloud", Window: window, Limit: s.cfg.AloudInAll},
		})
		full, err := limited(err)
		if err != nil {
			return guard.Result{}, fmt.Errorf("asking whether role %s may have an alert of its own: %w", l.Role.ARN, err)
		}
		if !full {
			sighting.Voice = guard.Aloud
		}
	}
	return s.cfg.Line.See(ctx, sighting, l)
}

// past sees to a role's candidate and baselines. What goes wrong there is told
// and mended by the next sweep; it is no reason not to look at the other roles.
func (s *Sweeper) past(ctx context.Context, v *visit, a aspirant) error {
	p, err := s.promoter.consider(ctx, a)
	switch {
	case errors.Is(err, role.ErrThrottled), err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		s.cfg.Log.Error("the past of a role could not be seen to", meter.Key, meter.WordTrouble, "sweep", v.saved.Sweep, "account", a.first.Account, "role", a.first.ARN, "reason", err.Error())
		return nil
	case p.Standing == Sealed:
		v.counts[countSealed]++
		s.cfg.Meter.Put(meter.Count(meter.BaselinesSealed, 1))
		if p.Baseline.Provenance == role.Unreviewed {
			v.counts[countUnreviewed]++
		}
	}
	return nil
}

// failed says what becomes of a role that could not be handled: the page is read
// again, until it is the last time; then the role is told of, and the others are
// not kept waiting for it.
func (s *Sweeper) failed(ctx context.Context, v *visit, r role.Role, err error) error {
	switch {
	case ctx.Err() != nil, errors.Is(err, role.ErrThrottled):
		return err
	case errors.Is(err, role.ErrAccessDenied):
		if v.denied++; v.denied >= mostDenied {
			return fmt.Errorf("reading role by role: %w", err)
		}
		s.cfg.Log.Error("a role may not be read by itself", meter.Key, meter.WordReadDenied, "sweep", v.saved.Sweep, "account", r.Account, "role", r.ARN, "reason", err.Error())
	case v.tries < lastTry:
		return err
	default:
		s.cfg.Log.Error("a role could not be judged", meter.Key, meter.WordTrouble, "sweep", v.saved.Sweep, "account", r.Account, "role", r.ARN, "reason", err.Error())
	}
	v.seen[markOf(r.ID)] = true
	v.counts[countRoles]++
	v.counts[countFailed]++
	v.notes.Failed = keep(v.notes.Failed, r.ARN+": "+err.Error())
	return nil
}

// guarded makes a panic the error of one role.
func (s *Sweeper) guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a mistake in rolewarden's code: %v", p)
			s.cfg.Log.Error("panic", meter.Key, meter.WordPanic, "reason", err.Error(), "stack", string(debug.Stack()))
		}
	}()
	return do()
}

// external notes who is let in under which external IDs. It never fails: whose
// key cannot be had is left out, and the log says so.
func (s *Sweeper) external(ctx context.Context, v *visit, r role.Role) {
	// Most documents ask for none and need not be read again. JSON may spell the
	// key with escapes.
	text := strings.ToLower(r.TrustPolicy)
	if !strings.Contains(text, "externalid") && !strings.Contains(text, `\u`) || len(v.notes.IDs) >= mostIDs {
		return
	}
	doc, err := policy.Parse([]byte(r.TrustPolicy))
	if err != nil {
		return
	}
	if v.idKey == nil {
		if v.idKey, err = s.secret(ctx, v.saved.Sweep); err != nil {
			s.cfg.Log.Warn("external ids are not compared", "sweep", v.saved.Sweep, "account", r.Account, "reason", err.Error())
			return
		}
	}
	v.external(rules.ExternalIDs(v.idKey, rules.Input{Role: r, Document: doc, Org: s.cfg.Rules, Now: s.cfg.Now()}), r)
}

// mostChains is how far and how wide a chain of trust is followed.
const (
	chainDepth = 3
	chainWidth = 20
)

// chains looks for good roles that trust a bad one, over a few steps: whoever gets
// into the one gets into the others (T45). They are only told of.
func (s *Sweeper) chains(ctx context.Context, v *visit, l guard.Look) error {
	if !open(l.Report) || len(v.notes.Chains) >= mostOther {
		return nil
	}
	type link struct{ account, name, way string }
	way, seen := []link{{l.Role.Account, l.Role.Name, l.Role.ARN}}, map[string]bool{l.Role.ARN: true}
	for depth, at := 0, 0; depth < chainDepth && at < len(way) && len(way) < chainWidth; depth++ {
		for end := len(way); at < end && len(way) < chainWidth; at++ {
			from := way[at]
			states, err := s.cfg.Ledger.Trusting(ctx, ledger.PrincipalKey{Account: from.account, Kind: "role", Name: strings.ToLower(from.name)})
			if err != nil {
				return fmt.Errorf("looking for roles that trust %s: %w", from.way, err)
			}
			for _, st := range states {
				if seen[st.ARN] || st.Verdict != finding.Compliant {
					continue
				}
				seen[st.ARN] = true
				switch p, _, err := s.cfg.Ledger.Identify(ctx, st.RoleID); {
				case err != nil:
					return fmt.Errorf("asking whether role %s is there: %w", st.ARN, err)
				case !p.DeletedAt.IsZero():
					continue
				}
				way = append(way, link{st.Account, st.Name, from.way + " -> " + st.ARN})
				v.notes.Chains = keep(v.notes.Chains, from.way+" -> "+st.ARN)
			}
		}
	}
	return nil
}

// open says whether a role lets somebody in who should not be: the gravest
// findings are about that.
func open(r finding.Report) bool {
	for _, f := range r.Open() {
		if f.Severity >= finding.High {
			return true
		}
	}
	return false
}
