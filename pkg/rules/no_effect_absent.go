package rules

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// sent says whether callers are services that are documented to send a key, be
// it for a part of what they do: they do not choose to leave it out, so IfExists
// holds them to the value (service-confused-deputy rests on the same table).
func sent(callers proof.Callers, key string) bool {
	return callers.Kind == proof.Services && !slices.ContainsFunc(callers.Names, func(name string) bool {
		sends := assumerOf(name).sends
		switch {
		case strings.EqualFold(key, sourceAccountKey):
			return !sends.account()
		case strings.EqualFold(key, sourceARNKey):
			return !sends.arn()
		default:
			return true
		}
	})
}

// bySending puts the services that are documented to send a key into a class
// of their own.
func bySending(classes []proof.Callers, key string) []proof.Callers {
	var out []proof.Callers
	for _, c := range classes {
		if c.Kind != proof.Services {
			out = append(out, c)
			continue
		}
		senders, others := proof.Callers{Kind: c.Kind}, proof.Callers{Kind: c.Kind}
		for _, name := range c.Names {
			if sent(proof.Callers{Kind: c.Kind, Names: []string{name}}, key) {
				senders.Names = append(senders.Names, name)
			} else {
				others.Names = append(others.Names, name)
			}
		}
		for _, part := range []proof.Callers{senders, others} {
			if len(part.Names) > 0 {
				out = append(out, part)
			}
		}
	}
	return out
}

// network are the keys of a request that comes through a VPC endpoint.
var network = [...]string{"aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp"}

// lacking requires that a request lacks a key, in the way in which requests lack
// it. Who comes through a VPC endpoint shows that and no public address; who does
// not shows the address and no endpoint: where the document writes which ones,
// he has another. Who has authenticated with MFA shows since when (IAM User
// Guide, reference_policies_condition-keys: aws:SourceIp, aws:SourceVpce,
// aws:MultiFactorAuthAge).
func lacking(d policy.Document, key string, kind proof.CallerKind) []proof.Requirement {
	where := []proof.Requirement{demand(proof.Holds, "Null", key, "true")}
	if kind == proof.Services {
		return where
	}
	switch strings.ToLower(key) {
	case "aws:sourceip":
		where = append(where, demand(proof.Holds, "Null", "aws:SourceVpce", "false"))
		where = append(where, noneOf(d, "StringLike", "aws:SourceVpce")...)
		if others := noneOf(d, "StringLike", "aws:SourceVpc"); others != nil {
			where = append(append(where, demand(proof.Holds, "Null", "aws:SourceVpc", "false")), others...)
		}
	case "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip":
		where = append(where[:0], demand(proof.Holds, "Null", "aws:SourceIp", "false"))
		for _, k := range network {
			where = append(where, demand(proof.Holds, "Null", k, "true"))
		}
		where = append(where, noneOf(d, "IpAddress", "aws:SourceIp")...)
	case "aws:multifactorauthage":
		where = append(where, demand(proof.Fails, "Bool", "aws:MultiFactorAuthPresent", "true"))
	}
	return where
}

// noneOf requires a value that the document does not write for a key.
func noneOf(d policy.Document, operator, key string) []proof.Requirement {
	var values []string
	for _, st := range d.Statements {
		for _, c := range st.Conditions {
			if o, ok := policy.ParseOperator(c.Operator); ok && o.Base != policy.Null && strings.EqualFold(c.Key, key) {
				values = appendMissing(values, c.Values)
			}
		}
	}
	values = slices.DeleteFunc(values, func(v string) bool { return strings.Contains(v, "${") })
	if len(values) == 0 {
		return nil
	}
	return []proof.Requirement{demand(proof.Fails, operator, key, values...)}
}

// passedByAbsence says whether a condition holds where its key is absent (IAM
// User Guide, reference_policies_elements_condition_operators).
func passedByAbsence(o policy.Operator) bool {
	return o.Base != policy.Null && o.Set != policy.ForAnyValue && (o.IfExists || o.Negated || o.Set == policy.ForAllValues)
}

// allBut says whether a Deny's condition is for all values but those written,
// as a list of those that may come in, and not for those that may not.
func allBut(c policy.Condition, o policy.Operator) bool {
	return o.Negated || o.Base == policy.Bool && slices.Equal(c.Values, []string{"false"})
}
