package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// stackSetsService is the service principal by which StackSets is trusted, and
// administered by another account than the management account (AWS
// Organizations User Guide, services-that-can-integrate-cloudformation).
const stackSetsService = "member.org.stacksets.cloudformation.amazonaws.com"

// organization makes sure that this is the organization that the rules file
// speaks of, and that it can do what is needed.
func organization() Check {
	return Check{
		ID: "organization", Ways: inOrganization(), Seats: everySeat(),
		Looks: "the organization that this account belongs to (Organizations DescribeOrganization)",
		look: func(ctx context.Context, e *exam, n *notes) {
			o, err := e.organization.get(ctx)
			if absent(err) {
				n.problem("This account belongs to no organization.", "Use the way single, or credentials of an account of the organization.")
				return
			}
			if err != nil {
				n.unknown(err)
				return
			}
			d := e.Deployment
			if o.ID != d.Organization() {
				n.problem(fmt.Sprintf("This account belongs to the organization %s, and %s speaks of %s.", o.ID, d.RulesFile, d.Organization()),
					"Mend organization.id in "+d.RulesFile+", or use credentials of the other organization: every policy is pinned to that id.")
			}
			if o.Features != "ALL" {
				n.problem(fmt.Sprintf("The organization has not all features enabled (it has %s): StackSets and policies of the organization need them.", o.Features),
					"Enable all features from the management account (Organizations EnableAllFeatures).")
			}
			if o.Management == d.Account {
				n.problem(fmt.Sprintf("Account %s is the management account, which no policy of the organization binds.", d.Account),
					"Deploy the hub to a security account, and write that account into "+d.File+".")
			}
			managementNamed(n, d, o.Management)
			n.fine(fmt.Sprintf("It is %s, with the management account %s.", o.ID, o.Management))
		},
	}
}

// managementNamed makes sure that the rules file names the management account:
// it is covered only where it is named (A7).
func managementNamed(n *notes, d *deployment.Deployment, management string) {
	switch named := d.Rules.Organization.Management; named {
	case management:
	case "":
		n.problem("The rules file does not name the management account: its stack cannot be rendered, and the canary does not ask for it.", "Write management: \""+management+"\" under organization in "+d.RulesFile+".")
	default:
		n.problem(fmt.Sprintf("The rules file says that the management account is %s, and it is %s.", named, management), "Mend organization.management in "+d.RulesFile+".")
	}
}

// accounts compares the rules file's accounts with the organization's (T14).
func accounts() Check {
	return Check{
		ID: "accounts", Ways: inOrganization(), Seats: []Seat{Hub, Management},
		Looks: "the rules file's accounts and those of the organization (Organizations ListAccounts)",
		look: func(ctx context.Context, e *exam, n *notes) {
			have, err := e.accounts.get(ctx)
			if err != nil {
				n.unknown(err)
				return
			}
			file := e.Deployment.Rules.Organization
			unlisted, vanished := apart(e.Deployment.Rules.MemberIDs(), have)
			where := e.Deployment.RulesFile
			if len(vanished) > 0 {
				n.problem(fmt.Sprintf("The rules file lists what is no account of the organization: %s.", list(vanished)),
					"Take them out of organization.accounts in "+where+": the rules count them as our own.")
			}
			switch {
			case len(unlisted) == 0:
			case file.Complete:
				n.problem(fmt.Sprintf("The rules file says that its list is complete, and it lacks %s.", list(unlisted)),
					"Add them to organization.accounts in "+where+", or take complete: true out.")
			default:
				n.warn(fmt.Sprintf("The rules file does not list %s: whatever hinges on them is asked of Organizations, or undecided.", list(unlisted)),
					"Add them to organization.accounts in "+where+".")
			}
			n.fine(fmt.Sprintf("The organization has %d accounts.", len(have)))
		},
	}
}

// apart gives the accounts that the organization has and the file has not, and
// the other way round.
func apart(file []string, have []Account) (unlisted, vanished []string) {
	ids := make([]string, len(have))
	for i, a := range have {
		ids[i] = a.ID
	}
	slices.Sort(ids)
	return without(ids, file), without(file, ids)
}

// without gives the texts of one list that the other lacks.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// shown is how many entries of a list are written out.
const shown = 20

// list writes a list out, shortened when it is long.
func list(entries []string) string {
	if len(entries) > shown {
		return strings.Join(entries[:shown], ", ") + fmt.Sprintf(" and %d more", len(entries)-shown)
	}
	return strings.Join(entries, ", ")
}

// trustedAccess makes sure that StackSets may deploy to the organization.
func trustedAccess() Check {
	return Check{
		ID: "trusted-access", Ways: inOrganization(), Seats: []Seat{Hub, Management},
		Looks: "the services that may act in the organization (Organizations ListAWSServiceAccessForOrganization)",
		look: func(ctx context.Context, e *exam, n *notes) {
			trusted, err := e.AWS.Trusted(ctx)
			switch {
			case err != nil:
				n.unknown(err)
			case !slices.Contains(trusted, stackSetsService):
				n.problem("StackSets has no trusted access to the organization: no member account gets its stack.",
					"From the management account: aws cloudformation activate-organizations-access")
			default:
				n.fine("StackSets has trusted access to the organization.")
			}
		},
	}
}

