package deployment

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/rolewarden/rolewarden/pkg/org/strict"
)

// listed is one place in a list of roots, organizational units and accounts.
type listed struct {
	node *yaml.Node
	path string
	id   string
}

// places reads a list of places, and remembers where each is written.
func (r *reader) places(o strict.Object, name string, f strict.Form, remedy string) []string {
	ids := r.list(o, name, f, remedy)
	var all []listed
	for i, n := range items(o, name) {
		if n.Kind == yaml.ScalarNode && attachable.OK(n.Value) {
			all = append(all, listed{node: n, path: strict.Item(o.At(name), i), id: n.Value})
		}
	}
	r.listed = append(r.listed, all)
	return ids
}

// checkPlaces notes places that cannot be in one organization, and lists that
// reach further than they look.
func (r *reader) checkPlaces() {
	var first listed
	for _, list := range r.listed {
		r.checkReach(list)
		for _, p := range list {
			switch {
			case rootOf(p.id) == "":
			case first.id == "":
				first = p
			case rootOf(p.id) != rootOf(first.id):
				r.Fail(p.node, p.path, fmt.Sprintf("%q is under the root %s, but %s under %s, and an organization has one root", p.id, rootOf(p.id), first.path, rootOf(first.id)),
					"copy the id from Organizations; that of a unit holds that of its root")
			}
		}
	}
}

// checkReach notes what stands beside a root: it looks as if the list were
// limited to it.
func (r *reader) checkReach(list []listed) {
	root := ""
	for _, p := range list {
		if strings.HasPrefix(p.id, "r-") {
			root = p.id
		}
	}
	for _, p := range list {
		if root != "" && !strings.HasPrefix(p.id, "r-") {
			r.Fail(p.node, p.path, fmt.Sprintf("%q stands beside the root %s, which reaches the whole organization", p.id, root),
				"leave the root out to reach this place only, or leave this one out")
		}
	}
}

// checkGuardrails notes a policy for the management account, which no policy of
// the organization binds (Organizations User Guide, orgs_manage_policies_scps).
func (r *reader) checkGuardrails(d *Deployment) {
	for _, list := range r.listed {
		for _, p := range list {
			if p.id == d.Rules.Organization.Management {
				r.Fail(p.node, p.path, fmt.Sprintf("%q is the management account, which no SCP or RCP binds", p.id), "leave it out")
			}
		}
	}
}

// rootOf gives the id of the root of a root or an organizational unit, and
// nothing for an account.
func rootOf(id string) string {
	if unit, ok := strings.CutPrefix(id, "ou-"); ok {
		root, _, _ := strings.Cut(unit, "-")
		return "r-" + root
	}
	if strings.HasPrefix(id, "r-") {
		return id
	}
	return ""
}
