package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// AWS is all that the doctor looks at. Every method only reads. What does not
// exist is role.ErrNotFound, what may not be looked at role.ErrAccessDenied
// inside a Refusal.
type AWS interface {
	Identity
	Trails
	Organizations
	Policies
	Stacks
	StackSets
	Routes
	Watch
	Queues
	Secrets
	Switches
	Quotas
}

// Identity says whose credentials these are.
type Identity interface {
	Caller(ctx context.Context) (Caller, error)
}

// Caller is an account's user or role session.
type Caller struct {
	Account string
	ARN     string
}

// Trails lists the CloudTrail trails that record what happens in a Region.
type Trails interface {
	Trails(ctx context.Context, region string) ([]Trail, error)
}

// Trail is one trail with what it records.
type Trail struct {
	Name   string
	ARN    string
	Home   string
	Reach  Reach
	Global Global
	Owner  Owner
	// Logging says whether it records; Trouble what CloudTrail says keeps it
	// from delivering.
	Logging Logging
	Trouble string
	// Selectors say what is recorded: an event that one of them takes is.
	Selectors []Selector
	// Unread is why the trail's state or selectors are not known.
	Unread error
}

// Reach says in which Regions a trail records. The zero value is the narrow one.
type Reach uint8

// The reaches.
const (
	OneRegion Reach = iota
	EveryRegion
)

// Global says whether a trail records global services such as IAM. The zero
// value is that it does not.
type Global uint8

// Whether global services are recorded.
const (
	RegionalOnly Global = iota
	WithGlobal
)

// Owner says whose events a trail records. The zero value is the account's own.
type Owner uint8

// Whose events are recorded.
const (
	OneAccount Owner = iota
	WholeOrganization
)

// Logging says whether a trail records now. The zero value is that it does not.
type Logging uint8

// Whether a trail records.
const (
	Stopped Logging = iota
	Recording
)

// Selector takes the events that meet every one of its fields (CloudTrail API
// Reference, API_AdvancedEventSelector).
type Selector []Field

// Field is a condition on one field of an event. An event meets it when the
// lists without Not that are given have one entry that fits, and those with
// Not have none.
type Field struct {
	Name                              string
	Equals, StartsWith, EndsWith      []string
	NotEquals, NotStartsWith, NotEnds []string
}

// Organizations says what the organization is.
type Organizations interface {
	Organization(ctx context.Context) (Organization, error)
	// Accounts gives every account of the organization.
	Accounts(ctx context.Context) ([]Account, error)
	// Below gives the ids of the active accounts below roots and units.
	Below(ctx context.Context, targets []string) ([]string, error)
	// Roots gives the roots.
	Roots(ctx context.Context) ([]Root, error)
	// Unit gives the name of an organizational unit.
	Unit(ctx context.Context, id string) (string, error)
	// Trusted gives the services that may act in the organization.
	Trusted(ctx context.Context) ([]string, error)
	// Delegated gives the accounts that administer a service for the organization.
	Delegated(ctx context.Context, service string) ([]string, error)
}

// Organization is what Organizations says of itself.
type Organization struct {
	ID         string
	Management string
	// Features is "ALL" or "CONSOLIDATED_BILLING".
	Features string
}

// Account is an account of the organization.
type Account struct {
	ID   string
	Name string
	// Active is Usable when it can be used.
	Active Activity
}

// Activity says whether an account can be used. The zero value is that it can:
// a word of AWS that nobody knows hides nothing.
type Activity uint8

// Whether an account can be used.
const (
	Usable Activity = iota
	Suspended
)

// Root is a root of the organization.
type Root struct {
	ID string
	// PolicyTypes are those that are enabled, such as "SERVICE_CONTROL_POLICY".
	PolicyTypes []string
}

// Policies says which guarding policies are attached.
type Policies interface {
	// Attached gives the names of the policies of a type that are attached to a
	// root, unit or account itself.
	Attached(ctx context.Context, target, policyType string) ([]string, error)
}

// Stacks describes CloudFormation stacks.
type Stacks interface {
	Stack(ctx context.Context, region, name string) (Stack, error)
}

// Stack is one stack.
type Stack struct {
	Name    string
	Status  string
	Reason  string
	Drift   string
	Outputs map[string]string
}

// StackSets describes CloudFormation StackSets, as a delegated administrator.
type StackSets interface {
	StackSet(ctx context.Context, name string) (StackSet, error)
	Instances(ctx context.Context, stackSet string) ([]Instance, error)
}

