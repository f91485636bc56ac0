// Package deployment reads the deployment file: in which of three ways
// rolewarden is deployed, where, and how everything it makes is called.
//
// It takes YAML, with the rules file it names, and gives a Deployment, or
// errors with file, line, value and remedy. It knows no AWS SDK and no CDK, so
// that the app that deploys, the doctor that looks at what is deployed and the
// lab all use the same names. It never guesses: an unknown field is an error.
package deployment

import (
	"time"

	"github.com/rolewarden/rolewarden/pkg/org"
)

// Way is one of the ways to deploy. The zero value deploys nothing.
type Way uint8

// The ways.
const (
	NoWay Way = iota
	// Single: everything in one account, no organization needed.
	Single
	// Hub: the security account of an organization.
	Hub
	// Members: the StackSet for the member accounts, deployed from the hub, and
	// the stack for the management account, which StackSets skip.
	Members
)

// Architecture is what the functions run on. The zero value is ARM64.
type Architecture uint8

// The architectures.
const (
	ARM64 Architecture = iota
	X8664
)

// Presence says whether something is deployed. The zero value is Absent.
type Presence uint8

// Whether something is deployed.
const (
	Absent Presence = iota
	Present
)

// Deployment is what the deployment file says, checked, with every default
// filled in.
type Deployment struct {
	// File is the file's path as it was given.
	File string
	Way  Way
	// Account is the hub's, or the only one.
	Account string
	// Partition is that of the rules file, Region the one where it keeps IAM.
	Partition string
	Region    string
	// RulesFile is the path of the rules file, RulesText its bytes, Rules what
	// they say; Rules.Hash is what every decision names.
	RulesFile string
	RulesText []byte
	Rules     *org.Rules

	Architecture Architecture
	// Remediator says whether the member role that may write is deployed.
	Remediator Presence
	// Slack says whether notify and its secret are deployed.
	Slack Presence
	// Targets are the ids of the roots and organizational units (r-…, ou-…-…)
	// that the StackSet is deployed to.
	Targets []string
	// AssumeRoleRegions are the Regions whose AssumeRole events of the sensitive
	// roles (rule session-policy) are watched; none by default.
	AssumeRoleRegions []string
	// AlarmEmails are told of alarms.
	AlarmEmails []string
	// CanaryEvery is the time between two runs of the canary.
	CanaryEvery time.Duration
	// SweepEvery is the time between two sweeps.
	SweepEvery time.Duration
	// SealKeys is how many keys baselines have been sealed with. The last one seals,
	// and all check.
	SealKeys int
	// LogDays is how long logs are kept.
	LogDays int
	// AttachSCP and AttachRCP are the ids of roots, organizational units and
	// accounts that the guarding policies are attached to; none by default,
	// and then they are written to files only.
	AttachSCP []string
	AttachRCP []string
}

// Organization is the organization's id; empty where there is none, which
// only the way Single allows.
func (d *Deployment) Organization() string { return d.Rules.Organization.ID }
