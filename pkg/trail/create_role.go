package trail

// createRoleRequest is requestParameters of CreateRole (IAM API Reference,
// API_CreateRole). The document is the text as it was sent.
type createRoleRequest struct {
	RoleName string   `json:"roleName"`
	Document document `json:"assumeRolePolicyDocument"`
}

// createRole is the row of CreateRole. Name, ARN and id are taken from the
// response too, so that a request that was cut still names the role.
func createRole() Event {
	return iamEvent("CreateRole", RoleCreated, func(r record, c *Change) error {
		var asked createRoleRequest
		whole, err := fill(request, r.RequestParameters, &asked)
		if err != nil {
			return err
		}
		var made createdRole
		if _, err := fill(response, r.ResponseElements, &made); err != nil {
			return err
		}
		c.RoleName = asked.RoleName
		if err := setRole(c, made); err != nil {
			return err
		}
		if asked.Document != "" {
			setDocument(c, asked.Document)
		} else {
			setDocument(c, decoded(made.Role.Document))
		}
		return named("detail.requestParameters.roleName", c.RoleName, whole)
	})
}
