package role

import (
	"fmt"
	"regexp"
	"strings"
)

// ARN is the ARN of an IAM role, taken apart.
type ARN struct {
	Partition string
	Account   string
	// Path has both slashes: "/" or "/team/".
	Path string
	Name string
}

// String gives the ARN as IAM prints it.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":iam::" + a.Account + ":role" + a.Path + a.Name
}

// Ref gives the role's account and name.
func (a ARN) Ref() Ref { return Ref{Account: a.Account, Name: a.Name} }

// The forms of an ARN's parts. A path may hold any ASCII character from ! to DEL
// and role names a few (IAM API Reference, API_CreateRole: Path, RoleName).
var (
	partitionForm = regexp.MustCompile(`^aws(-[a-z]+)*$`)
	accountForm   = regexp.MustCompile(`^[0-9]{12}$`)
	nameForm      = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)
	pathForm      = regexp.MustCompile(`^/([!-\x7f]{1,510}/)?$`)
	// safePathForm is what newer pages of the IAM User Guide
	// (reference_iam-quotas) leave of that.
	safePathForm = regexp.MustCompile(`^/([A-Za-z0-9_+=,.@-]+/)*$`)
)

// ValidAccount says whether s is twelve digits.
func ValidAccount(s string) bool { return accountForm.MatchString(s) }

// ValidName says whether s is a name that a role or user can have: 1 to 64
// letters, digits and _+=,.@- (IAM User Guide, reference_iam-quotas).
func ValidName(s string) bool { return nameForm.MatchString(s) }

// ParseARN takes the ARN of a role apart. The ARNs of sessions, users and
// policies are errors, and so is whatever IAM could not have made.
func ParseARN(arn string) (ARN, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return ARN{}, badARN(arn, "it does not have the six parts of an ARN")
	}
	if !partitionForm.MatchString(parts[1]) {
		return ARN{}, badARN(arn, fmt.Sprintf("%q is no partition", parts[1]))
	}
	if parts[2] != "iam" || parts[3] != "" {
		return ARN{}, badARN(arn, "it is not of IAM, whose ARNs have no Region")
	}
	if !accountForm.MatchString(parts[4]) {
		return ARN{}, badARN(arn, fmt.Sprintf("%q is no account id of twelve digits", parts[4]))
	}
	rest, ok := strings.CutPrefix(parts[5], "role/")
	if !ok {
		return ARN{}, badARN(arn, "it does not name a role")
	}
	at := strings.LastIndexByte(rest, '/') + 1
	a := ARN{Partition: parts[1], Account: parts[4], Path: "/" + rest[:at], Name: rest[at:]}
	if !pathForm.MatchString(a.Path) {
		return ARN{}, badARN(arn, fmt.Sprintf("%q is no path", a.Path))
	}
	if !nameForm.MatchString(a.Name) {
		return ARN{}, badARN(arn, fmt.Sprintf("%q is no role name", a.Name))
	}
	return a, nil
}

// SafeARN says whether an ARN may stand in the Resource of a session policy
// and mean that one role. IAM has allowed any printable ASCII character in a
// path; *, ?, ${ and quotes among them would widen or break the policy. No
// writing session can be had for such a role: the error wraps ErrUnmodifiable.
func SafeARN(arn string) error {
	a, err := ParseARN(arn)
	if err != nil {
		return fmt.Errorf("narrowing a session: %w: %w", ErrUnmodifiable, err)
	}
	if !safePathForm.MatchString(a.Path) {
		return fmt.Errorf("narrowing a session to %q: %w: the path %q holds characters that could mean more than themselves in a policy: only letters, digits and _+=,.@- between single slashes are taken", arn, ErrUnmodifiable, a.Path)
	}
	return nil
}

// badARN is the error for a text that is no role's ARN.
func badARN(arn, problem string) error {
	return fmt.Errorf("reading role ARN %q: %s: write arn:aws:iam::111122223333:role/path/name", arn, problem)
}
