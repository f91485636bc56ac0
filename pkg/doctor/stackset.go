package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

const stackSetStatusCall = " (CloudFormation DescribeStackSet, as delegated administrator)"

// driftGoesStale is how long the last look for drift is taken for news.
const driftGoesStale = 30 * 24 * time.Hour

// memberSet is one StackSet of the deployment.
type memberSet struct {
	name    string
	regions []string
	// drifts says whether drift means something: the canary changes what its
	// StackSet made, on purpose.
	drifts drifting
}

// drifting says what drift means. The zero value is that it is bad.
type drifting uint8

const (
	mustNotDrift drifting = iota
	driftsOnPurpose
)

// memberSets are the StackSets of the deployment.
func (e *exam) memberSets() []memberSet {
	home := []string{e.Deployment.Region}
	out := []memberSet{{deployment.MemberStackSet, home, mustNotDrift}, {deployment.CanaryStackSet, home, driftsOnPurpose}}
	if others := e.abroad(); len(others) > 0 {
		out = append(out, memberSet{deployment.RegionalStackSet, others, mustNotDrift})
	}
	return out
}

// stackSet makes sure that new accounts get their stack too, and that nobody
// changed what the others have (T71).
func stackSet() Check {
	return Check{
		ID: "stackset", When: After, Ways: inOrganization(),
		Looks: "the StackSets of the members" + stackSetStatusCall,
		look: func(ctx context.Context, e *exam, n *notes) {
			for _, m := range e.memberSets() {
				s, err := e.AWS.StackSet(ctx, m.name)
				switch {
				case absent(err):
					n.problem("The StackSet "+m.name+" does not exist: no member account is guarded.", e.deploy(deployment.MembersStack))
				case err != nil:
					n.unknown(err)
				default:
					stackSetState(e, n, s)
					if m.drifts == mustNotDrift {
						drift(e, n, s)
					}
				}
			}
		},
	}
}

func stackSetState(e *exam, n *notes, s StackSet) {
	again := e.deploy(deployment.MembersStack)
	if s.Status != "ACTIVE" {
		n.problem(fmt.Sprintf("The StackSet %s is in the state %s.", s.Name, s.Status), again)
	}
	if s.Permission != "SERVICE_MANAGED" {
		n.problem(fmt.Sprintf("The StackSet %s is not managed by the service (%s).", s.Name, s.Permission), again)
	}
	if s.AutoDeploy != "enabled" {
		n.problem(fmt.Sprintf("The StackSet %s does not deploy to new accounts by itself.", s.Name), again)
	}
	if d := e.Deployment; len(s.Targets) > 0 && !sameSet(s.Targets, d.Targets) {
		n.problem(fmt.Sprintf("The StackSet %s goes to %s, and %s names %s.", s.Name, list(s.Targets), d.File, list(d.Targets)), again)
	}
	n.fine(fmt.Sprintf("The StackSet %s is %s.", s.Name, s.Status))
}

// drift makes sure that nobody changed what a StackSet made.
func drift(e *exam, n *notes, s StackSet) {
	detect := "Look for drift: aws cloudformation detect-stack-set-drift --call-as DELEGATED_ADMIN --stack-set-name " + s.Name
	switch day := s.DriftAt.UTC().Format(time.DateOnly); {
	case s.Drift == "DRIFTED":
		n.problem(fmt.Sprintf("The StackSet %s had drifted on %s: somebody changed what it made in a member account.", s.Name, day),
			"Find out who.", e.deploy(deployment.MembersStack))
	case s.DriftAt.IsZero():
		n.warn(fmt.Sprintf("Nobody has looked yet whether the StackSet %s has drifted.", s.Name), detect)
	case e.Now.Sub(s.DriftAt) > driftGoesStale:
		n.warn(fmt.Sprintf("Whether the StackSet %s has drifted was looked at last on %s (%s).", s.Name, day, s.Drift), detect)
	default:
		n.fine(fmt.Sprintf("The drift of the StackSet %s on %s: %s.", s.Name, day, s.Drift))
	}
}

