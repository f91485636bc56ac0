// Package actions lists the AWS actions that rolewarden calls, by function,
// and the names its sessions bear.
//
// It gives values; permissions are made from them. It imports no SDK and calls
// nothing. A test holds it against the calls in the room awsapi, both ways.
package actions

// Action is one AWS action that one function calls.
type Action struct {
	// Name is as IAM policies spell it, such as "iam:GetRole".
	Name string
	// Function is "guard" or "notify".
	Function string
	// Under is the member role whose session makes the call; for None it is
	// the function's own role.
	Under Session
}

// Session says under which credentials a call is made.
type Session uint8

// The sessions. The zero value is the function's own role.
const (
	None Session = iota
	Reader
	Writer
)

// String gives "function", "reader" or "writer".
func (s Session) String() string {
	switch s {
	case None:
		return "function"
	case Reader:
		return "reader"
	case Writer:
		return "writer"
	}
	return "session?"
}

// The functions.
const (
	Guard  = "guard"
	Notify = "notify"
)

// How rolewarden's sessions are called. The member roles' trust policies may
// demand it.
const (
	// SessionPrefix begins every role session name.
	SessionPrefix = "rw-"
	// SourceIdentityPrefix begins every source identity.
	SourceIdentityPrefix = "rolewarden-"
	// ReaderSession and ReaderSourceIdentity are those of the reading sessions.
	ReaderSession        = SessionPrefix + "reader"
	ReaderSourceIdentity = SourceIdentityPrefix + "reader"
)

// All gives every action. An action that is granted but appears in no call of
// an SDK is sts:SetSourceIdentity: it is asked for by AssumeRole.
func All() []Action {
	return []Action{
		{"sts:AssumeRole", Guard, None},
		{"sts:SetSourceIdentity", Guard, None},
		{"iam:GetRole", Guard, Reader},
		{"iam:GetUser", Guard, Reader},
		{"iam:GetRole", Guard, Writer},
		{"iam:UpdateAssumeRolePolicy", Guard, Writer},
		{"iam:TagRole", Guard, Writer},
		{"iam:UntagRole", Guard, Writer},
	}
}

// Of gives the actions of one function under one kind of session.
func Of(function string, s Session) []string {
	var out []string
	for _, a := range All() {
		if a.Function == function && a.Under == s {
			out = append(out, a.Name)
		}
	}
	return out
}
