package lab

import "slices"

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

// authorizationDetails gives users and then roles, each with its policies.
func (l *Lab) authorizationDetails(req *request) (*answer, error) {
	filter := list(req.form, "Filter")
	wanted := func(kind string) bool { return filter == nil || slices.Contains(filter, kind) }
	acct := req.caller.account
	var all []any
	if wanted("User") {
		for _, key := range sortedKeys(acct.users) {
			all = append(all, acct.users[key])
		}
	}
	if wanted("Role") {
		for _, key := range sortedKeys(acct.roles) {
			all = append(all, acct.roles[key])
		}
	}
	page, tail, err := paged(all, req.form)
	if err != nil {
		return nil, err
	}
	users, roles := elem{name: "UserDetailList"}, elem{name: "RoleDetailList"}
	for _, item := range page {
		switch who := item.(type) {
		case *user:
			users.kids = append(users.kids, l.userDetail(who))
		case *role:
			roles.kids = append(roles.kids, l.roleDetail(who))
		}
	}
	return answerXML(append([]elem{users, roles, {name: "GroupDetailList"}, {name: "Policies"}}, tail...)...), nil
}

func (l *Lab) userDetail(u *user) elem {
	detail := l.userXML("member", u)
	detail.kids = append(detail.kids, inlineXML("UserPolicyList", u.inline), attachedXML("AttachedManagedPolicies", u.attached))
	return detail
}

func (l *Lab) roleDetail(r *role) elem {
	detail := l.roleXML("member", r, r.state, l.shown(r.state.trust))
	detail.kids = slices.DeleteFunc(detail.kids, func(e elem) bool { return e.name == "MaxSessionDuration" || e.name == "Description" })
	detail.kids = append(detail.kids, elem{name: "InstanceProfileList"}, inlineXML("RolePolicyList", r.inline),
		attachedXML("AttachedManagedPolicies", r.attached))
	return detail
}

func inlineXML(name string, inline map[string]string) elem {
	return members(name, sortedKeys(inline), func(key string) []elem {
		return []elem{leaf("PolicyName", key), leaf("PolicyDocument", percentEncode(inline[key]))}
	})
}
