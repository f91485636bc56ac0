package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

const ruleCalls = " (EventBridge DescribeRule, ListTargetsByRule)"

// defaultBus is the bus on which AWS's own events appear.
const defaultBus = "default"

// bus makes sure that the members may put their events on the hub's bus, and
// nobody else may (T1, T2).
func bus() Check {
	return Check{
		ID: "bus-policy", When: After, Ways: inOrganization(),
		Looks: "the policy of the bus " + deployment.Bus + " (EventBridge DescribeEventBus)",
		look: func(ctx context.Context, e *exam, n *notes) {
			d := e.Deployment
			again := e.deploy(deployment.HubStack)
			b, err := e.AWS.Bus(ctx, d.Region, deployment.Bus)
			switch {
			case absent(err):
				n.problem("The bus "+deployment.Bus+" does not exist.", again)
				return
			case err != nil:
				n.unknown(err)
				return
			case b.Policy == "":
				n.problem("The bus "+deployment.Bus+" has no policy: no member account can put its events on it.", again)
				return
			}
			wanted := grants.Bus(grants.World{Partition: d.Partition, Region: d.Region, Hub: d.Account, Organization: d.Organization()})
			lacks, extra, err := compareDocuments(wanted.JSON(), b.Policy)
			switch {
			case err != nil:
				n.problem("The policy of the bus "+deployment.Bus+" cannot be read: "+err.Error()+".", again)
			case len(lacks)+len(extra) == 0:
				n.fine("The policy of the bus " + deployment.Bus + " lets the organization's event roles in, and nobody else.")
			}
			for _, s := range lacks {
				n.problem("The policy of the bus lacks "+s+" as it is deployed: events of member accounts may be refused.", again)
			}
			for _, s := range extra {
				n.problem("The policy of the bus has "+s+", which rolewarden did not write: it may let others put events on the bus.", "Find out who added it.", again)
			}
		},
	}
}

// wantedRule is a rule as it should be.
type wantedRule struct {
	region, bus, name string
	pattern           string
	target            string
	// role ends the ARN of the role that the target needs, deadLetters is the
	// queue for what it does not take; empty where it has none.
	role, deadLetters string
	again             string
}

// intakeRule makes sure that events reach the intake queue (T71).
func intakeRule() Check {
	return Check{
		ID: "intake-rule", When: After,
		Looks: "the rule " + deployment.IntakeRule + " and its targets" + ruleCalls,
		look: func(ctx context.Context, e *exam, n *notes) {
			on := deployment.Bus
			if e.Deployment.Way == deployment.Single {
				on = defaultBus
			}
			e.rule(ctx, n, wantedRule{
				region: e.Deployment.Region, bus: on, name: deployment.IntakeRule, pattern: trail.Patterns(trail.PatternOptions{})[0],
				target: e.arn("sqs", deployment.IntakeQueue), deadLetters: e.arn("sqs", deployment.RuleDLQ), again: e.deploy(e.mainStack()),
			})
		},
	}
}

// forwardRule makes sure that an account's events reach the hub's bus (T71).
// It is seen only from that account.
func forwardRule() Check {
	return Check{
		ID: "forward-rule", When: After, Ways: inOrganization(), Seats: []Seat{Management, Member},
		Looks: "the rule " + deployment.ForwardRule + " and its targets" + ruleCalls,
		look: func(ctx context.Context, e *exam, n *notes) {
			from := deployment.MembersStack
			if e.Seat == Management {
				from = deployment.ManagementStack
			}
			e.rule(ctx, n, wantedRule{
				region: e.Deployment.Region, bus: defaultBus, name: deployment.ForwardRule, pattern: trail.Patterns(trail.PatternOptions{})[0],
				target: e.arn("events", "event-bus/"+deployment.Bus), role: ":role" + deployment.Path + deployment.EventsRole, again: e.deploy(from),
			})
		},
	}
}

// rule looks at one rule.
func (e *exam) rule(ctx context.Context, n *notes, w wantedRule) {
	where := fmt.Sprintf("The rule %s on the bus %s in %s", w.name, w.bus, w.region)
	r, err := e.AWS.Rule(ctx, w.region, w.bus, w.name)
	switch {
	case absent(err):
		n.problem(where+" does not exist: no event comes through.", w.again)
		return
	case err != nil:
		n.unknown(err)
		return
	}
	// Read events beside it do no harm: the pattern leaves them out.
	if r.State != "ENABLED" && r.State != allEvents {
		n.problem(fmt.Sprintf("%s is %s: no event comes through.", where, r.State), "Find out who switched it off.", w.again)
	}
	same, err := samePattern(w.pattern, r.Pattern)
	if err != nil || !same {
		n.problem(where+" has another event pattern than this version's: events may be missing, or come that nobody asked for.", w.again)
	}
	w.targets(n, where, r)
	n.fine(fmt.Sprintf("%s is %s and leads to %s.", where, r.State, w.target))
}

