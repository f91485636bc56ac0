package lab

import (
	"net/http"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// checkBoundary finds the managed policy that is to be a boundary; a call
// that names none gets none.
func (l *Lab) checkBoundary(req *request) (string, error) {
	arn := req.form.Get("PermissionsBoundary")
	if arn == "" {
		return "", nil
	}
	if len(l.managedPolicies(req.caller.account, []string{arn})) == 0 {
		return "", fail(http.StatusNotFound, "NoSuchEntity", "Scope ARN: %s does not exist or is not attachable.", arn)
	}
	return arn, nil
}

// givenBoundary is checkBoundary for the calls that must name one.
func (l *Lab) givenBoundary(req *request) (string, error) {
	if req.form.Get("PermissionsBoundary") == "" {
		return "", validation("1 validation error detected: Value at 'permissionsBoundary' failed to satisfy constraint: Member must not be null")
	}
	return l.checkBoundary(req)
}

// boundaryKeyed are the calls that see iam:PermissionsBoundary: the boundary
// that the call names, else the one that the user or role has. Service
// Authorization Reference, list_awsidentityandaccessmanagementiam.
var boundaryKeyed = []string{
	"AttachRolePolicy", "AttachUserPolicy", "CreateRole", "CreateUser", "DeleteRolePermissionsBoundary", "DeleteRolePolicy",
	"DeleteUserPermissionsBoundary", "DeleteUserPolicy", "DetachRolePolicy", "DetachUserPolicy", "PutRolePermissionsBoundary",
	"PutRolePolicy", "PutUserPermissionsBoundary", "PutUserPolicy",
}

func (l *Lab) boundaryContext(ctx judge.Context, req *request) {
	if !slices.Contains(boundaryKeyed, req.action) {
		return
	}
	boundary := req.form.Get("PermissionsBoundary")
	if r, ok := req.caller.account.roles[fold(req.form.Get("RoleName"))]; ok && boundary == "" {
		boundary = r.state.boundary
	}
	if u, ok := req.caller.account.users[fold(req.form.Get("UserName"))]; ok && boundary == "" {
		boundary = u.boundary
	}
	if boundary != "" {
		ctx.Set("iam:PermissionsBoundary", boundary)
	}
}

func (l *Lab) putRoleBoundary(req *request) (*answer, error) {
	r, err := l.writableRole(req)
	if err != nil {
		return nil, err
	}
	arn, err := l.givenBoundary(req)
	if err != nil {
		return nil, err
	}
	r.change(req.at, func(s *state) { s.boundary = arn })
	return &answer{}, nil
}

func (l *Lab) deleteRoleBoundary(req *request) (*answer, error) {
	r, err := l.writableRole(req)
	if err != nil {
		return nil, err
	}
	r.change(req.at, func(s *state) { s.boundary = "" })
	return &answer{}, nil
}

func (l *Lab) putUserBoundary(req *request) (*answer, error) {
	u, err := l.ownUser(req)
	if err != nil {
		return nil, err
	}
	arn, err := l.givenBoundary(req)
	if err != nil {
		return nil, err
	}
	u.boundary = arn
	return &answer{}, nil
}

func (l *Lab) deleteUserBoundary(req *request) (*answer, error) {
	u, err := l.ownUser(req)
	if err != nil {
		return nil, err
	}
	u.boundary = ""
	return &answer{}, nil
}
