package grants

// SCP keeps the administrators of member accounts from switching rolewarden off.
func SCP(w World) Document { return document() }

// RCP refuses principals of other organizations a session in the
// organization's roles.
func RCP(w World) Document { return document() }

// Deployer is what a person or CloudFormation needs to deploy rolewarden.
func Deployer(w World) Document { return document() }
