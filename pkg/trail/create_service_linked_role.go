package trail

// createServiceLinkedRole is the row of CreateServiceLinkedRole (IAM API
// Reference, API_CreateServiceLinkedRole). The request names the service; what
// the role is called is in the response only.
func createServiceLinkedRole() Event {
	return iamEvent("CreateServiceLinkedRole", RoleCreated, fromResponse)
}
