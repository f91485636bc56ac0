package org

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/rolewarden/rolewarden/pkg/org/strict"
)

// MaxBytes is the size of the largest rules file that is read.
const MaxBytes = strict.MaxBytes

// Mistake is one thing wrong with a rules file.
type Mistake = strict.Mistake

// MaxExemption is how far ahead an exemption may end.
const MaxExemption = 90 * 24 * time.Hour

// expiry says what to do with an exemption that has ended.
type expiry uint8

const (
	// refuseExpired: a file that is being written or deployed must not hold one.
	refuseExpired expiry = iota
	// setExpiredAside: a running deployment must not stop at midnight because of one.
	setExpiredAside
)

// Parse reads a rules file for somebody who can mend it: on the command line
// and before a deployment. Every mistake is an error of its own, a *Mistake,
// all of them joined in the order of the file; an exemption that has ended is
// one of them. The name is only used to tell where a mistake is.
func Parse(name string, text []byte, now time.Time) (*Rules, error) {
	return parse(&reader{Reader: strict.New(name), now: now, expired: refuseExpired}, text)
}

// ParseDeployed reads a rules file that has been deployed. It differs from
// Parse in one thing: exemptions that have ended since are no error; they
// exempt nothing and are listed in Rules.Expired, to be told of.
func ParseDeployed(name string, text []byte, now time.Time) (*Rules, error) {
	return parse(&reader{Reader: strict.New(name), now: now, expired: setExpiredAside}, text)
}

// Empty gives the rules of an organization of which nothing is known, in which
// every rule only observes.
func Empty() *Rules {
	return &Rules{Limits: defaultLimits(), Baselines: Baselines{Age: hours(defaultAge)}, RuleChanges: RuleChanges{ObserveFor: hours(defaultObserve)}}
}

// reader reads one rules file.
type reader struct {
	*strict.Reader
	now     time.Time
	expired expiry
}

func parse(r *reader, text []byte) (*Rules, error) {
	root, err := r.Root(text)
	if err != nil {
		return nil, err
	}
	rules := r.rules(root)
	if err := r.Err(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	rules.Hash = "sha256:" + hex.EncodeToString(sum[:])
	return rules, nil
}