// delegatedAdministrator makes sure that the hub may deploy StackSets and ask
// Organizations, which the management account and delegated administrators may.
func delegatedAdministrator() Check {
	return Check{
		ID: "delegated-administrator", Ways: inOrganization(), Seats: []Seat{Hub, Management},
		Looks: "the delegated administrators of StackSets (Organizations ListDelegatedAdministrators)",
		look: func(ctx context.Context, e *exam, n *notes) {
			hub := e.Deployment.Account
			admins, err := e.AWS.Delegated(ctx, stackSetsService)
			switch {
			case err != nil:
				n.unknown(err)
			case !slices.Contains(admins, hub):
				n.problem(fmt.Sprintf("Account %s is no delegated administrator of StackSets: it can neither deploy to member accounts nor ask Organizations about them.", hub),
					"From the management account: aws organizations register-delegated-administrator --account-id "+hub+" --service-principal "+stackSetsService)
			default:
				n.fine(fmt.Sprintf("Account %s is a delegated administrator of StackSets.", hub))
			}
		},
	}
}

// targets makes sure that what the deployment file aims at exists.
func targets() Check {
	return Check{
		ID: "targets", Ways: inOrganization(), Seats: []Seat{Hub, Management},
		Looks: "the roots, units and accounts that the deployment file names (Organizations ListRoots, DescribeOrganizationalUnit, ListAccounts)",
		look: func(ctx context.Context, e *exam, n *notes) {
			d := e.Deployment
			all := slices.Concat(d.Targets, d.AttachSCP, d.AttachRCP)
			slices.Sort(all)
			all = slices.Compact(all)
			if len(all) == 0 {
				n.skip("The deployment file names none.")
				return
			}
			for _, id := range all {
				name, err := e.target(ctx, id)
				switch {
				case absent(err):
					n.problem(fmt.Sprintf("%s does not exist in this organization.", id), "Mend members.targets or guardrails in "+d.File+".")
				case err != nil:
					n.unknown(err)
				default:
					n.fine(fmt.Sprintf("%s is %s.", id, name))
				}
			}
		},
	}
}

// target says what a root, unit or account is.
func (e *exam) target(ctx context.Context, id string) (string, error) {
	switch {
	case strings.HasPrefix(id, "ou-"):
		name, err := e.AWS.Unit(ctx, id)
		return "the unit " + name, err
	case strings.HasPrefix(id, "r-"):
		roots, err := e.roots.get(ctx)
		if err == nil && !slices.ContainsFunc(roots, func(r Root) bool { return r.ID == id }) {
			err = role.ErrNotFound
		}
		return "a root", err
	default:
		have, err := e.accounts.get(ctx)
		at := slices.IndexFunc(have, func(a Account) bool { return a.ID == id })
		if err == nil && at < 0 {
			return "", role.ErrNotFound
		}
		if err != nil {
			return "", err
		}
		return "the account " + have[at].Name, nil
	}
}

// policyTypes makes sure that the guarding policies can be attached.
func policyTypes() Check {
	return Check{
		ID: "policy-types", Ways: inOrganization(), Seats: []Seat{Hub, Management},
		Looks: "the policy types that are enabled (Organizations ListRoots)",
		look: func(ctx context.Context, e *exam, n *notes) {
			d := e.Deployment
			if len(d.AttachSCP)+len(d.AttachRCP) == 0 {
				n.skip("The deployment file attaches no guarding policy; they are written to files only.")
				return
			}
			roots, err := e.roots.get(ctx)
			if err != nil {
				n.unknown(err)
				return
			}
			for _, t := range attached(d) {
				for _, r := range roots {
					if !slices.Contains(r.PolicyTypes, t.kind) {
						n.problem(fmt.Sprintf("The policy type %s is not enabled in %s.", t.kind, r.ID),
							"From the management account: aws organizations enable-policy-type --root-id "+r.ID+" --policy-type "+t.kind)
						continue
					}
					n.fine(fmt.Sprintf("The policy type %s is enabled in %s.", t.kind, r.ID))
				}
			}
		},
	}
}

// attachment is one kind of guarding policy and where it is attached.
type attachment struct {
	kind    string
	targets []string
}

// attached gives the guarding policies that the deployment file attaches.
func attached(d *deployment.Deployment) []attachment {
	var out []attachment
	for _, a := range []attachment{{"SERVICE_CONTROL_POLICY", d.AttachSCP}, {"RESOURCE_CONTROL_POLICY", d.AttachRCP}} {
		if len(a.targets) > 0 {
			out = append(out, a)
		}
	}
	return out
}
