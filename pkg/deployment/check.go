package deployment

import (
	"fmt"
	"path/filepath"

	"github.com/rolewarden/rolewarden/pkg/rules"
)

// sessionPolicy is the id of the rule that names the sensitive roles.
const sessionPolicy = "session-policy"

// loadRules reads the rules file. Its mistakes are told with its own path.
func (r *reader) loadRules(d *Deployment) error {
	path, ok := r.root.Text("rules", rulesPath)
	if !ok {
		return nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(r.file), path)
	}
	n := r.root.Field("rules")
	if filepath.Clean(path) == filepath.Clean(r.file) {
		r.Fail(n, "rules", fmt.Sprintf("%q is this file", n.Value), "write the path of the rules file, which is a file of its own")
		return nil
	}
	text, err := read(path)
	if err != nil {
		r.Fail(n, "rules", fmt.Sprintf("reading %s: %v", path, err), rulesPath.Remedy)
		return nil
	}
	parsed, err := r.parser(path, text, r.now)
	if err != nil {
		return err
	}
	if err := rules.CheckFile(path, parsed); err != nil {
		return err
	}
	d.RulesFile, d.RulesText, d.Rules = path, text, parsed
	return nil
}

// check notes what does not fit together. What depends on the rules file is
// left out while that has mistakes of its own.
func (r *reader) check(d *Deployment) {
	r.checkWay(d)
	r.checkPlaces()
	if d.Rules == nil {
		return
	}
	r.checkAccount(d)
	r.checkGuardrails(d)
	r.checkAssumeRole(d)
	r.checkWriters(d)
}

// checkWay notes what a way must have, and what it cannot have.
func (r *reader) checkWay(d *Deployment) {
	switch d.Way {
	case Single:
		for _, name := range []string{"members", "guardrails"} {
			if n := r.root.Field(name); n != nil {
				r.Fail(n, name, "the way single is about one account and no organization", "leave it out, or deploy the way hub")
			}
		}
	case Hub, Members:
		if r.root.Field("members") == nil {
			r.Fail(r.node, "members", fmt.Sprintf("missing: the way %s is about the accounts of an organization", d.Way), remedyTargets)
		}
		if d.Rules != nil && d.Rules.Organization.ID == "" {
			r.Fail(r.root.Field("rules"), "rules", fmt.Sprintf("%s names no organization, and the way %s trusts nobody outside of it", d.RulesFile, d.Way),
				"write organization.id there, or deploy the way single")
		}
		if d.Way == Members && d.Rules != nil && d.Rules.Organization.ID != "" && d.Rules.Organization.Management == "" {
			r.Fail(r.root.Field("rules"), "rules", fmt.Sprintf("%s does not name the management account, which StackSets skip and which has a stack of its own", d.RulesFile),
				`write organization.management there, such as management: "999999999999"`)
		}
	case NoWay:
	}
}

// checkAccount notes an account that cannot be the hub's.
func (r *reader) checkAccount(d *Deployment) {
	if d.Account == "" {
		return
	}
	n, o := r.root.Field("account"), d.Rules.Organization
	if d.Way != Single && d.Account == o.Management {
		r.Fail(n, "account", fmt.Sprintf("%q is the management account, which nothing can guard: neither StackSets nor SCPs reach it", d.Account),
			"write the account of your security tooling, and make it a delegated administrator")
	}
	if p, taken := d.Rules.Partner(d.Account); taken {
		r.Fail(n, "account", fmt.Sprintf("%q is an account of the partner %q", d.Account, p.Name), "write an account of your own, or mend partners in the rules file")
	}
	if o.ID != "" && o.Complete && !d.Rules.Member(d.Account) {
		r.Fail(n, "account", fmt.Sprintf("%q is none of organization.accounts, which the rules file says are complete", d.Account),
			"list it there, or mend the account")
	}
}

// checkAssumeRole notes Regions in which there is nothing to watch.
func (r *reader) checkAssumeRole(d *Deployment) {
	n := r.root.Field("assumeRole")
	if n == nil || len(d.AssumeRoleRoles()) > 0 {
		return
	}
	problem := "the rules file names no roles under the rule " + sessionPolicy + ", so there is nothing to watch"
	remedy := "list the sensitive roles there under rules." + sessionPolicy + ".roles, or leave assumeRole out"
	if d.Rules.Setting(sessionPolicy).Off {
		problem = "the rules file turns the rule " + sessionPolicy + " off, which judges these events"
		remedy = "take off: true away there, or leave assumeRole out"
	}
	r.Fail(n, "assumeRole", problem, remedy)
}
