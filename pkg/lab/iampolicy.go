package lab

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

func rolePolicyOperations() map[string]operation {
	name := formField("RoleName")
	write := func(run func(*Lab, *request) (*answer, error)) operation {
		return operation{run: run, target: onRole, name: name, event: writeEvent}
	}
	read := func(run func(*Lab, *request) (*answer, error)) operation {
		return operation{run: run, target: onRole, name: name}
	}
	return map[string]operation{
		"PutRolePolicy":                 write(onRoleIdentity((*Lab).putInline)),
		"DeleteRolePolicy":              write(onRoleIdentity((*Lab).deleteInline)),
		"GetRolePolicy":                 read(onRoleIdentity((*Lab).getInline)),
		"ListRolePolicies":              read(onRoleIdentity((*Lab).listInline)),
		"AttachRolePolicy":              write(onRoleIdentity((*Lab).attach)),
		"DetachRolePolicy":              write(onRoleIdentity((*Lab).detach)),
		"ListAttachedRolePolicies":      read(onRoleIdentity((*Lab).listAttached)),
		"PutRolePermissionsBoundary":    write((*Lab).putRoleBoundary),
		"DeleteRolePermissionsBoundary": write((*Lab).deleteRoleBoundary),
	}
}

func userPolicyOperations() map[string]operation {
	name := formField("UserName")
	write := func(run func(*Lab, *request) (*answer, error)) operation {
		return operation{run: run, target: onUser, name: name, event: writeEvent}
	}
	read := func(run func(*Lab, *request) (*answer, error)) operation {
		return operation{run: run, target: onUser, name: name}
	}
	return map[string]operation{
		"PutUserPolicy":                 write(onUserIdentity((*Lab).putInline)),
		"DeleteUserPolicy":              write(onUserIdentity((*Lab).deleteInline)),
		"GetUserPolicy":                 read(onUserIdentity((*Lab).getInline)),
		"ListUserPolicies":              read(onUserIdentity((*Lab).listInline)),
		"AttachUserPolicy":              write(onUserIdentity((*Lab).attach)),
		"DetachUserPolicy":              write(onUserIdentity((*Lab).detach)),
		"ListAttachedUserPolicies":      read(onUserIdentity((*Lab).listAttached)),
		"PutUserPermissionsBoundary":    write((*Lab).putUserBoundary),
		"DeleteUserPermissionsBoundary": write((*Lab).deleteUserBoundary),
	}
}

// subject is a role or user as the policy calls see it.
type subject struct {
	*identity
	nameField string
}

func onRoleIdentity(run func(*Lab, *request, subject) (*answer, error)) func(*Lab, *request) (*answer, error) {
	return func(l *Lab, req *request) (*answer, error) {
		r, err := l.ownRole(req)
		if err != nil {
			return nil, err
		}
		if r.service != "" && !strings.HasPrefix(req.action, "Get") && !strings.HasPrefix(req.action, "List") {
			return nil, unmodifiable(r.name)
		}
		return run(l, req, subject{identity: &r.identity, nameField: "RoleName"})
	}
}

func onUserIdentity(run func(*Lab, *request, subject) (*answer, error)) func(*Lab, *request) (*answer, error) {
	return func(l *Lab, req *request) (*answer, error) {
		u, err := l.ownUser(req)
		if err != nil {
			return nil, err
		}
		return run(l, req, subject{identity: &u.identity, nameField: "UserName"})
	}
}

func (l *Lab) putInline(req *request, who subject) (*answer, error) {
	name, document := req.form.Get("PolicyName"), req.form.Get("PolicyDocument")
	if name == "" || len(name) > 128 {
		return nil, validation("The specified value for policyName is invalid.")
	}
	if _, err := checkIdentityPolicy(document); err != nil {
		return nil, err
	}
	who.inline[name] = document
	return &answer{}, nil
}

func (l *Lab) deleteInline(req *request, who subject) (*answer, error) {
	name := req.form.Get("PolicyName")
	if _, ok := who.inline[name]; !ok {
		return nil, noSuch("policy", name)
	}
	delete(who.inline, name)
	return &answer{}, nil
}

func (l *Lab) getInline(req *request, who subject) (*answer, error) {
	name := req.form.Get("PolicyName")
	document, ok := who.inline[name]
	if !ok {
		return nil, noSuch("policy", name)
	}
	return answerXML(leaf(who.nameField, who.name), leaf("PolicyName", name), leaf("PolicyDocument", percentEncode(document))), nil
}

func (l *Lab) listInline(req *request, who subject) (*answer, error) {
	page, tail, err := paged(sortedKeys(who.inline), req.form)
	if err != nil {
		return nil, err
	}
	return answerXML(append([]elem{names("PolicyNames", page)}, tail...)...), nil
}

