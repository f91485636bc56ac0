package lab

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

func roleOperations() map[string]operation {
	name := formField("RoleName")
	return map[string]operation{
		"CreateRole":             {run: (*Lab).createRole, target: onNewRole, also: tagging("iam:TagRole"), name: name, event: writeEvent},
		"GetRole":                {run: (*Lab).getRole, target: onRole, name: name},
		"ListRoles":              {run: (*Lab).listRoles, target: onAny("role/"), name: unnamed},
		"UpdateAssumeRolePolicy": {run: (*Lab).updateTrust, target: onRole, name: name, event: writeEvent},
		"UpdateRole":             {run: (*Lab).updateRole, target: onRole, name: name, event: writeEvent},
		"DeleteRole":             {run: (*Lab).deleteRole, target: onRole, name: name, event: writeEvent},
		"TagRole":                {run: (*Lab).tagRole, target: onRole, name: name, event: writeEvent},
		"UntagRole":              {run: (*Lab).untagRole, target: onRole, name: name, event: writeEvent},
		"ListRoleTags":           {run: (*Lab).listRoleTags, target: onRole, name: name},

		"CreateServiceLinkedRole": {run: (*Lab).createServiceLinkedRole, target: everything, name: unnamed, event: writeEvent},
		"AcquireRole":             {run: (*Lab).acquireRole, target: everything, name: unnamed, event: writeEvent},
	}
}

// tagging asks for the tagging action too when a call brings tags.
func tagging(action string) func(*request) []string {
	return func(req *request) []string {
		if formTags(req.form) != nil {
			return []string{action}
		}
		return nil
	}
}

func formTags(form url.Values) []tag {
	var out []tag
	for _, record := range records(form, "Tags") {
		out = append(out, tag{key: record.Get("Key"), value: record.Get("Value")})
	}
	return out
}

func (l *Lab) createRole(req *request) (*answer, error) {
	name, acct := req.form.Get("RoleName"), req.caller.account
	if err := checkName("roleName", name); err != nil {
		return nil, err
	}
	path, err := checkPath(req.form.Get("Path"))
	if err != nil {
		return nil, err
	}
	longest, err := sessionLimit(req.form.Get("MaxSessionDuration"))
	if err != nil {
		return nil, err
	}
	tags := formTags(req.form)
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	if tags, err = mergeTags(nil, tags); err != nil {
		return nil, err
	}
	if _, taken := acct.roles[fold(name)]; taken {
		return nil, exists("Role", name)
	}
	if strings.HasPrefix(path, "/aws-service-role/") {
		return nil, accessDenied("The path %s is reserved for service-linked roles.", path)
	}
	boundary, err := l.checkBoundary(req)
	if err != nil {
		return nil, err
	}
	document := req.form.Get("AssumeRolePolicyDocument")
	trust, err := l.newTrust(document, req.at)
	if err != nil {
		return nil, err
	}
	r, err := l.addRole(acct, name, path)
	if err != nil {
		return nil, err
	}
	r.state = state{
		description: req.form.Get("Description"), maxSession: longest, tags: tags, trust: trust,
		boundary: boundary,
	}
	req.trail.response = map[string]any{"role": l.trailRole(r)}
	return answerXML(l.roleXML("Role", r, r.state, document)), nil
}