// sameSet says whether two lists hold the same texts.
func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// instances makes sure that each member account has the stack as it is now.
func instances() Check {
	return Check{
		ID: "stack-instances", When: After, Ways: inOrganization(),
		Looks: "the members' stacks (CloudFormation ListStackInstances, as delegated administrator)",
		look: func(ctx context.Context, e *exam, n *notes) {
			for _, m := range e.memberSets() {
				all, err := e.AWS.Instances(ctx, m.name)
				switch {
				case absent(err):
					n.problem("The StackSet "+m.name+" does not exist: no member account has its stack.", e.deploy(deployment.MembersStack))
				case err != nil:
					n.unknown(err)
				default:
					instancesState(e, n, m, all)
				}
			}
		},
	}
}

func instancesState(e *exam, n *notes, m memberSet, all []Instance) {
	bad := map[string][]string{}
	var order []string
	for _, i := range all {
		if why := i.ailment(m.drifts); why != "" {
			if bad[why] == nil {
				order = append(order, why)
			}
			bad[why] = append(bad[why], i.Account+"/"+i.Region)
		}
	}
	for _, why := range order {
		n.problem(fmt.Sprintf("Stacks of %s %s: %s.", m.name, why, list(bad[why])),
			"Mend the cause and deploy again, or look at the operation in the console of StackSets: "+m.name+".")
	}
	if len(all) == 0 {
		n.problem("The StackSet "+m.name+" has no stack in any account.", e.deploy(deployment.MembersStack))
		return
	}
	n.fine(fmt.Sprintf("The StackSet %s has %d stacks.", m.name, len(all)))
}

// ailment says what is wrong with an instance; nothing when it is well.
func (i Instance) ailment(d drifting) string {
	reason := ""
	if i.Reason != "" {
		reason = " (" + strings.TrimSuffix(i.Reason, ".") + ")"
	}
	switch {
	case i.Detail == "SKIPPED_SUSPENDED_ACCOUNT":
		return ""
	case i.Status != "CURRENT":
		return "are " + i.Status + reason
	case i.Drift == "DRIFTED" && d == mustNotDrift:
		return "have drifted: somebody changed them in their account"
	}
	switch i.Detail {
	case "", "SUCCEEDED", "PENDING", "RUNNING":
		return ""
	}
	return "ended in " + i.Detail + reason
}

// coverage makes sure that every account that should have a stack has one. It
// starts from Organizations' list and not from the StackSet's, since an account
// that the StackSet forgot is in the first alone (T14).
func coverage() Check {
	return Check{
		ID: "coverage", When: After, Ways: inOrganization(),
		Looks: "the accounts below the targets (Organizations ListAccountsForParent, ListOrganizationalUnitsForParent, ListAccounts), and the members' stacks",
		look: func(ctx context.Context, e *exam, n *notes) {
			below, err := e.AWS.Below(ctx, e.Deployment.Targets)
			if err != nil {
				n.unknown(err)
			}
			if len(below) == 0 {
				n.unsure("No account is known that ought to be covered.", "Look at members.targets in "+e.Deployment.File+".")
				return
			}
			management := e.management(ctx)
			below = slices.DeleteFunc(below, func(id string) bool { return id == management })
			uncovered(ctx, e, n, below)
			outside(ctx, e, n, below, management)
		},
	}
}

// management is the management account: as Organizations says, or else the
// rules file.
func (e *exam) management(ctx context.Context) string {
	if o, err := e.organization.get(ctx); err == nil {
		return o.Management
	}
	return e.Deployment.Rules.Organization.Management
}

