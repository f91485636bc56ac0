package lab

import "maps"

// operation is one API action: what it is authorised on, what it does, and
// what it leaves in CloudTrail.
type operation struct {
	run func(*Lab, *request) (*answer, error)
	// target is the resource the caller needs the action on. Without one the
	// operation needs no permission, or decides for itself.
	target func(*Lab, *request) string
	// also names further actions the caller needs.
	also func(*request) []string
	// name is the short name of what the call is about.
	name  func(*request) string
	event eventKind
}

// eventKind says whether an operation is recorded.
type eventKind int

const (
	unrecorded eventKind = iota
	writeEvent
	readEvent // AssumeRole and its sisters: CloudTrail calls them read-only
)

// operations is the table of everything the lab can do, by service.
func operations() map[string]map[string]operation {
	iam := map[string]operation{}
	for _, part := range []map[string]operation{
		roleOperations(), rolePolicyOperations(), userOperations(), userPolicyOperations(),
		providerOperations(), accountOperations(), managedOperations(),
	} {
		maps.Copy(iam, part)
	}
	return map[string]map[string]operation{
		"iam":            iam,
		"sts":            stsOperations(),
		"sns":            snsOperations(),
		"sqs":            sqsOperations(),
		"secretsmanager": secretOperations(),
		"organizations":  organizationOperations(),
		"kms":            kmsOperations(),
		"dynamodb":       tableOperations(),
		"events":         ruleOperations(),
	}
}

// Serves says whether the lab knows a call. The service is as in a signature's
// scope: EventBridge is "events".
func Serves(service, action string) bool {
	_, ok := operations()[service][action]
	return ok
}

// formField names a call by one of its parameters.
func formField(field string) func(*request) string {
	return func(req *request) string { return req.form.Get(field) }
}

func bodyField(field string) func(*request) string {
	return func(req *request) string { return req.text(field) }
}

func unnamed(*request) string { return "" }

func everything(*Lab, *request) string { return "*" }

// onRole is the ARN of the role a call names, path included when it exists.
func onRole(l *Lab, req *request) string {
	name := req.form.Get("RoleName")
	if r, ok := req.caller.account.roles[fold(name)]; ok {
		return r.arn(l.partition)
	}
	return l.partition.iam(req.caller.account.ID, "role/"+name)
}

func onNewRole(l *Lab, req *request) string {
	path := req.form.Get("Path")
	if path == "" {
		path = "/"
	}
	return l.partition.iam(req.caller.account.ID, "role"+path+req.form.Get("RoleName"))
}

// onUser is the user a call names, or the caller itself.
func onUser(l *Lab, req *request) string {
	name := req.form.Get("UserName")
	if name == "" && req.caller.kind == iamUser {
		return req.caller.arn()
	}
	if u, ok := req.caller.account.users[fold(name)]; ok {
		return u.arn(l.partition)
	}
	return l.partition.iam(req.caller.account.ID, "user/"+name)
}

func onNewUser(l *Lab, req *request) string {
	path := req.form.Get("Path")
	if path == "" {
		path = "/"
	}
	return l.partition.iam(req.caller.account.ID, "user"+path+req.form.Get("UserName"))
}

// onAny builds the target of calls that list a whole kind.
func onAny(kind string) func(*Lab, *request) string {
	return func(l *Lab, req *request) string { return l.partition.iam(req.caller.account.ID, kind) }
}

// onARN is a call whose parameter is the resource's ARN.
func onARN(field string) func(*Lab, *request) string {
	return func(_ *Lab, req *request) string { return req.form.Get(field) }
}

// text reads a string parameter of a JSON call; another type reads as empty.
func (req *request) text(field string) string {
	s, _ := req.body[field].(string)
	return s
}
