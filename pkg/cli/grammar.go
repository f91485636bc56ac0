package cli

import "github.com/alecthomas/kong"

const description = `Keeps watch over who may assume an IAM role.

It judges trust policies by the rules of an organization and shows each breach by evidence: a request that the policy lets in and the rule forbids.

Exit status: 0 fine; 1 found something; 2 undecided; 3 usage or unreadable input. 3 beats 1 beats 2 beats 0.`

// grammar is the command line as a whole.
type grammar struct {
	Check    checkVerb    `cmd:"" help:"Judge trust policies by the rules."`
	Compare  compareVerb  `cmd:"" help:"Show what a new trust policy lets in that an old one does not, and the other way round."`
	Evaluate evaluateVerb `cmd:"" help:"Decide single requests against trust policies, line by line."`
	Doctor   doctorVerb   `cmd:"" help:"Look at a deployment in AWS, before and after: what stands in its way, and what to do."`
	Demo     demoVerb     `cmd:"" help:"Tell nine stories in a lab: what rolewarden sees, does and says."`
	Handle   handleVerb   `cmd:"" help:"Send CloudTrail events through the whole line, in a lab."`
	Lab      labVerb      `cmd:"" help:"Serve an AWS organization on this machine, with rolewarden watching it."`
	Rules    rulesVerb    `cmd:"" help:"List the rules, or show the page of one."`
	Sweep    sweepVerb    `cmd:"" help:"Read every role of an account, and judge it, with your own credentials."`
	Preview  previewVerb  `cmd:"" help:"Say what a new rules file would change, before it is deployed; or confirm one."`
	Undo     undoVerb     `cmd:"" help:"Put back the trust policy that a decision replaced."`
	Writes   writesVerb   `cmd:"" help:"Show the kill switch, stop all writes, or allow them again."`
	Breaker  breakerVerb  `cmd:"" help:"Show the breakers that are tripped, or reset one."`
	Schema   schemaVerb   `cmd:"" help:"Print the JSON Schema of an output, of an alert, of the rules file, or of the deployment file."`

	Version kong.VersionFlag `help:"Print the version."`
}

// situation is what a person knows about the role beside its trust policy.
type situation struct {
	Rules   string `help:"The organization's rules file (YAML). Without it the organization is empty: every account but the role's own is foreign." placeholder:"FILE"`
	RoleARN string `name:"role-arn" help:"The role whose trust policy this is. Without it the role's own account is unknown, and what hinges on it is undecided." placeholder:"ARN"`
}

// Format is how a verb prints its result.
type Format string

// The formats.
const (
	Text Format = "text"
	JSON Format = "json"
)

// form is the choice of a format.
type form struct {
	Format Format `help:"text for people, json for programs (see rolewarden schema)." enum:"text,json" default:"text" placeholder:"text|json"`
}

// secrecy is the choice to see secrets.
type secrecy struct {
	ShowSecrets bool `help:"Print the values of secret keys (sts:ExternalId) instead of ***, so that rolewarden evaluate accepts the requests shown."`
}