func (l *Lab) attach(req *request, who subject) (*answer, error) {
	arn := req.form.Get("PolicyArn")
	if len(l.managedPolicies(who.account, []string{arn})) == 0 {
		return nil, fail(http.StatusNotFound, "NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
	}
	if !slices.Contains(who.attached, arn) {
		who.attached = append(who.attached, arn)
	}
	return &answer{}, nil
}

func (l *Lab) detach(req *request, who subject) (*answer, error) {
	arn := req.form.Get("PolicyArn")
	i := slices.Index(who.attached, arn)
	if i < 0 {
		return nil, fail(http.StatusNotFound, "NoSuchEntity", "Policy %s was not found.", arn)
	}
	who.attached = slices.Delete(slices.Clone(who.attached), i, i+1)
	return &answer{}, nil
}

func (l *Lab) listAttached(req *request, who subject) (*answer, error) {
	page, tail, err := paged(who.attached, req.form)
	if err != nil {
		return nil, err
	}
	return answerXML(append([]elem{attachedXML("AttachedPolicies", page)}, tail...)...), nil
}

func attachedXML(name string, arns []string) elem {
	return members(name, arns, func(arn string) []elem {
		return []elem{leaf("PolicyName", lastPart(arn)), leaf("PolicyArn", arn)}
	})
}

// managedPolicy is a policy with an ARN of its own.
type managedPolicy struct {
	name, path, id, document string
	created                  time.Time
}

// awsManagedNames are the policies of AWS's own that the lab knows.
var awsManagedNames = []string{
	"AWSDenyAll", "AdministratorAccess", "IAMFullAccess", "IAMReadOnlyAccess", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit",
	"job-function/ViewOnlyAccess",
}

// standIn is one of AWS's own policies as the lab has it.
func standIn(name string) managedPolicy {
	document, _ := awsManaged(name)
	path, short := "/", lastPart(name)
	if prefix := strings.TrimSuffix(name, short); prefix != "" {
		path = "/" + prefix
	}
	return managedPolicy{
		name: short, path: path, id: policyPrefix + "AWSMANAGED", document: document, created: time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC),
	}
}

// awsManaged holds short stand-ins for a few of AWS's own policies; they are
// not AWS's texts.
func awsManaged(name string) (document string, ok bool) {
	const head = `{"Version":"2012-10-17","Statement":[`
	switch name {
	case "AdministratorAccess":
		return head + `{"Effect":"Allow","Action":"*","Resource":"*"}]}`, true
	case "AWSDenyAll":
		return head + `{"Effect":"Deny","Action":"*","Resource":"*"}]}`, true
	case "ReadOnlyAccess", "SecurityAudit", "job-function/ViewOnlyAccess":
		return head + `{"Effect":"Allow","Action":["iam:Get*","iam:List*","iam:Generate*","sts:Get*","organizations:Describe*","organizations:List*",` +
			`"sns:Get*","sns:List*","sqs:Get*","sqs:List*","secretsmanager:Describe*","secretsmanager:List*"],"Resource":"*"}]}`, true
	case "IAMFullAccess":
		return head + `{"Effect":"Allow","Action":["iam:*","organizations:DescribeAccount","organizations:DescribeOrganization"],"Resource":"*"}]}`, true
	case "IAMReadOnlyAccess":
		return head + `{"Effect":"Allow","Action":["iam:Generate*","iam:Get*","iam:List*","iam:Simulate*"],"Resource":"*"}]}`, true
	case "PowerUserAccess":
		return head + `{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},` +
			`{"Effect":"Allow","Action":["iam:CreateServiceLinkedRole","iam:ListRoles","organizations:DescribeOrganization"],"Resource":"*"}]}`, true
	default:
		return "", false
	}
}

// managedPolicies reads the policies with the given ARNs; unknown ones are
// left out.
func (l *Lab) managedPolicies(acct *account, arns []string) []*judge.Policy {
	var out []*judge.Policy
	for _, arn := range arns {
		document, ok := "", false
		if name, found := strings.CutPrefix(arn, l.partition.managed("")); found {
			document, ok = awsManaged(name)
		} else if p, found := acct.policies[arn]; found {
			document, ok = p.document, true
		}
		if !ok {
			continue
		}
		if p, ok := l.parsed(document); ok {
			out = append(out, p)
		}
	}
	return out
}

// rememberedPolicies bounds how many parsed documents are kept.
const rememberedPolicies = 4096

// parsed reads a document that was checked when it was saved. The same few
// decide every call, so that they are kept.
func (l *Lab) parsed(document string) (*judge.Policy, bool) {
	if p, ok := l.documents[document]; ok {
		return p, p != nil
	}
	if len(l.documents) >= rememberedPolicies {
		clear(l.documents)
	}
	p, err := judge.Parse([]byte(document))
	if err != nil {
		p = nil
	}
	l.documents[document] = p
	return p, p != nil
}
