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

// stackSets are the StackSets of the deployment with the Regions they go to.
func (e *exam) stackSets() map[string][]string {
	d := e.Deployment
	out := map[string][]string{deployment.MemberStackSet: {d.Region}}
	var others []string
	for _, r := range d.AssumeRoleRegions {
		if r != d.Region {
			others = append(others, r)
		}
	}
	if len(others) > 0 {
		out[deployment.RegionalStackSet] = others
	}
	return out
}

// stackSetNames are the names of the StackSets, sorted.
func (e *exam) stackSetNames() []string {
	if len(e.stackSets()) > 1 {
		return []string{deployment.MemberStackSet, deployment.RegionalStackSet}
	}
	return []string{deployment.MemberStackSet}
}

// stackSet makes sure that new accounts get their stack too, and that nobody
// changed what the others have (T71).
func stackSet() Check {
	return Check{
		ID: "stackset", When: After, Ways: []deployment.Way{deployment.Members},
		Looks: "the StackSets of the members" + stackSetStatusCall,
		look: func(ctx context.Context, e *exam, n *notes) {
			for _, name := range e.stackSetNames() {
				s, err := e.AWS.StackSet(ctx, name)
				switch {
				case absent(err):
					n.problem("The StackSet "+name+" does not exist.", "Deploy it: npx cdk deploy "+deployment.MembersStack)
				case err != nil:
					n.unknown(err)
				default:
					stackSetState(e, n, s)
				}
			}
		},
	}
}

func stackSetState(e *exam, n *notes, s StackSet) {
	again := "Deploy it again: npx cdk deploy " + deployment.MembersStack
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
	detect := "Look for drift: aws cloudformation detect-stack-set-drift --call-as DELEGATED_ADMIN --stack-set-name " + s.Name
	switch day := s.DriftAt.UTC().Format(time.DateOnly); {
	case s.Drift == "DRIFTED":
		n.problem(fmt.Sprintf("The StackSet %s had drifted on %s: somebody changed what it made in a member account.", s.Name, day),
			"Find out who; then deploy it again: npx cdk deploy "+deployment.MembersStack)
	case s.DriftAt.IsZero():
		n.warn(fmt.Sprintf("Nobody has looked yet whether the StackSet %s has drifted.", s.Name), detect)
	case e.Now.Sub(s.DriftAt) > driftGoesStale:
		n.warn(fmt.Sprintf("Whether the StackSet %s has drifted was looked at last on %s (%s).", s.Name, day, s.Drift), detect)
	default:
		n.fine(fmt.Sprintf("The StackSet %s is %s; its drift on %s: %s.", s.Name, s.Status, day, s.Drift))
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
		ID: "stack-instances", When: After, Ways: []deployment.Way{deployment.Members},
		Looks: "the members' stacks (CloudFormation ListStackInstances, as delegated administrator)",
		look: func(ctx context.Context, e *exam, n *notes) {
			for _, name := range e.stackSetNames() {
				all, err := e.AWS.Instances(ctx, name)
				if err != nil {
					n.unknown(err)
					continue
				}
				instancesState(n, name, all)
			}
		},
	}
}

func instancesState(n *notes, name string, all []Instance) {
	bad := map[string][]string{}
	var order []string
	for _, i := range all {
		if why := i.ailment(); why != "" {
			if bad[why] == nil {
				order = append(order, why)
			}
			bad[why] = append(bad[why], i.Account+"/"+i.Region)
		}
	}
	for _, why := range order {
		n.problem(fmt.Sprintf("Stacks of %s %s: %s.", name, why, list(bad[why])),
			"Mend the cause and deploy again, or look at the operation in the console of StackSets: "+name+".")
	}
	if len(all) == 0 {
		n.problem("The StackSet "+name+" has no stack in any account.", "Deploy it again: npx cdk deploy "+deployment.MembersStack)
		return
	}
	n.fine(fmt.Sprintf("The StackSet %s has %d stacks.", name, len(all)))
}

// ailment says what is wrong with an instance; nothing when it is well.
func (i Instance) ailment() string {
	reason := ""
	if i.Reason != "" {
		reason = " (" + strings.TrimSuffix(i.Reason, ".") + ")"
	}
	switch {
	case i.Detail == "SKIPPED_SUSPENDED_ACCOUNT":
		return ""
	case i.Status != "CURRENT":
		return "are " + i.Status + reason
	case i.Drift == "DRIFTED":
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
		ID: "coverage", When: After, Ways: []deployment.Way{deployment.Members},
		Looks: "the accounts below the targets (Organizations ListAccountsForParent, ListOrganizationalUnitsForParent, ListAccounts), and the members' stacks",
		look: func(ctx context.Context, e *exam, n *notes) {
			below, err := e.AWS.Below(ctx, e.Deployment.Targets)
			if err != nil {
				n.unknown(err)
			}
			management := e.Deployment.Rules.Organization.Management
			o, err := e.organization.get(ctx)
			if err == nil {
				management = o.Management
			}
			below = slices.DeleteFunc(below, func(id string) bool { return id == management })
			uncovered(ctx, e, n, below)
			outside(ctx, e, n, below, management)
		},
	}
}

// uncovered tells of accounts in the targets that lack a stack.
func uncovered(ctx context.Context, e *exam, n *notes, below []string) {
	regions := e.stackSets()
	for _, name := range e.stackSetNames() {
		all, err := e.AWS.Instances(ctx, name)
		if err != nil {
			n.unknown(err)
			continue
		}
		var missing []string
		for _, account := range below {
			for _, region := range regions[name] {
				if !slices.ContainsFunc(all, func(i Instance) bool { return i.Account == account && i.Region == region }) {
					missing = append(missing, account+"/"+region)
				}
			}
		}
		if len(missing) > 0 {
			n.problem(fmt.Sprintf("Accounts in the targets have no stack of %s: %s. Nothing that happens in them is seen.", name, list(missing)),
				"See why in the operations of the StackSet "+name+", mend it, and deploy again: npx cdk deploy "+deployment.MembersStack)
			continue
		}
		n.fine(fmt.Sprintf("Each of the %d accounts in the targets has its stack of %s.", len(below), name))
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

// management makes sure that the management account is looked after, which
// StackSets always skip (T83, A7), or says that it is not.
func management() Check {
	return Check{
		ID: "management-account", When: After, Ways: []deployment.Way{deployment.Members},
		Looks: "whether the canary is told of the management account (the output " + ManagementOutput + " of the functions' stack), and the canary's alarms (CloudWatch DescribeAlarms)",
		look: func(ctx context.Context, e *exam, n *notes) {
			account := e.Deployment.Rules.Organization.Management
			if o, err := e.organization.get(ctx); err == nil {
				account = o.Management
			}
			s, err := e.stack(ctx, e.mainStack())
			if err != nil {
				n.unknown(err)
				return
			}
			deploy := "Deploy the stack " + deployment.ManagementStack + " with credentials of the management account, and look there with rolewarden doctor --at management."
			if account == "" || s.Outputs[ManagementOutput] != account {
				n.warn(fmt.Sprintf("The management account %s is not covered: StackSets skip it, and the canary is not told of it.", account),
					"Write organization.management into "+e.Deployment.RulesFile+" and deploy the hub again.", deploy)
				return
			}
			all, err := e.alarms.get(ctx)
			if err != nil {
				n.unknown(err)
				return
			}
			canaryReaches(n, all, account, deploy)
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
	n.fine(fmt.Sprintf("The canary is told of the management account %s, and reaches every account.", account))
}
