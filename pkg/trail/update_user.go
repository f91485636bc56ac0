package trail

// updateUserRequest is requestParameters of UpdateUser (IAM API Reference,
// API_UpdateUser).
type updateUserRequest struct {
	UserName string `json:"userName"`
	NewName  string `json:"newUserName"`
	NewPath  string `json:"newPath"`
}

// updateUser is the row of UpdateUser. A user keeps its unique id when it is
// renamed or moved, and policies show its new ARN (IAM User Guide,
// id_users_manage); a call that does neither asks for nothing.
func updateUser() Event {
	return iamEvent("UpdateUser", UserRenamed, func(r record, c *Change) error {
		const place = "detail.requestParameters"
		var asked updateUserRequest
		whole, err := fill(request, r.RequestParameters, &asked)
		if err != nil {
			return err
		}
		if err := named(place+".userName", asked.UserName, whole); err != nil {
			return err
		}
		c.UserName, c.NewUserName, c.NewPath = asked.UserName, asked.NewName, asked.NewPath
		c.Truncated = !whole
		switch {
		case whole && asked.NewName == "" && asked.NewPath == "":
			c.Kind, c.Ignored = Ignored, NothingChanged
		case asked.NewName != "" && !nameForm.MatchString(asked.NewName):
			return malformed(place+".newUserName", forged, "%q is no name that IAM gives", asked.NewName)
		case asked.NewPath != "" && !pathForm.MatchString(asked.NewPath):
			return malformed(place+".newPath", forged, "%q is no path", asked.NewPath)
		}
		return nil
	})
}
