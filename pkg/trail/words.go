package trail

import (
	"strings"
	"unicode"
)

// String gives the kind's name, such as "RoleCreated".
func (k Kind) String() string {
	switch k {
	case Ignored:
		return "Ignored"
	case RoleCreated:
		return "RoleCreated"
	case TrustUpdated:
		return "TrustUpdated"
	case RoleDeleted:
		return "RoleDeleted"
	case UserDeleted:
		return "UserDeleted"
	case UserRenamed:
		return "UserRenamed"
	case RoleAssumed:
		return "RoleAssumed"
	default:
		return "Kind?"
	}
}

// String says whether it was given.
func (g Given) String() string {
	switch g {
	case NotGiven:
		return "not given"
	case WasGiven:
		return "given"
	default:
		return "given?"
	}
}

// Tool says in a word or two what was used to make the change: "Terraform",
// "CloudFormation", "console", "AWS CLI", "AWS SDK", or the first word of the
// user agent, or the AWS service that called. The caller chooses the user
// agent, so it is a hint for people and proves nothing.
func (c Change) Tool() string {
	agent := c.UserAgent
	for _, t := range []struct{ mark, tool string }{
		{"OpenTofu/", "OpenTofu"},
		{"Terraform/", "Terraform"},
		{"Pulumi", "Pulumi"},
		{"cloudformation.amazonaws.com", "CloudFormation"},
		{"signin.amazonaws.com", "console"},
		{"console.amazonaws.com", "console"},
		{"Mozilla/", "console"},
		{"aws-cli/", "AWS CLI"},
		{"Boto3/", "AWS SDK"},
		{"aws-sdk-", "AWS SDK"},
	} {
		if strings.Contains(agent, t.mark) || c.Actor.InvokedBy != "" && c.Actor.InvokedBy == t.mark {
			return t.tool
		}
	}
	if c.Actor.InvokedBy != "" {
		agent = c.Actor.InvokedBy
	}
	return firstWord(agent)
}

// firstWord gives what stands before the first blank or slash, printable
// characters only and not too many.
func firstWord(s string) string {
	if at := strings.IndexAny(s, " /\t"); at >= 0 {
		s = s[:at]
	}
	var out []rune
	for _, r := range s {
		if r <= unicode.MaxASCII && unicode.IsPrint(r) && len(out) < 64 {
			out = append(out, r)
		}
	}
	return string(out)
}
