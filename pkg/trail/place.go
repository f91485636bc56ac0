package trail

import (
	"regexp"
	"strings"
)

// partition is one of AWS's partitions: which Regions it has, and in which of
// them its IAM events appear (IAM User Guide, disaster-recovery-resiliency).
type partition struct {
	name    string
	home    string
	regions *regexp.Regexp
}

// partitions lists AWS's partitions, with the forms of their Regions' names.
func partitions() []partition {
	return []partition{
		{"aws-cn", "cn-north-1", cnRegions},
		{"aws-us-gov", "us-gov-west-1", govRegions},
		{"aws-iso", "us-iso-east-1", isoRegions},
		{"aws-iso-b", "us-isob-east-1", isoBRegions},
		{"aws-iso-e", "eu-isoe-west-1", isoERegions},
		{"aws-iso-f", "us-isof-south-1", isoFRegions},
		{"aws-eusc", "eusc-de-east-1", euscRegions},
		{"aws", "us-east-1", awsRegions},
	}
}

const directions = `(north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9][0-9]?$`

var (
	cnRegions   = regexp.MustCompile(`^cn-` + directions)
	govRegions  = regexp.MustCompile(`^us-gov-` + directions)
	isoRegions  = regexp.MustCompile(`^us-iso-` + directions)
	isoBRegions = regexp.MustCompile(`^us-isob-` + directions)
	isoERegions = regexp.MustCompile(`^eu-isoe-` + directions)
	isoFRegions = regexp.MustCompile(`^us-isof-` + directions)
	euscRegions = regexp.MustCompile(`^eusc-[a-z]{2}-` + directions)
	awsRegions  = regexp.MustCompile(`^[a-z]{2}-` + directions)
)

// partitionOf gives the partition that has a Region.
func partitionOf(region string) (partition, bool) {
	for _, p := range partitions() {
		if p.regions.MatchString(region) {
			return p, true
		}
	}
	return partition{}, false
}

// The forms of what an event names. Names and paths are those of the IAM User
// Guide, reference_iam-quotas, paths as the API takes them: from ! to DEL (IAM
// API Reference, API_CreateRole: Path).
var (
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	eventIDForm = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)
	nameForm    = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)
	pathForm    = regexp.MustCompile(`^/([!-\x7f]{1,510}/)?$`)
	idForm      = regexp.MustCompile(`^[A-Z0-9]{16,128}$`)
)

// roleARN is the ARN of a role, taken apart as far as an event is checked by it.
type roleARN struct{ partition, account, name string }

func parseRoleARN(arn string) (roleARN, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" || !accountForm.MatchString(parts[4]) {
		return roleARN{}, false
	}
	rest, ok := strings.CutPrefix(parts[5], "role/")
	if !ok {
		return roleARN{}, false
	}
	at := strings.LastIndexByte(rest, '/') + 1
	name := rest[at:]
	if !nameForm.MatchString(name) || !pathForm.MatchString("/"+rest[:at]) {
		return roleARN{}, false
	}
	return roleARN{partition: parts[1], account: parts[4], name: name}, true
}