func sessionLimit(text string) (int, error) {
	if text == "" {
		return defaultSession, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < defaultSession || n > longestSession {
		return 0, validation("1 validation error detected: Value '%s' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between %d and %d", text, defaultSession, longestSession)
	}
	return n, nil
}

// trailRole is a role in a CreateRole event. The document there is as sent,
// percent-encoded.
func (l *Lab) trailRole(r *role) map[string]any {
	out := map[string]any{
		"path": r.path, "roleName": r.name, "roleId": r.id, "arn": r.arn(l.partition),
		"createDate": createDate(r.created), "assumeRolePolicyDocument": percentEncode(r.state.trust.sent),
	}
	if r.state.tags != nil {
		out["tags"] = trailTags(r.state.tags)
	}
	return out
}

func trailTags(tags []tag) []any {
	var out []any
	for _, t := range tags {
		out = append(out, map[string]any{"key": t.key, "value": t.value})
	}
	return out
}

func (l *Lab) roleXML(name string, r *role, s state, document string) elem {
	kids := []elem{
		leaf("Path", r.path), leaf("RoleName", r.name), leaf("RoleId", r.id), leaf("Arn", r.arn(l.partition)),
		leaf("CreateDate", trailTime(r.created)), leaf("AssumeRolePolicyDocument", percentEncode(document)),
		number("MaxSessionDuration", s.maxSession),
	}
	if s.description != "" {
		kids = append(kids, leaf("Description", s.description))
	}
	if len(s.tags) > 0 {
		kids = append(kids, tagsXML(s.tags))
	}
	if s.boundary != "" {
		kids = append(kids, boundaryXML(s.boundary))
	}
	if r.template != nil {
		kids = append(kids, tree("SourceRoleTemplate",
			leaf("TemplateArn", r.template.arn), number("TemplateMinorVersion", r.template.minor)))
	}
	return tree(name, kids...)
}

func boundaryXML(arn string) elem {
	return tree("PermissionsBoundary", leaf("PermissionsBoundaryType", "Policy"), leaf("PermissionsBoundaryArn", arn))
}

func tagsXML(tags []tag) elem {
	return members("Tags", tags, func(t tag) []elem { return []elem{leaf("Key", t.key), leaf("Value", t.value)} })
}

// getRole is the one read that lags: it shows each write only after the read
// lag.
func (l *Lab) getRole(req *request) (*answer, error) {
	name := req.form.Get("RoleName")
	r, s, ok := l.visibleRole(req.caller.account, name, req)
	if !ok {
		return nil, noSuch("role", name)
	}
	return answerXML(l.roleXML("Role", r, s, l.shown(s.trust))), nil
}

func (l *Lab) visibleRole(acct *account, name string, req *request) (*role, state, bool) {
	seen := req.at.Add(-l.readLag)
	r, here := acct.roles[fold(name)]
	ghost, was := acct.ghosts[fold(name)]
	if req.stale {
		if here {
			s, ok := r.before()
			return r, s, ok
		}
		if was {
			return ghost, ghost.state, true
		}
		return nil, state{}, false
	}
	if here {
		if s, ok := r.at(seen); ok {
			return r, s, true
		}
	}
	if was && ghost.deletedAt.After(seen) {
		s, ok := ghost.at(seen)
		return ghost, s, ok
	}
	return nil, state{}, false
}

// ownRole finds the role a write is about.
func (l *Lab) ownRole(req *request) (*role, error) {
	name := req.form.Get("RoleName")
	r, ok := req.caller.account.roles[fold(name)]
	if !ok {
		return nil, noSuch("role", name)
	}
	return r, nil
}

// writableRole refuses roles that only AWS may change.
func (l *Lab) writableRole(req *request) (*role, error) {
	r, err := l.ownRole(req)
	if err != nil {
		return nil, err
	}
	if r.service != "" || strings.HasPrefix(r.path, "/aws-reserved/") {
		return nil, unmodifiable(r.name)
	}
	return r, nil
}

func (l *Lab) listRoles(req *request) (*answer, error) {
	prefix := req.form.Get("PathPrefix")
	var found []*role
	for _, key := range sortedKeys(req.caller.account.roles) {
		if r := req.caller.account.roles[key]; strings.HasPrefix(r.path, prefix) {
			found = append(found, r)
		}
	}
	page, tail, err := paged(found, req.form)
	if err != nil {
		return nil, err
	}
	roles := elem{name: "Roles"}
	for _, r := range page {
		// ListRoles leaves tags and boundaries out.
		s := r.state
		s.tags, s.boundary = nil, ""
		roles.kids = append(roles.kids, l.roleXML("member", r, s, l.shown(s.trust)))
	}
	return answerXML(append([]elem{roles}, tail...)...), nil
}

func (l *Lab) updateTrust(req *request) (*answer, error) {
	r, err := l.writableRole(req)
	if err != nil {
		return nil, err
	}
	trust, err := l.newTrust(req.form.Get("PolicyDocument"), req.at)
	if err != nil {
		return nil, err
	}
	r.change(req.at, func(s *state) { s.trust = trust })
	return &answer{}, nil
}

func (l *Lab) updateRole(req *request) (*answer, error) {
	r, err := l.writableRole(req)
	if err != nil {
		return nil, err
	}
	longest, err := sessionLimit(req.form.Get("MaxSessionDuration"))
	if err != nil {
		return nil, err
	}
	r.change(req.at, func(s *state) {
		if req.form.Has("MaxSessionDuration") {
			s.maxSession = longest
		}
		if req.form.Has("Description") {
			s.description = req.form.Get("Description")
		}
	})
	return answerXML(), nil
}

func (l *Lab) deleteRole(req *request) (*answer, error) {
	r, err := l.writableRole(req)
	if err != nil {
		return nil, err
	}
	if len(r.attached) > 0 {
		return nil, deleteConflict("Cannot delete entity, must detach all policies first.")
	}
	if len(r.inline) > 0 {
		return nil, deleteConflict("Cannot delete entity, must delete policies first.")
	}
	l.removeRole(r, req.at)
	return &answer{}, nil
}

func (l *Lab) removeRole(r *role, at time.Time) {
	r.deleted, r.deletedAt = true, at
	delete(r.account.roles, fold(r.name))
	r.account.ghosts[fold(r.name)] = r
}

func (l *Lab) tagRole(req *request) (*answer, error) {
	r, err := l.writableRole(req)
	if err != nil {
		return nil, err
	}
	add := formTags(req.form)
	if err := checkTags(add); err != nil {
		return nil, err
	}
	merged, err := mergeTags(slices.Clone(r.state.tags), add)
	if err != nil {
		return nil, err
	}
	r.change(req.at, func(s *state) { s.tags = merged })
	return &answer{}, nil
}

func (l *Lab) untagRole(req *request) (*answer, error) {
	r, err := l.writableRole(req)
	if err != nil {
		return nil, err
	}
	r.change(req.at, func(s *state) { s.tags = removeTags(s.tags, list(req.form, "TagKeys")) })
	return &answer{}, nil
}

func (l *Lab) listRoleTags(req *request) (*answer, error) {
	r, err := l.ownRole(req)
	if err != nil {
		return nil, err
	}
	page, tail, err := paged(r.state.tags, req.form)
	if err != nil {
		return nil, err
	}
	return answerXML(append([]elem{tagsXML(page)}, tail...)...), nil
}
