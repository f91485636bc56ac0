package deployment

import (
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/org/strict"
)

// The partitions that rolewarden is deployed to.
const (
	partitionAWS   = "aws"
	partitionChina = "aws-cn"
	partitionGov   = "aws-us-gov"
)

// HomeRegion gives the Region in which IAM of a partition lives. CloudTrail
// shows changes of roles there only, wherever the caller was (CloudTrail User
// Guide, cloudtrail-concepts, global service events; IAM User Guide,
// disaster-recovery-resiliency). It is false for a partition that rolewarden is
// not deployed to.
func HomeRegion(partition string) (string, bool) {
	switch partition {
	case partitionAWS:
		return "us-east-1", true
	case partitionChina:
		return "cn-north-1", true
	case partitionGov:
		return "us-gov-west-1", true
	default:
		return "", false
	}
}

// partitionOf gives the partition of a Region. AWS names the Regions of every
// partition but the first by a beginning of their own; a Region of a partition
// that rolewarden is not deployed to gives nothing.
func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return partitionChina
	case strings.HasPrefix(region, "us-gov-"):
		return partitionGov
	case strings.Contains(region, "iso"), strings.HasPrefix(region, "eusc-"):
		return ""
	default:
		return partitionAWS
	}
}

// place reads the Region, and gives it with its partition: the one that the
// rules file names, or where it names no organization that of the Region. With
// neither it is aws; while the rules file cannot be read, nothing.
func (r *reader) place(d *Deployment) {
	given, ok := r.root.Text("region", regionName)
	switch {
	case d.Rules != nil && d.Rules.Organization.ID != "":
		d.Partition = d.Rules.Organization.Partition
	case ok:
		d.Partition = partitionOf(given)
	case d.Rules != nil:
		d.Partition = partitionAWS
	default:
		return
	}
	home, known := HomeRegion(d.Partition)
	d.Region = home
	switch {
	case !known && d.Partition != "":
		r.Fail(r.root.Field("rules"), "rules", fmt.Sprintf("organization.partition is %q, where rolewarden does not know in which Region IAM shows its changes", d.Partition), remedyPartition)
	case ok && (!known || partitionOf(given) != d.Partition && d.Rules != nil && d.Rules.Organization.ID != ""):
		r.foreignRegion(given, d.Partition, home)
	case ok && given != home:
		r.Fail(r.root.Field("region"), "region",
			fmt.Sprintf("%q is not where IAM lives in the partition %s: changes of roles are seen in %s only, whoever makes them and from wherever, so that in %s rolewarden would see nothing", given, d.Partition, home, given),
			"write "+home+" or leave it out; every role of an account is watched from there")
	}
}

const remedyPartition = "rolewarden is deployed to aws, aws-cn and aws-us-gov: deploy it there, or mend organization.partition"

// foreignRegion notes a Region of another partition.
func (r *reader) foreignRegion(given, partition, home string) {
	problem, remedy := fmt.Sprintf("%q is not in the partition %s of the rules file", given, partition),
		"write "+home+" or leave it out, or mend organization.partition in the rules file"
	if partition == "" {
		problem, remedy = fmt.Sprintf("%q is in none of the partitions aws, aws-cn and aws-us-gov", given), "write us-east-1, cn-north-1 or us-gov-west-1"
	}
	r.Fail(r.root.Field("region"), "region", problem, remedy)
}

// checkRegions notes the Regions for AssumeRole that are not in the partition.
func (r *reader) checkRegions(o strict.Object, partition string) {
	for i, n := range items(o, "regions") {
		if partition != "" && regionName.OK(n.Value) && partitionOf(n.Value) != partition {
			r.Fail(n, strict.Item(o.At("regions"), i), fmt.Sprintf("%q is not in the partition %s", n.Value, partition),
				"write Regions of "+partition+" only; partitions share no accounts")
		}
	}
}
