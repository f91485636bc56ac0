package canary

import (
	"fmt"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// The target's Sid. A Sid has letters and digits only (IAM User Guide,
// reference_policies_elements_sid), so the time in it has no marks.
const (
	sidPrefix = "Canary"
	// sidNew ends the Sid of a target that nobody has changed since it was made.
	sidNew   = "New"
	sidClock = "20060102T150405.000Z"
)

// Document gives the trust policy that the canary writes at a time.
//
// It lets nobody in: of its two conditions one fails for every request. It is
// an Allow, since AWS does not document whether IAM takes a Deny that stands
// alone. Its one principal is the account itself, which always exists, so that
// IAM never refuses it and never rewrites it into a unique id.
func Document(partition, account string, at time.Time) string {
	return string(document(partition, account, sidPrefix+stamp(at)).Print())
}

// stamp writes a time to the millisecond, without marks.
func stamp(at time.Time) string {
	return strings.ReplaceAll(at.UTC().Format(sidClock), ".", "")
}

func document(partition, account, sid string) policy.Document {
	const key, value = "sts:RoleSessionName", "rolewarden"
	owner, err := policy.ParsePrincipal("AWS", "arn:"+partition+":iam::"+account+":root")
	if err != nil {
		// Only blank text does not parse.
		owner = policy.Principal{Type: "AWS", Value: account}
	}
	return policy.Document{Version: "2012-10-17", Statements: []policy.Statement{{
		Sid: sid, Effect: policy.Allow, Actions: []string{"sts:AssumeRole"},
		Principal: policy.Principals{List: []policy.Principal{owner}},
		Conditions: []policy.Condition{
			{Operator: "StringEquals", Key: key, Values: []string{value}},
			{Operator: "StringNotEquals", Key: key, Values: []string{value}},
		},
	}}}
}

// author says who wrote a target's document, as far as it shows. The zero value
// is somebody else.
type author uint8

const (
	// stranger: it is none that the canary writes, or bears a time that lies ahead.
	stranger author = iota
	// maker: it is the one that the target was made with.
	maker
	// canary: the canary wrote it, or somebody put back what it wrote.
	canary
)

// skew is how far two clocks may be apart.
const skew = 5 * time.Minute

// written tells who wrote a target's document and, where the canary did, when;
// its digest is the one by which the ledger knows it. IAM rewrites documents, so
// only canonical forms are compared.
func written(r role.Role, now time.Time) (by author, at time.Time, digest string) {
	d, err := policy.Parse([]byte(r.TrustPolicy))
	if err != nil || len(d.Statements) != 1 {
		return stranger, time.Time{}, ""
	}
	sid := d.Statements[0].Sid
	mark, ok := strings.CutPrefix(sid, sidPrefix)
	if !ok || !d.Equal(document(r.Partition, r.Account, sid), r.Partition) {
		return stranger, time.Time{}, ""
	}
	if mark == sidNew {
		return maker, time.Time{}, d.Digest(r.Partition)
	}
	if at, err = timeOf(mark); err != nil || at.After(now.Add(skew)) {
		return stranger, time.Time{}, ""
	}
	return canary, at, d.Digest(r.Partition)
}

// timeOf reads what stamp writes.
func timeOf(mark string) (time.Time, error) {
	const seconds = len("20060102T150405")
	if len(mark) < seconds {
		return time.Time{}, fmt.Errorf("reading the time %q: it is too short", mark)
	}
	return time.Parse(sidClock, mark[:seconds]+"."+mark[seconds:])
}
