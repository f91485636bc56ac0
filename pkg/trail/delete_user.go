package trail

// deleteUserRequest is requestParameters of DeleteUser (IAM API Reference,
// API_DeleteUser).
type deleteUserRequest struct {
	UserName string `json:"userName"`
}

// deleteUser is the row of DeleteUser.
func deleteUser() Event {
	return iamEvent("DeleteUser", UserDeleted, func(r record, c *Change) error {
		var asked deleteUserRequest
		whole, err := fill(request, r.RequestParameters, &asked)
		if err != nil {
			return err
		}
		c.UserName = asked.UserName
		return named("detail.requestParameters.userName", c.UserName, whole)
	})
}
