package org

// Membership is what Organizations says of an account, in contrast to what the
// rules file lists. The zero value is UnknownMembership.
type Membership uint8

// The memberships.
const (
	UnknownMembership Membership = iota
	Member
	NotMember
)

// String gives "Unknown", "Member" or "NotMember".
func (m Membership) String() string {
	switch m {
	case UnknownMembership:
		return "Unknown"
	case Member:
		return "Member"
	case NotMember:
		return "NotMember"
	default:
		return "Membership?"
	}
}
