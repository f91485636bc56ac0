package lab

import (
	"net/http"
	"slices"
)

func managedOperations() map[string]operation {
	arn := formField("PolicyArn")
	return map[string]operation{
		"CreatePolicy":     {run: (*Lab).createPolicy, target: onNewPolicy, name: formField("PolicyName"), event: writeEvent},
		"GetPolicy":        {run: (*Lab).getPolicy, target: onARN("PolicyArn"), name: arn},
		"GetPolicyVersion": {run: (*Lab).getPolicyVersion, target: onARN("PolicyArn"), name: arn},
		"DeletePolicy":     {run: (*Lab).deletePolicy, target: onARN("PolicyArn"), name: arn, event: writeEvent},
	}
}

func onNewPolicy(l *Lab, req *request) string {
	path := req.form.Get("Path")
	if path == "" {
		path = "/"
	}
	return l.partition.iam(req.caller.account.ID, "policy"+path+req.form.Get("PolicyName"))
}

func (l *Lab) createPolicy(req *request) (*answer, error) {
	name, document := req.form.Get("PolicyName"), req.form.Get("PolicyDocument")
	path, err := checkPath(req.form.Get("Path"))
	if err != nil {
		return nil, err
	}
	if name == "" || len(name) > 128 {
		return nil, validation("The specified value for policyName is invalid.")
	}
	if _, err := checkIdentityPolicy(document); err != nil {
		return nil, err
	}
	arn := l.partition.iam(req.caller.account.ID, "policy"+path+name)
	if _, taken := req.caller.account.policies[arn]; taken {
		return nil, exists("A policy called", name)
	}
	id, err := l.uniqueID(policyPrefix, idLetters)
	if err != nil {
		return nil, err
	}
	p := managedPolicy{name: name, path: path, id: id, document: document, created: req.at}
	req.caller.account.policies[arn] = p
	req.trail.response = map[string]any{"policy": map[string]any{
		"policyName": name, "policyId": id, "arn": arn, "path": path, "defaultVersionId": "v1", "attachmentCount": 0,
		"isAttachable": true, "createDate": createDate(req.at), "updateDate": createDate(req.at),
	}}
	return answerXML(policyXML("Policy", req.caller.account, p, arn)), nil
}

func policyXML(element string, acct *account, p managedPolicy, arn string) elem {
	attached, boundary := acct.uses(arn)
	return tree(element, leaf("PolicyName", p.name), leaf("PolicyId", p.id), leaf("Arn", arn), leaf("Path", p.path),
		leaf("DefaultVersionId", "v1"), number("AttachmentCount", attached), number("PermissionsBoundaryUsageCount", boundary),
		leaf("IsAttachable", "true"), leaf("CreateDate", trailTime(p.created)), leaf("UpdateDate", trailTime(p.created)))
}

// uses counts the users and roles that a policy is attached to, and those
// whose boundary it is.
func (a *account) uses(arn string) (attached, boundary int) {
	count := func(policies []string, limit string) {
		if slices.Contains(policies, arn) {
			attached++
		}
		if limit == arn {
			boundary++
		}
	}
	for _, r := range a.roles {
		count(r.attached, r.state.boundary)
	}
	for _, u := range a.users {
		count(u.attached, u.boundary)
	}
	return attached, boundary
}

func (l *Lab) ownPolicy(req *request) (managedPolicy, string, error) {
	arn := req.form.Get("PolicyArn")
	if p, ok := req.caller.account.policies[arn]; ok {
		return p, arn, nil
	}
	for _, name := range awsManagedNames {
		if arn == l.partition.managed(name) {
			return standIn(name), arn, nil
		}
	}
	return managedPolicy{}, arn, fail(http.StatusNotFound, "NoSuchEntity", "Policy %s was not found.", arn)
}

func (l *Lab) getPolicy(req *request) (*answer, error) {
	p, arn, err := l.ownPolicy(req)
	if err != nil {
		return nil, err
	}
	return answerXML(policyXML("Policy", req.caller.account, p, arn)), nil
}

func (l *Lab) getPolicyVersion(req *request) (*answer, error) {
	p, _, err := l.ownPolicy(req)
	if err != nil {
		return nil, err
	}
	return answerXML(tree("PolicyVersion", leaf("Document", percentEncode(p.document)), leaf("VersionId", "v1"),
		leaf("IsDefaultVersion", "true"), leaf("CreateDate", trailTime(p.created)))), nil
}

func (l *Lab) deletePolicy(req *request) (*answer, error) {
	acct := req.caller.account
	_, arn, err := l.ownPolicy(req)
	if err != nil {
		return nil, err
	}
	if attached, boundary := acct.uses(arn); attached+boundary > 0 {
		return nil, deleteConflict("Cannot delete a policy attached to entities.")
	}
	delete(acct.policies, arn)
	return &answer{}, nil
}
