package trail

// updateAssumeRolePolicyRequest is requestParameters of UpdateAssumeRolePolicy
// (IAM API Reference, API_UpdateAssumeRolePolicy). The response is null: no ARN
// and no id.
type updateAssumeRolePolicyRequest struct {
	RoleName string   `json:"roleName"`
	Document document `json:"policyDocument"`
}

// updateAssumeRolePolicy is the row of UpdateAssumeRolePolicy.
func updateAssumeRolePolicy() Event {
	return iamEvent("UpdateAssumeRolePolicy", TrustUpdated, func(r record, c *Change) error {
		var asked updateAssumeRolePolicyRequest
		whole, err := fill(request, r.RequestParameters, &asked)
		if err != nil {
			return err
		}
		c.RoleName = asked.RoleName
		setDocument(c, asked.Document)
		return named("detail.requestParameters.roleName", c.RoleName, whole)
	})
}
