package lab

import (
	"slices"
	"time"
)

func accountOperations() map[string]operation {
	return map[string]operation{
		"GetAccountAuthorizationDetails": {run: (*Lab).authorizationDetails, target: everything, name: unnamed},
		"ListAccountAliases":             {run: (*Lab).listAliases, target: everything, name: unnamed},
	}
}

func (l *Lab) listAliases(req *request) (*answer, error) {
	var aliases []string
	if req.caller.account.alias != "" {
		aliases = []string{req.caller.account.alias}
	}
	return answerXML(names("AccountAliases", aliases), leaf("IsTruncated", "false")), nil
}

// detail is one entry of an account's authorization details.
type detail struct {
	list string // the element it stands in
	xml  func() elem
}

// detailFilters are the values of Filter, in the order in which the lab lists.
var detailFilters = []string{"User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"}

// authorizationDetails gives users, roles and managed policies, each with its
// documents percent-encoded. The lab has no groups. IAM API Reference,
// API_GetAccountAuthorizationDetails.
func (l *Lab) authorizationDetails(req *request) (*answer, error) {
	filter := list(req.form, "Filter")
	for _, kind := range filter {
		if !slices.Contains(detailFilters, kind) {
			return nil, validation("1 validation error detected: Value '%s' at 'filter' failed to satisfy constraint: Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]", kind)
		}
	}
	var all []detail
	for _, kind := range detailFilters {
		if filter == nil || slices.Contains(filter, kind) {
			all = append(all, l.details(req, kind)...)
		}
	}
	page, tail, err := paged(all, req.form)
	if err != nil {
		return nil, err
	}
	lists := []elem{{name: "UserDetailList"}, {name: "RoleDetailList"}, {name: "GroupDetailList"}, {name: "Policies"}}
	for _, d := range page {
		for i := range lists {
			if lists[i].name == d.list {
				lists[i].kids = append(lists[i].kids, d.xml())
			}
		}
	}
	return answerXML(append(lists, tail...)...), nil
}

func (l *Lab) details(req *request, kind string) []detail {
	acct := req.caller.account
	var out []detail
	switch kind {
	case "User":
		for _, key := range sortedKeys(acct.users) {
			out = append(out, detail{"UserDetailList", func() elem { return l.userDetail(acct.users[key]) }})
		}
	case "Role":
		for _, seen := range l.visibleRoles(acct, req) {
			out = append(out, detail{"RoleDetailList", func() elem { return l.roleDetail(seen.role, seen.state) }})
		}
	case "LocalManagedPolicy":
		for _, arn := range sortedKeys(acct.policies) {
			out = append(out, detail{"Policies", func() elem { return policyDetail(acct, acct.policies[arn], arn) }})
		}
	case "AWSManagedPolicy":
		for _, name := range awsManagedNames {
			arn := l.partition.managed(name)
			if attached, boundary := acct.uses(arn); attached+boundary > 0 {
				out = append(out, detail{"Policies", func() elem { return policyDetail(acct, standIn(name), arn) }})
			}
		}
	}
	return out
}

func (l *Lab) userDetail(u *user) elem {
	detail := l.userXML("member", u)
	detail.kids = append(detail.kids, elem{name: "GroupList"}, inlineXML("UserPolicyList", u.inline),
		attachedXML("AttachedManagedPolicies", u.attached))
	return detail
}

// roleDetail leaves out what is in a Role and not in a RoleDetail.
func (l *Lab) roleDetail(r *role, s state) elem {
	detail := l.roleXML("member", r, s, l.shown(s.trust))
	detail.kids = slices.DeleteFunc(detail.kids, func(e elem) bool {
		return e.name == "MaxSessionDuration" || e.name == "Description" || e.name == "SourceRoleTemplate"
	})
	detail.kids = append(detail.kids, elem{name: "InstanceProfileList"}, inlineXML("RolePolicyList", r.inline),
		attachedXML("AttachedManagedPolicies", r.attached))
	return detail
}

func inlineXML(name string, inline map[string]string) elem {
	return members(name, sortedKeys(inline), func(key string) []elem {
		return []elem{leaf("PolicyName", key), leaf("PolicyDocument", percentEncode(inline[key]))}
	})
}

func policyDetail(acct *account, p managedPolicy, arn string) elem {
	detail := policyXML("member", acct, p, arn)
	detail.kids = append(detail.kids, members("PolicyVersionList", []managedPolicy{p}, func(p managedPolicy) []elem {
		return []elem{
			leaf("Document", percentEncode(p.document)), leaf("VersionId", "v1"), leaf("IsDefaultVersion", "true"),
			leaf("CreateDate", trailTime(p.created)),
		}
	}))
	return detail
}

// seenRole is a role in the state that a read shows.
type seenRole struct {
	role  *role
	state state
}

// visibleRoles are the roles that a read of the whole account shows: within
// the read lag the earlier ones, and in a stale read what was there before the
// account's last write of a role.
func (l *Lab) visibleRoles(acct *account, req *request) []seenRole {
	last := time.Time{}
	if req.stale {
		last = acct.lastRoleWrite()
	}
	names := map[string]bool{}
	for name := range acct.roles {
		names[name] = true
	}
	for name := range acct.ghosts {
		names[name] = true
	}
	var out []seenRole
	for _, name := range sortedKeys(names) {
		one := *req
		one.stale = req.stale && acct.writtenAt(name).Equal(last)
		if r, s, ok := l.visibleRole(acct, name, &one); ok {
			out = append(out, seenRole{r, s})
		}
	}
	return out
}

// writtenAt is when a role of that name was last written, deletion included.
func (a *account) writtenAt(name string) time.Time {
	if r, ok := a.roles[name]; ok {
		return r.since
	}
	if r, ok := a.ghosts[name]; ok {
		return r.deletedAt
	}
	return time.Time{}
}

func (a *account) lastRoleWrite() time.Time {
	last := time.Time{}
	for _, these := range []map[string]*role{a.roles, a.ghosts} {
		for name := range these {
			if at := a.writtenAt(name); at.After(last) {
				last = at
			}
		}
	}
	return last
}
