package rules

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// plainlyUsed spares the usual statements the question: an action that their
// principals make, and conditions such as such callers can meet, one on a key.
func plainlyUsed(in Input, i int) bool {
	d := in.Document
	st := d.Statements[i]
	if carriesOnly(st) {
		return slices.ContainsFunc(d.Statements, func(o policy.Statement) bool {
			return o.Effect == policy.Allow && !carriesOnly(o) && slices.Equal(o.Principal.List, st.Principal.List)
		})
	}
	classes := audience(st)
	match := slices.IndexFunc(classes, func(c proof.Callers) bool { return covers(st, actionOf(c.Kind)) })
	if match < 0 {
		return false
	}
	foreign := func(p policy.Principal) bool {
		return p.Type == "AWS" && p.Partition != "" && p.Partition != in.Role.Partition
	}
	if slices.ContainsFunc(st.Principal.List, foreign) {
		return false // partitions are worlds apart
	}
	for k, c := range st.Conditions {
		if slices.ContainsFunc(st.Conditions[:k], func(o policy.Condition) bool { return strings.EqualFold(o.Key, c.Key) }) || !usual(in, st, c, classes[match].Kind) {
			return false
		}
	}
	return true
}

// usual says whether callers of a kind can plainly meet a condition of a statement.
func usual(in Input, st policy.Statement, c policy.Condition, kind proof.CallerKind) bool {
	key := strings.ToLower(c.Key)
	variable := slices.ContainsFunc(c.Values, func(v string) bool { return strings.Contains(v, "${") })
	if variable && (in.Document.Version != "2012-10-17" || kind != proof.Users) || len(c.Values) == 0 {
		return false
	}
	switch kind {
	case proof.Users, proof.RoleSessions:
		if variable && sentKey(key) {
			return true
		}
		return usualOfAWS(in, st, key, c)
	case proof.Services:
		// Roles Anywhere shows the fields of the certificate as tags of its caller
		// (IAM Roles Anywhere User Guide, trust-model).
		return strings.HasPrefix(key, "aws:source") && key != "aws:sourceidentity" || strings.HasPrefix(key, "aws:principaltag/x509") || key == "sts:sourceidentity" && !variable
	case proof.SAMLIdentities:
		return strings.HasPrefix(key, "saml:") || strings.HasPrefix(key, "aws:requesttag/")
	case proof.OIDCIdentities:
		return strings.Contains(key, ".") || strings.HasPrefix(key, "aws:requesttag/")
	case proof.NoCaller:
		return false
	default:
		return false
	}
}

// sentKey says that callers choose the value that they send for a key.
func sentKey(key string) bool {
	return key == "sts:externalid" || key == "sts:rolesessionname" || key == "sts:sourceidentity"
}

// usualOfAWS says whether users and roles can plainly meet a condition.
func usualOfAWS(in Input, st policy.Statement, key string, c policy.Condition) bool {
	values := c.Values
	switch key {
	case "sts:externalid", "sts:rolesessionname", "sts:sourceidentity":
		o, _ := policy.ParseOperator(c.Operator)
		return !slices.ContainsFunc(values, func(v string) bool { return !sendable(v) || plainText(o) && strings.ContainsAny(v, "*?") })
	case "aws:principalarn", "aws:principalaccount":
		return anybody(st) || slices.ContainsFunc(accountsOf(st), func(a string) bool { return ofAccount(values, a) })
	case "aws:principalorgid":
		return slices.Contains(values, in.Org.Organization.ID)
	case "aws:principaltype":
		return slices.Contains(values, "User") || slices.Contains(values, "AssumedRole")
	case "aws:username", "aws:userid":
		return slices.Contains(values, "User") || slices.Contains(values, "AssumedRole") || anybody(st) || len(accountsOf(st)) > 0
	case "aws:multifactorauthpresent", "aws:multifactorauthage":
		return true
	}
	if strings.HasPrefix(key, "aws:source") {
		return !strings.HasPrefix(key, "aws:sourcea") && !strings.HasPrefix(key, "aws:sourceo")
	}
	return strings.HasPrefix(key, "aws:principal") || strings.HasPrefix(key, "aws:requesttag/")
}

