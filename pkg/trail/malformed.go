package trail

import "fmt"

// MalformedError says that an event that matters cannot be trusted to say what
// happened: its parts contradict each other, or one is missing. It is never a
// reason to do nothing: what it hides is found by reading the account.
type MalformedError struct {
	// Account and EventID are the event's, as far as they can be read; they are
	// what it claims, and may be false.
	Account string
	EventID string
	// EventName is the event's name, when it was readable.
	EventName string
	// Place is where in the envelope, such as detail.recipientAccountId.
	Place   string
	Problem string
	Remedy  string
}

// Error gives "reading event CreateRole 0f…: detail.awsRegion: problem: remedy".
func (e *MalformedError) Error() string {
	name := "event"
	for _, part := range []string{e.EventName, e.EventID} {
		if part != "" {
			name += " " + part
		}
	}
	return fmt.Sprintf("reading %s: %s: %s: %s", name, e.Place, e.Problem, e.Remedy)
}

// Key gives the account and id under which the event is remembered; both may be
// empty.
func (e *MalformedError) Key() (account, eventID string) { return e.Account, e.EventID }

// The remedies.
const (
	forged     = "no such event comes from AWS: find out who sent it, and look at the account's roles"
	incomplete = "look at the account's roles: the event does not say which one it is about"
)

// malformed makes an error without the parts that parse fills in.
func malformed(place, remedy, problem string, args ...any) *MalformedError {
	return &MalformedError{Place: place, Problem: fmt.Sprintf(problem, args...), Remedy: remedy}
}
