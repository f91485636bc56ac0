package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

const trailCalls = " (CloudTrail DescribeTrails, GetTrailStatus, GetEventSelectors)"

// aTrail makes sure that IAM's events reach EventBridge at all: they do only
// where a trail that is logging records management events in the Region of the
// rule (EventBridge events reference, events-ref-cloudtrail) (T10).
func aTrail() Check {
	return Check{
		ID: "trail", Seats: everySeat(),
		Looks: "the trails of this account in IAM's home Region" + trailCalls,
		look: func(ctx context.Context, e *exam, n *notes) {
			d := e.Deployment
			recordedIn(ctx, e, n, want{
				region: d.Region, source: "iam.amazonaws.com", reads: "false", global: WithGlobal,
				says: "what IAM does in " + d.Region,
				do:   "Make a trail of the organization (or, in the way single, of the account) that records management events, write events at least, in all Regions, and start its logging.",
			})
		},
	}
}

// trailReads makes sure that AssumeRole events reach EventBridge in each Region
// that watches them: AWS counts AssumeRole among the read events.
func trailReads() Check {
	return Check{
		ID: "trail-reads", Seats: everySeat(),
		Looks: "the trails of this account in the Regions of assumeRole" + trailCalls,
		look: func(ctx context.Context, e *exam, n *notes) {
			if len(e.Deployment.AssumeRoleRegions) == 0 {
				n.skip("The deployment file does not ask for AssumeRole events.")
				return
			}
			for _, region := range e.Deployment.AssumeRoleRegions {
				recordedIn(ctx, e, n, want{
					region: region, source: "sts.amazonaws.com", reads: "true",
					says: "AssumeRole in " + region,
					do:   "Let the trail record read events too, in all Regions; or take " + region + " out of assumeRole.regions in " + e.Deployment.File + ".",
				})
			}
		},
	}
}

// want is what a trail has to record.
type want struct {
	region string
	source string
	// reads is the event's field readOnly.
	reads  string
	global Global
	says   string
	do     string
}

// recordedIn looks for a trail that records what is wanted.
func recordedIn(ctx context.Context, e *exam, n *notes, w want) {
	trails, err := e.AWS.Trails(ctx, w.region)
	if err != nil {
		n.unknown(err)
		return
	}
	var good, unread []Trail
	var lacks []string
	for _, t := range trails {
		lack := w.lack(t)
		switch {
		case lack != "":
			lacks = append(lacks, "The trail "+t.Name+" "+lack+".")
		case t.Unread != nil:
			unread = append(unread, t)
		default:
			good = append(good, t)
		}
	}
	// In an organization one trail should be everybody's.
	slices.SortStableFunc(good, func(a, b Trail) int { return int(b.Owner) - int(a.Owner) })
	if len(good) > 0 {
		recorded(e, n, w, good[0])
		return
	}
	if len(unread) > 0 {
		unreadable(ctx, e, n, w, unread[0])
		return
	}
	n.problem("No trail records "+w.says+": no event will arrive.", w.do)
	for _, l := range lacks {
		n.problem(l)
	}
}

// recorded says which trail records what is wanted, and for whom.
func recorded(e *exam, n *notes, w want, t Trail) {
	n.fine(fmt.Sprintf("The trail %s is logging and records %s.", t.Name, w.says))
	if t.Trouble != "" {
		n.warn(fmt.Sprintf("CloudTrail could not deliver the log of the trail %s: %s.", t.Name, strings.TrimSuffix(t.Trouble, ".")), "Mend the trail's bucket, its policy or its key.")
	}
	if e.Deployment.Way != deployment.Single && e.Seat == Hub && t.Owner == OneAccount {
		n.unsure(fmt.Sprintf("The trail %s is of this account alone; whether the member accounts have trails of their own cannot be seen from here.", t.Name),
			"Make it a trail of the organization, or look in the member accounts with rolewarden doctor --at member.")
	}
}

// unreadable says what is known of a trail that cannot be read. That of an
// organization shows its selectors only in the account that it belongs to. Once
// all is deployed, the canary's events prove that somebody's trail records them.
func unreadable(ctx context.Context, e *exam, n *notes, w want, t Trail) {
	const quiet = deployment.AlarmPrefix + "no-event"
	if e.When == After && e.Seat == Hub && w.global == WithGlobal {
		all, err := e.alarms.get(ctx)
		if err == nil && slices.ContainsFunc(all, func(a Alarm) bool { return a.Name == quiet && a.State == "OK" }) {
			n.fine(fmt.Sprintf("What the trail %s records cannot be read from this account, and events do arrive: the alarm %s is quiet.", t.Name, quiet))
			return
		}
	}
	n.unknown(t.Unread)
	c, err := e.AWS.Caller(ctx)
	part := strings.Split(t.ARN, ":")
	if err != nil || len(part) < 5 || part[4] == c.Account {
		return
	}
	at := ""
	if part[4] == e.management(ctx) {
		at = ": rolewarden doctor --at management"
	}
	n.unsure(fmt.Sprintf("The trail %s belongs to account %s, and may show its selectors only there.", t.Name, part[4]), "Look with credentials of account "+part[4]+at)
}

// lack says why a trail does not record what is wanted; nothing when it does,
// as far as is known.
func (w want) lack(t Trail) string {
	switch {
	case t.Reach == OneRegion && t.Home != w.region:
		return "is for " + t.Home + " alone"
	case t.Reach == OneRegion && w.global == WithGlobal && t.Global == RegionalOnly:
		return "leaves out global services, IAM among them"
	case t.Unread != nil:
		return ""
	case t.Logging == Stopped:
		return "is not logging"
	case !slices.ContainsFunc(t.Selectors, w.takenBy):
		return "does not record " + w.says
	}
	return ""
}

// takenBy says whether a selector takes the event that is wanted.
func (w want) takenBy(s Selector) bool {
	event := map[string]string{"eventCategory": "Management", "eventSource": w.source, "readOnly": w.reads}
	for _, f := range s {
		value, known := event[f.Name]
		// What a field that is not known here lets through cannot be said, and
		// so it is not counted on.
		if !known || !f.meets(value) {
			return false
		}
	}
	return true
}

// meets says whether a value meets a field's condition.
func (f Field) meets(v string) bool {
	is := func(entry string) bool { return v == entry }
	begins := func(entry string) bool { return strings.HasPrefix(v, entry) }
	ends := func(entry string) bool { return strings.HasSuffix(v, entry) }
	for _, list := range []struct {
		entries []string
		fits    func(string) bool
	}{{f.Equals, is}, {f.StartsWith, begins}, {f.EndsWith, ends}} {
		if len(list.entries) > 0 && !slices.ContainsFunc(list.entries, list.fits) {
			return false
		}
	}
	return !slices.ContainsFunc(f.NotEquals, is) && !slices.ContainsFunc(f.NotStartsWith, begins) && !slices.ContainsFunc(f.NotEnds, ends)
}
