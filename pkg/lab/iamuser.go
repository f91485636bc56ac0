package lab

import (
	"net/http"
	"slices"
	"strings"
)

func userOperations() map[string]operation {
	name := formField("UserName")
	return map[string]operation{
		"CreateUser":      {run: (*Lab).createUser, target: onNewUser, also: tagging("iam:TagUser"), name: name, event: writeEvent},
		"GetUser":         {run: (*Lab).getUser, target: onUser, name: name},
		"ListUsers":       {run: (*Lab).listUsers, target: onAny("user/"), name: unnamed},
		"UpdateUser":      {run: (*Lab).updateUser, target: onUser, name: name, event: writeEvent},
		"DeleteUser":      {run: (*Lab).deleteUser, target: onUser, name: name, event: writeEvent},
		"TagUser":         {run: (*Lab).tagUser, target: onUser, name: name, event: writeEvent},
		"CreateAccessKey": {run: (*Lab).createAccessKey, target: onUser, name: name, event: writeEvent},
		"DeleteAccessKey": {run: (*Lab).deleteAccessKey, target: onUser, name: name, event: writeEvent},
		"UpdateAccessKey": {run: (*Lab).updateAccessKey, target: onUser, name: name, event: writeEvent},
		"ListAccessKeys":  {run: (*Lab).listAccessKeys, target: onUser, name: name},
	}
}

// ownUser finds the user a call names, or the caller when it names none.
func (l *Lab) ownUser(req *request) (*user, error) {
	name := req.form.Get("UserName")
	if name == "" && req.caller.kind == iamUser {
		return req.caller.user, nil
	}
	if name == "" {
		return nil, validation("Must specify userName when calling with non-User credentials")
	}
	u, ok := req.caller.account.users[fold(name)]
	if !ok {
		return nil, noSuch("user", name)
	}
	return u, nil
}

func (l *Lab) createUser(req *request) (*answer, error) {
	name := req.form.Get("UserName")
	if err := checkName("userName", name); err != nil {
		return nil, err
	}
	path, err := checkPath(req.form.Get("Path"))
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
	if _, taken := req.caller.account.users[fold(name)]; taken {
		return nil, exists("User", name)
	}
	boundary, err := l.checkBoundary(req)
	if err != nil {
		return nil, err
	}
	u, err := l.addUser(req.caller.account, name, path)
	if err != nil {
		return nil, err
	}
	u.tags, u.boundary = tags, boundary
	req.trail.response = map[string]any{"user": map[string]any{
		"path": u.path, "userName": u.name, "userId": u.id, "arn": u.arn(l.partition), "createDate": createDate(u.created),
	}}
	return answerXML(l.userXML("User", u)), nil
}

func (l *Lab) userXML(name string, u *user) elem {
	kids := []elem{
		leaf("Path", u.path), leaf("UserName", u.name), leaf("UserId", u.id), leaf("Arn", u.arn(l.partition)),
		leaf("CreateDate", trailTime(u.created)),
	}
	if len(u.tags) > 0 {
		kids = append(kids, tagsXML(u.tags))
	}
	if u.boundary != "" {
		kids = append(kids, boundaryXML(u.boundary))
	}
	return tree(name, kids...)
}

// getUser shows a stale read the users before the last write of this one: one
// that was just made is not there, and one that was just deleted is.
func (l *Lab) getUser(req *request) (*answer, error) {
	u, err := l.ownUser(req)
	if req.stale {
		name := req.form.Get("UserName")
		if gone, ok := req.caller.account.goneUsers[fold(name)]; ok && err != nil {
			u, err = gone, nil
		} else if err == nil && !u.changed {
			u, err = nil, noSuch("user", name)
		}
	}
	if err != nil {
		return nil, err
	}
	return answerXML(l.userXML("User", u)), nil
}

func (l *Lab) listUsers(req *request) (*answer, error) {
	var found []*user
	for _, key := range sortedKeys(req.caller.account.users) {
		if u := req.caller.account.users[key]; strings.HasPrefix(u.path, req.form.Get("PathPrefix")) {
			found = append(found, u)
		}
	}
	page, tail, err := paged(found, req.form)
	if err != nil {
		return nil, err
	}
	users := elem{name: "Users"}
	for _, u := range page {
		users.kids = append(users.kids, l.userXML("member", u))
	}
	return answerXML(append([]elem{users}, tail...)...), nil
}

