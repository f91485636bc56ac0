package trail

// acquireRole is the row of AcquireRole, which makes a role from a role template
// (IAM API Reference, API_AcquireRole). The request names the template and the
// values put into it; the role, its document included, is in the response only,
// and no CreateRole is told beside it (IAM User Guide,
// id_roles_create_role-manager_enable-use).
func acquireRole() Event { return iamEvent("AcquireRole", RoleCreated, fromResponse) }

// fromResponse reads an event whose role is in the response only.
func fromResponse(r record, c *Change) error {
	var made createdRole
	whole, err := fill(response, r.ResponseElements, &made)
	if err != nil {
		return err
	}
	if err := setRole(c, made); err != nil {
		return err
	}
	setDocument(c, decoded(made.Role.Document))
	return named("detail.responseElements.role.arn", c.RoleName, whole)
}