// uncovered tells of accounts in the targets that lack a stack.
func uncovered(ctx context.Context, e *exam, n *notes, below []string) {
	for _, m := range e.memberSets() {
		all, err := e.AWS.Instances(ctx, m.name)
		if err != nil && !absent(err) {
			n.unknown(err)
			continue
		}
		var missing []string
		for _, account := range below {
			for _, region := range m.regions {
				if !slices.ContainsFunc(all, func(i Instance) bool { return i.Account == account && i.Region == region }) {
					missing = append(missing, account+"/"+region)
				}
			}
		}
		if len(missing) > 0 {
			n.problem(fmt.Sprintf("Accounts in the targets have no stack of %s: %s. Not everything that happens in them is seen.", m.name, list(missing)),
				"See why in the operations of the StackSet "+m.name+", and mend it.", e.deploy(deployment.MembersStack))
			continue
		}
		n.fine(fmt.Sprintf("Each of the %d accounts in the targets has its stack of %s.", len(below), m.name))
	}
}

// outside tells of accounts that are in no target.
func outside(ctx context.Context, e *exam, n *notes, below []string, management string) {
	have, err := e.accounts.get(ctx)
	if err != nil {
		n.unknown(err)
		return
	}
	var out []string
	for _, a := range have {
		if a.Active == Usable && a.ID != management && !slices.Contains(below, a.ID) {
			out = append(out, a.ID)
		}
	}
	if len(out) > 0 {
		slices.Sort(out)
		n.warn(fmt.Sprintf("Accounts of the organization are in none of the targets: %s. Nothing that happens in them is seen.", list(out)),
			"Add their units, or the root, to members.targets in "+e.Deployment.File+", unless that is meant.")
	}
}

// managementAccount makes sure that the management account is looked after,
// which StackSets always skip (T83, A7), or says that it is not. The hub cannot
// look into it, but its canary does.
func managementAccount() Check {
	return Check{
		ID: "management-account", When: After, Ways: inOrganization(),
		Looks: "whether the canary asks for the management account (the rules file that is deployed), and the canary's alarms (CloudFormation DescribeStacks, CloudWatch DescribeAlarms)",
		look: func(ctx context.Context, e *exam, n *notes) {
			d, account := e.Deployment, e.management(ctx)
			if account == "" || d.Rules.Organization.Management != account {
				n.warn(fmt.Sprintf("The management account %s is not covered: StackSets skip it, and the rules file does not name it.", account),
					"Write organization.management into "+d.RulesFile+".", e.deploy(deployment.HubStack), e.deploy(deployment.ManagementStack))
				return
			}
			s, err := e.stack(ctx, e.mainStack())
			if err == nil && s.Outputs[RulesHashOutput] != d.Rules.Hash {
				n.unsure("Whether the canary asks for the management account "+account+" is not known: other rules are deployed.", e.deploy(deployment.HubStack))
				return
			}
			all, alarmErr := e.alarms.get(ctx)
			for _, err := range []error{err, alarmErr} {
				if err != nil {
					n.unknown(err)
					return
				}
			}
			canaryReaches(n, all, account, e.deploy(deployment.ManagementStack))
		},
	}
}

// canaryReaches tells by the canary's alarms whether it reaches an account.
func canaryReaches(n *notes, all []Alarm, account, deploy string) {
	for _, name := range []string{"no-canary", "account-uncovered", "canary-missed"} {
		name = deployment.AlarmPrefix + name
		at := slices.IndexFunc(all, func(a Alarm) bool { return a.Name == name })
		if at < 0 || all[at].State == "INSUFFICIENT_DATA" {
			n.unsure(fmt.Sprintf("Whether the canary reaches the management account %s is not known: the alarm %s has no data.", account, name), "Look again after the canary's next runs.", deploy)
			return
		}
		if all[at].State != "OK" {
			n.unsure(fmt.Sprintf("Whether the canary reaches the management account %s is not known: the alarm %s has gone off.", account, name), "See in the canary's log which accounts it does not reach.", deploy)
			return
		}
	}
	n.fine(fmt.Sprintf("The canary asks for the management account %s, and reaches every account.", account))
}