// updateUser renames: the unique ID stays, and so does every trust in it.
func (l *Lab) updateUser(req *request) (*answer, error) {
	u, err := l.ownUser(req)
	if err != nil {
		return nil, err
	}
	name, path := req.form.Get("NewUserName"), req.form.Get("NewPath")
	if name == "" {
		name = u.name
	}
	if err := checkName("newUserName", name); err != nil {
		return nil, err
	}
	if path != "" {
		if path, err = checkPath(path); err != nil {
			return nil, err
		}
		u.path = path
	}
	users := req.caller.account.users
	if other, taken := users[fold(name)]; taken && other != u {
		return nil, exists("User", name)
	}
	delete(users, fold(u.name))
	u.name, u.changed = name, true
	users[fold(name)] = u
	return &answer{}, nil
}

func (l *Lab) deleteUser(req *request) (*answer, error) {
	u, err := l.ownUser(req)
	if err != nil {
		return nil, err
	}
	switch {
	case len(u.keys) > 0:
		return nil, deleteConflict("Cannot delete entity, must delete access keys first.")
	case len(u.inline) > 0:
		return nil, deleteConflict("Cannot delete entity, must delete policies first.")
	case len(u.attached) > 0:
		return nil, deleteConflict("Cannot delete entity, must detach all policies first.")
	}
	u.deleted = true
	delete(req.caller.account.users, fold(u.name))
	req.caller.account.goneUsers[fold(u.name)] = u
	return &answer{}, nil
}

func (l *Lab) tagUser(req *request) (*answer, error) {
	u, err := l.ownUser(req)
	if err != nil {
		return nil, err
	}
	add := formTags(req.form)
	if err := checkTags(add); err != nil {
		return nil, err
	}
	merged, err := mergeTags(slices.Clone(u.tags), add)
	if err != nil {
		return nil, err
	}
	u.tags, u.changed = merged, true
	return &answer{}, nil
}

// keysPerUser is IAM's quota.
const keysPerUser = 2

func (l *Lab) createAccessKey(req *request) (*answer, error) {
	u, err := l.ownUser(req)
	if err != nil {
		return nil, err
	}
	if len(u.keys) >= keysPerUser {
		return nil, limitExceeded("Cannot exceed quota for AccessKeysPerUser: %d", keysPerUser)
	}
	key, err := l.newKey(u)
	if err != nil {
		return nil, err
	}
	req.trail.response = map[string]any{"accessKey": map[string]any{
		"userName": u.name, "accessKeyId": key.id, "status": key.status, "createDate": createDate(key.created),
	}}
	return answerXML(tree("AccessKey", leaf("UserName", u.name), leaf("AccessKeyId", key.id), leaf("Status", key.status),
		leaf("SecretAccessKey", key.secret), leaf("CreateDate", trailTime(key.created)))), nil
}

func (l *Lab) userKey(req *request) (*user, *credential, error) {
	u, err := l.ownUser(req)
	if err != nil {
		return nil, nil, err
	}
	id := req.form.Get("AccessKeyId")
	if !slices.Contains(u.keys, id) {
		return nil, nil, fail(http.StatusNotFound, "NoSuchEntity", "The Access Key with id %s cannot be found.", id)
	}
	return u, l.keys[id], nil
}

func (l *Lab) deleteAccessKey(req *request) (*answer, error) {
	u, key, err := l.userKey(req)
	if err != nil {
		return nil, err
	}
	u.keys = slices.DeleteFunc(u.keys, func(id string) bool { return id == key.id })
	delete(l.keys, key.id)
	return &answer{}, nil
}

func (l *Lab) updateAccessKey(req *request) (*answer, error) {
	_, key, err := l.userKey(req)
	if err != nil {
		return nil, err
	}
	status := req.form.Get("Status")
	if status != "Active" && status != "Inactive" {
		return nil, validation("1 validation error detected: Value '%s' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]", status)
	}
	key.status = status
	return &answer{}, nil
}

func (l *Lab) listAccessKeys(req *request) (*answer, error) {
	u, err := l.ownUser(req)
	if err != nil {
		return nil, err
	}
	page, tail, err := paged(u.keys, req.form)
	if err != nil {
		return nil, err
	}
	keys := members("AccessKeyMetadata", page, func(id string) []elem {
		key := l.keys[id]
		return []elem{leaf("UserName", u.name), leaf("AccessKeyId", id), leaf("Status", key.status), leaf("CreateDate", trailTime(key.created))}
	})
	return answerXML(append([]elem{keys}, tail...)...), nil
}
