package trail

import "slices"

// The names that the table's rows share (EventBridge events reference,
// events-ref-cloudtrail). Calls that AWS makes on its own are told under a
// detail-type of their own.
const (
	apiCall      = "AWS API Call via CloudTrail"
	serviceEvent = "AWS Service Event via CloudTrail"

	iamSource = "aws.iam"
	iamEvents = "iam.amazonaws.com"
	stsSource = "aws.sts"
	stsEvents = "sts.amazonaws.com"
)

// Where says in which Regions an event may appear.
type Where uint8

// The places. The zero value is the narrow one.
const (
	// HomeRegion: only in the Region where the partition keeps IAM.
	HomeRegion Where = iota
	// AnyRegion: in the Region of the endpoint that was called.
	AnyRegion
)

// String says it in words.
func (w Where) String() string {
	switch w {
	case HomeRegion:
		return "home Region"
	case AnyRegion:
		return "any Region"
	default:
		return "where?"
	}
}

// Routing says whether an event is sent to rolewarden.
type Routing uint8

// The routings.
const (
	// ByDefault: always.
	ByDefault Routing = iota
	// OnRequest: only for the roles that the owner lists.
	OnRequest
)

// String says it in words.
func (r Routing) String() string {
	switch r {
	case ByDefault:
		return "by default"
	case OnRequest:
		return "on request"
	default:
		return "routing?"
	}
}

// Event is one row of the table of events.
type Event struct {
	// Source is the envelope's source, EventSource the record's.
	Source      string
	EventSource string
	// DetailTypes are the envelope's detail-types under which it comes.
	DetailTypes []string
	Name        string
	Kind        Kind
	Where       Where
	Routing     Routing

	// read takes what is particular to the event from the record.
	read func(record, *Change) error
}

// Events gives the table of the events that matter: every call that makes,
// changes or removes a role, or changes a principal that a role may trust.
func Events() []Event {
	return []Event{
		createRole(),
		updateAssumeRolePolicy(),
		acquireRole(),
		createServiceLinkedRole(),
		deleteRole(),
		deleteUser(),
		updateUser(),
		assumeRole(),
	}
}

// iamEvent makes a row for a call to IAM.
func iamEvent(name string, kind Kind, read func(record, *Change) error) Event {
	return Event{
		Source: iamSource, EventSource: iamEvents, DetailTypes: []string{apiCall},
		Name: name, Kind: kind, Where: HomeRegion, Routing: ByDefault, read: read,
	}
}

// lookup finds the row of an event. Either source is enough, so that an event
// in which the two disagree is seen and refused; the name alone is not, for
// many AWS services have a DeleteUser.
func lookup(e envelope, r record) (Event, bool) {
	for _, row := range Events() {
		if row.Name == r.EventName && (row.Source == e.Source || row.EventSource == r.EventSource) {
			return row, true
		}
	}
	return Event{}, false
}

// serviceFailed are the error codes of calls that AWS did not refuse but did
// not finish (IAM API Reference, CommonErrors and ServiceFailure; CloudTrail
// has them with and without the ending of the SDK's names).
func serviceFailed() []string {
	return []string{
		"InternalError", "InternalFailure", "InternalServerError", "RequestTimeout", "RequestTimeoutException",
		"ServiceFailure", "ServiceFailureException", "ServiceUnavailable", "ServiceUnavailableException",
	}
}

// Unfinished says whether an error code is that of a call that AWS did not
// refuse but did not finish, and that so may have taken effect.
func Unfinished(code string) bool { return slices.Contains(serviceFailed(), code) }

// mayHaveHappened says whether a call with an error code may have taken effect
// all the same. That is asked for changes of roles alone, which are read before
// anything is believed of them: a user who may not be gone is not taken for
// gone, and a session whose answer was lost is nobody's.
func (row Event) mayHaveHappened(code string) bool {
	return row.isRead() && Unfinished(code)
}

// isRead says whether the role is read after the event.
func (row Event) isRead() bool { return row.Kind == RoleCreated || row.Kind == TrustUpdated }
