package deployment

import (
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// checkWriters notes a rules file that lets rolewarden write where it has no
// role to write with: every write would fail, and somebody relies on it.
func (r *reader) checkWriters(d *Deployment) {
	management := d.Rules.Organization.Management
	if d.Way != Single && management != "" {
		if w, found := firstWriter(d.Rules, management); found {
			r.Fail(r.root.Field("rules"), "rules",
				fmt.Sprintf("%s lets the rule %s %s in the management account %s, where rolewarden only reads", d.RulesFile, w.rule, w.mode, management),
				fmt.Sprintf("write modes.accounts: {%q: observe} there", management))
		}
	}
	if d.Remediator == Present {
		return
	}
	for _, account := range r.written(d) {
		w, found := firstWriter(d.Rules, account)
		if !found {
			continue
		}
		n := r.root.Field("remediator")
		if n == nil {
			n = r.root.Field("rules")
		}
		r.Fail(n, "remediator", fmt.Sprintf("absent, but %s lets the rule %s %s %s", d.RulesFile, w.rule, w.mode, inAccount(account)),
			"write remediator: present, or lower the mode in the rules file to observe")
		return
	}
}

// written gives the accounts in which rolewarden may be let to write. The empty
// one stands for every account that the rules file does not list.
func (r *reader) written(d *Deployment) []string {
	if d.Way == Single {
		if d.Account == "" {
			return nil
		}
		return []string{d.Account}
	}
	out := []string{""}
	for _, id := range d.Rules.MemberIDs() {
		if id != d.Rules.Organization.Management {
			out = append(out, id)
		}
	}
	return out
}

func inAccount(id string) string {
	if id == "" {
		return "in an account that it does not list"
	}
	return "in the account " + id
}

// writer is a rule that may write, and how far it may go.
type writer struct {
	rule string
	mode org.Mode
}

// firstWriter gives the first rule of the catalogue that may write in an account.
func firstWriter(o *org.Rules, account string) (writer, bool) {
	for _, rule := range rules.Under(o) {
		mode := o.Mode(rule.ID, account)
		if rule.Reach == rules.TagOnly {
			mode = min(mode, org.Tag)
		}
		if rule.Reach != rules.TellOnly && mode != org.Observe {
			return writer{rule.ID, mode}, true
		}
	}
	return writer{}, false
}
