package policy

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Canonical gives the document in a form that is the same for every spelling
// of the same statements: lists sorted and without repetitions, a bare account
// id as the root ARN of the partition ("" means aws), names of keys and actions
// in lower case, an absent Version as 2008-10-17, which it means. The order of
// statements, Sids and Id are kept. IAM itself rewrites documents in some of
// these ways, so only canonical forms can be compared.
func (d Document) Canonical(partition string) []byte {
	return d.canonical(partition).Print()
}

// Digest gives "sha256:" and the hexadecimal digest of the canonical form.
func (d Document) Digest(partition string) string {
	sum := sha256.Sum256(d.Canonical(partition))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Equal reports whether the canonical forms are equal, that is, whether the two
// say the same statement by statement. Documents that are not Equal may still
// allow the same requests.
func (d Document) Equal(e Document, partition string) bool {
	return bytes.Equal(d.Canonical(partition), e.Canonical(partition))
}

func (d Document) canonical(partition string) Document {
	if partition == "" {
		partition = "aws"
	}
	out := Document{Version: d.Version, ID: d.ID, Statements: make([]Statement, len(d.Statements))}
	if out.Version == "" {
		out.Version = "2008-10-17"
	}
	for i, s := range d.Statements {
		out.Statements[i] = Statement{
			Sid:          s.Sid,
			Effect:       s.Effect,
			Principal:    s.Principal.canonical(partition),
			NotPrincipal: s.NotPrincipal.canonical(partition),
			Actions:      sortedSet(lowered(s.Actions)),
			NotActions:   sortedSet(lowered(s.NotActions)),
			Resources:    sortedSet(slices.Clone(s.Resources)),
			NotResources: sortedSet(slices.Clone(s.NotResources)),
			Conditions:   canonicalConditions(s.Conditions),
		}
	}
	return out
}

func (p Principals) canonical(partition string) Principals {
	out := Principals{Star: p.Star, List: slices.Clone(p.List)}
	for i, one := range out.List {
		if one.Kind == Account && one.Partition == "" {
			out.List[i].Partition = partition
			out.List[i].Value = "arn:" + partition + ":iam::" + one.Account + ":root"
		}
	}
	slices.SortFunc(out.List, func(a, b Principal) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Value, b.Value))
	})
	out.List = slices.Compact(out.List)
	return out
}

// canonicalConditions sorts by operator and key. An element written as {} has
// no effect and is dropped.
func canonicalConditions(conditions []Condition) []Condition {
	var out []Condition
	for _, c := range conditions {
		out = append(out, Condition{
			Operator: c.Operator, Key: lower(c.Key), Values: sortedSet(slices.Clone(c.Values)),
		})
	}
	slices.SortStableFunc(out, func(a, b Condition) int {
		return cmp.Or(cmp.Compare(a.Operator, b.Operator), cmp.Compare(a.Key, b.Key))
	})
	return out
}

func lowered(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = lower(v)
	}
	return out
}

// lower folds ASCII letters only: what AWS makes of the case of others is not
// documented, so names that differ there stay apart.
func lower(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c + ('a' - 'A')
		}
		return c
	}, s)
}

// sortedSet sorts in place and drops repetitions.
func sortedSet(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}