// targets looks at where a rule leads.
func (w wantedRule) targets(n *notes, where string, r Rule) {
	at := slices.IndexFunc(r.Targets, func(t Target) bool { return t.ARN == w.target })
	if at < 0 {
		n.problem(where+" does not lead to "+w.target+".", w.again)
	} else if t := r.Targets[at]; t.Input != WholeEvent {
		n.problem(where+" changes the events on their way.", "Find out who changed the target.", w.again)
	} else if t.DeadLetters != w.deadLetters {
		n.problem(where+" has another dead-letter queue than this version's, or none: what it cannot deliver may be lost.", w.again)
	} else if !strings.HasSuffix(t.Role, w.role) {
		n.problem(where+" sends its events with another role than this version's.", "Find out who changed the target.", w.again)
	}
	for _, t := range r.Targets {
		if t.ARN != w.target {
			n.warn(where+" also leads to "+t.ARN+", which rolewarden did not write.", "Find out who added it.")
		}
	}
}

// assumeRoleRules makes sure of the rules for AssumeRole, where they were
// asked for.
func assumeRoleRules() Check {
	return Check{
		ID: "assume-role-rules", When: After, Seats: everySeat(),
		Looks: "the rules whose names begin with " + deployment.AssumeRoleRule + ", and their targets (EventBridge ListRules, DescribeRule, ListTargetsByRule)",
		look: func(ctx context.Context, e *exam, n *notes) {
			d := e.Deployment
			if len(d.AssumeRoleRegions) == 0 || len(d.AssumeRoleRoles()) == 0 {
				n.skip("The deployment file does not ask for AssumeRole events.")
				return
			}
			wanted := trail.Patterns(trail.PatternOptions{AssumeRole: d.AssumeRoleRoles()})[1:]
			for _, region := range e.assumeRoleRegions() {
				e.assumeRoleIn(ctx, n, region, wanted)
			}
		},
	}
}

// assumeRoleRegions are the Regions in which this account watches AssumeRole.
// Whatever comes from elsewhere arrives in IAM's home Region: in an organization
// on the hub's bus, else on the default one.
func (e *exam) assumeRoleRegions() []string {
	d := e.Deployment
	switch {
	case e.Seat != Hub:
		return d.AssumeRoleRegions
	case d.Way == deployment.Single:
		return append([]string{d.Region}, e.abroad()...)
	default:
		return []string{d.Region}
	}
}

// allEvents is the state of a rule that gets read events too. AssumeRole is
// one, and without it none reaches a rule on the default bus (EventBridge User
// Guide, eb-service-event-cloudtrail-management).
const allEvents = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

// assumeRoleRoute is how the rules for AssumeRole lead on from a Region: from
// members to the hub's bus, from other Regions of the way Single to the default
// bus at home, and from there to the intake queue.
func (e *exam) assumeRoleRoute(region string) wantedRule {
	d := e.Deployment
	w := wantedRule{region: region, bus: defaultBus, role: ":role" + deployment.Path + deployment.EventsRole}
	switch {
	case e.Seat == Management:
		w.target, w.again = e.arn("events", "event-bus/"+deployment.Bus), e.deploy(deployment.ManagementStack)
	case e.Seat == Member:
		w.target, w.again = e.arn("events", "event-bus/"+deployment.Bus), e.deploy(deployment.MembersStack)
	case region != d.Region:
		w.target, w.again = e.arn("events", "event-bus/"+defaultBus), e.deploy(deployment.SingleStack)
	default:
		w.role, w.deadLetters = "", e.arn("sqs", deployment.RuleDLQ)
		w.target, w.again = e.arn("sqs", deployment.IntakeQueue), e.deploy(e.mainStack())
		if d.Way != deployment.Single {
			w.bus = deployment.Bus
		}
	}
	return w
}

// assumeRoleIn makes sure that each wanted pattern has a rule that gets its
// events and leads them on.
func (e *exam) assumeRoleIn(ctx context.Context, n *notes, region string, wanted []string) {
	w := e.assumeRoleRoute(region)
	on := w.bus
	names, err := e.AWS.RuleNames(ctx, region, on, deployment.AssumeRoleRule)
	if err != nil {
		n.unknown(err)
		return
	}
	var enabled []string
	for _, name := range names {
		r, err := e.AWS.Rule(ctx, region, on, name)
		if err != nil {
			n.unknown(err)
			return
		}
		if r.State == allEvents || on != defaultBus && r.State == "ENABLED" {
			enabled = append(enabled, r.Pattern)
			w.targets(n, fmt.Sprintf("The rule %s on the bus %s in %s", name, on, region), r)
		}
	}
	missing := slices.DeleteFunc(slices.Clone(wanted), func(p string) bool {
		return slices.ContainsFunc(enabled, func(have string) bool { same, err := samePattern(p, have); return same && err == nil })
	})
	if len(missing) > 0 {
		n.problem(fmt.Sprintf("In %s, %d of the %d event patterns for AssumeRole have no rule on the bus %s that gets such events.", region, len(missing), len(wanted), on),
			"Deploy again: the sensitive roles changed, or somebody changed a rule.")
		return
	}
	n.fine(fmt.Sprintf("In %s each of the %d event patterns for AssumeRole has a rule.", region, len(wanted)))
}