// ofAccount says whether one of some values may be the ARN of a user or role of
// an account, or is its id.
func ofAccount(values []string, account string) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		return v == account || strings.Contains(v, ":iam::"+account+":") || strings.Contains(v, ":iam::*:")
	})
}

// sendable says that a value is legal for what callers send by AssumeRole; a
// wildcard stands for something that is.
func sendable(v string) bool {
	return len(v) > 1 && !strings.ContainsFunc(v, func(r rune) bool {
		return !alphanumeric(r) && !strings.ContainsRune("_+=,.@-*?", r)
	})
}

// alphanumeric says that a rune is an ASCII letter or digit.
func alphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// worthAsking spares the usual entries the question: values without a wildcard,
// of keys that may have others.
func worthAsking(in Input, c policy.Condition, o policy.Operator) bool {
	key := strings.ToLower(c.Key)
	if in.Document.Version != "2012-10-17" && slices.ContainsFunc(c.Values, func(v string) bool { return strings.Contains(v, "${") }) {
		return false
	}
	switch o.Base {
	case policy.Bool:
		return o.IfExists || o.Set == policy.ForAllValues || key != "aws:multifactorauthpresent" || slices.Contains(c.Values, "false")
	case policy.IP:
		return o.Negated || o.IfExists || o.Set == policy.ForAllValues || slices.ContainsFunc(c.Values, broad)
	case policy.String, policy.StringIgnoreCase, policy.StringLike, policy.ARN, policy.Binary:
	case policy.DateEquals, policy.DateLessThan, policy.DateLessThanEquals, policy.DateGreaterThan, policy.DateGreaterThanEquals:
		return false // a beginning that has passed was a guard, and is no false one
	default: // Null and numbers are few, and often always true
		return true
	}
	if o.Negated || o.IfExists || o.Set == policy.ForAllValues || strings.HasPrefix(key, "aws:resource") {
		return true
	}
	return slices.ContainsFunc(c.Values, func(v string) bool { return loose(key, v, o.Base) })
}

// loose says that a value may be one that everybody has.
func loose(key, v string, by policy.Base) bool {
	ours := strings.HasPrefix(key, "aws:")
	pattern := by != policy.String && strings.ContainsAny(v, "*?")
	return strings.Trim(v, "*?:") == "" || ours && pattern ||
		strings.Contains(v, "${") && (ours || strings.Contains(strings.ToLower(v), key))
}

// broad says that a range is a large part of all addresses.
func broad(v string) bool {
	p, err := netip.ParsePrefix(v)
	return err == nil && p.Bits() < 8
}

// besideText reminds of variables that the document's version leaves as text, and
// of stars that an operator does.
func besideText(in Input, st policy.Statement) string {
	writes := func(c policy.Condition) bool {
		return slices.ContainsFunc(c.Values, func(v string) bool { return strings.Contains(v, "${") })
	}
	if in.Document.Version != "2012-10-17" && slices.ContainsFunc(st.Conditions, writes) {
		return `, where ${...} is plain text for want of "Version": "2012-10-17"`
	}
	starred := func(c policy.Condition) bool {
		o, ok := policy.ParseOperator(c.Operator)
		return ok && plainText(o) && !o.Negated && sentAlong(c.Key) && slices.ContainsFunc(c.Values, func(v string) bool { return strings.ContainsAny(v, "*?") })
	}
	if k := slices.IndexFunc(st.Conditions, starred); k >= 0 {
		return ", where * and ? are plain text under " + word(st.Conditions[k].Operator)
	}
	return ""
}

// plainText says that an operator takes * and ? for what they are.
func plainText(o policy.Operator) bool {
	return o.Base == policy.String || o.Base == policy.StringIgnoreCase
}

// sentAlong says whether a key is of what a caller sends with sts:AssumeRole.
func sentAlong(key string) bool {
	return strings.EqualFold(key, externalIDKey) || strings.EqualFold(key, sessionNameKey) || strings.EqualFold(key, sourceIdentityKey)
}