// StackSet is one StackSet. The words are CloudFormation's.
type StackSet struct {
	Name       string
	Status     string
	Permission string
	// AutoDeploy is "enabled" or "disabled".
	AutoDeploy string
	Targets    []string
	Drift      string
	// DriftAt is when drift was looked for last; zero when never.
	DriftAt time.Time
}

// Instance is a StackSet's stack in one account and Region.
type Instance struct {
	Account string
	Region  string
	// Status is CURRENT, OUTDATED or INOPERABLE; Detail is how the last
	// operation went; Reason is what CloudFormation says of it.
	Status string
	Detail string
	Reason string
	Drift  string
}

// Routes describes event buses and their rules.
type Routes interface {
	Bus(ctx context.Context, region, name string) (Bus, error)
	// Rule gives a rule on a bus; "default" is the account's own bus.
	Rule(ctx context.Context, region, bus, name string) (Rule, error)
	// RuleNames gives the names of the rules on a bus that begin so.
	RuleNames(ctx context.Context, region, bus, prefix string) ([]string, error)
}

// Bus is one event bus.
type Bus struct {
	Name   string
	Policy string
}

// Rule is one rule with its targets.
type Rule struct {
	Name string
	// State is ENABLED, DISABLED, or another word of EventBridge.
	State   string
	Pattern string
	// Schedule is such as "rate(6 hours)"; empty where the rule has a pattern.
	Schedule string
	Targets  []Target
}

// Target is where a rule sends events.
type Target struct {
	ARN         string
	Role        string
	DeadLetters string
	// Input says whether the event is sent as it is.
	Input Input
}

// Input says what a target gets. The zero value is the event itself.
type Input uint8

// What a target gets.
const (
	WholeEvent Input = iota
	Transformed
)

// Watch describes alarms and who is told.
type Watch interface {
	// Alarms gives the metric alarms whose names begin so.
	Alarms(ctx context.Context, prefix string) ([]Alarm, error)
	// Subscriptions gives the subscriptions of a topic.
	Subscriptions(ctx context.Context, topicARN string) ([]Subscription, error)
}

// Alarm is one CloudWatch alarm.
type Alarm struct {
	Name   string
	State  string
	Reason string
	// Metric is namespace and name, such as "AWS/SQS ApproximateAgeOfOldestMessage";
	// of an alarm that reckons with several, the first.
	Metric string
	// Actions are what it does when it goes off; none when they are switched off.
	Actions []string
}

// Subscription is one subscription. Where it leads is left out: an endpoint
// may hold a secret.
type Subscription struct {
	Protocol  string
	Confirmed Confirmation
}

// Confirmation says whether a subscription gets messages. The zero value is
// that it does not.
type Confirmation uint8

// Whether a subscription was confirmed.
const (
	Pending Confirmation = iota
	Confirmed
)

// Queues counts messages.
type Queues interface {
	// Waiting gives about how many messages are in a queue, seen or not.
	Waiting(ctx context.Context, queue string) (int, error)
}

// Secrets reads secrets.
type Secrets interface {
	Value(ctx context.Context, id string) (notify.Secret, error)
}

// Switches reads the kill switch.
type Switches interface {
	Switch(ctx context.Context) (decision.Switch, error)
}

// Refusal is a call that did not succeed, with the permission that it needs.
type Refusal struct {
	// Needs is the permission, such as "cloudtrail:DescribeTrails".
	Needs string
	Err   error
}

// Error gives the call and its error.
func (r *Refusal) Error() string { return fmt.Sprintf("calling %s: %v", r.Needs, r.Err) }

// Unwrap gives the error.
func (r *Refusal) Unwrap() error { return r.Err }

// blame says what an error means for whoever looks, and what to do.
func blame(err error) (found, do string) {
	found = "It could not be looked at: " + sentence(strings.ReplaceAll(err.Error(), "\n", "; "))
	var refused *Refusal
	named := errors.As(err, &refused)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		do = "Look again; if it lasts, look at the network between here and AWS."
	case errors.Is(err, role.ErrAccessDenied) && named:
		do = "Allow " + refused.Needs + " to the credentials that rolewarden doctor runs with, and look for a policy of the organization that denies it. What the doctor needs in the hub is in rolewarden-doctor.json, beside the templates."
	case errors.Is(err, role.ErrAccessDenied):
		do = "Allow the call to the credentials that rolewarden doctor runs with."
	case errors.Is(err, role.ErrThrottled):
		do = "Look again in a minute: AWS asks for fewer calls."
	default:
		do = "Mend what the error says, and look again."
	}
	return found, do
}
