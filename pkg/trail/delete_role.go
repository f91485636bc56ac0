package trail

// deleteRoleRequest is requestParameters of DeleteRole (IAM API Reference,
// API_DeleteRole).
type deleteRoleRequest struct {
	RoleName string `json:"roleName"`
}

// deleteRole is the row of DeleteRole.
func deleteRole() Event {
	return iamEvent("DeleteRole", RoleDeleted, func(r record, c *Change) error {
		var asked deleteRoleRequest
		whole, err := fill(request, r.RequestParameters, &asked)
		if err != nil {
			return err
		}
		c.RoleName = asked.RoleName
		return named("detail.requestParameters.roleName", c.RoleName, whole)
	})
}
