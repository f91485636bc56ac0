package inspect_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/doctor"
)

const template = `{"Resources":{"Topic":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"inspected"}}},"Outputs":{"RulesHash":{"Value":"sha256:0"}}}`

func TestInspectionOfAStack(t *testing.T) {
	w := motoWorld(t)
	name := unique(t, "stack")
	_, err := cloudformation.NewFromConfig(w.hub).CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String(name), TemplateBody: aws.String(template)})
	must(t, err)
	s, err := inspection(t, w.hub).Stack(t.Context(), "us-east-1", name)
	want := doctor.Stack{Name: name, Status: "CREATE_COMPLETE", Outputs: map[string]string{"RulesHash": "sha256:0"}}
	if d := cmp.Diff(want, s); d != "" || err != nil {
		t.Errorf("the stack (-want +got):\n%s\n%v", d, err)
	}
}

// moto knows StackSets without automatic deployment, drift and detailed state.
func TestInspectionOfMotosStackSet(t *testing.T) {
	w := motoWorld(t)
	client, i := cloudformation.NewFromConfig(w.hub), inspection(t, w.hub)
	name := unique(t, "set")
	_, err := client.CreateStackSet(t.Context(), &cloudformation.CreateStackSetInput{StackSetName: aws.String(name), TemplateBody: aws.String(template)})
	must(t, err)
	s, err := i.StackSet(t.Context(), name)
	if err != nil || s.Name != name || s.Status != "ACTIVE" || s.AutoDeploy != "disabled" || !s.DriftAt.IsZero() {
		t.Errorf("the StackSet is %+v, %v", s, err)
	}
	_, err = client.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: aws.String(name), Accounts: []string{hub}, Regions: []string{"us-east-1"}})
	must(t, err)
	all, err := i.Instances(t.Context(), name)
	if err != nil || len(all) != 1 || all[0].Account != hub || all[0].Region != "us-east-1" || all[0].Status != "CURRENT" {
		t.Errorf("the instances are %+v, %v", all, err)
	}
}

// T71, T14: StackSets are asked about as their delegated administrator, page by
// page, with drift and automatic deployment.
func TestInspectionOfStackSets(t *testing.T) {
	w := labWorld(t)
	a := &answers{bodies: []string{
		`<DescribeStackSetResponse><DescribeStackSetResult><StackSet>
			<StackSetName>rolewarden-member</StackSetName><Status>ACTIVE</Status><PermissionModel>SERVICE_MANAGED</PermissionModel>
			<AutoDeployment><Enabled>true</Enabled></AutoDeployment><OrganizationalUnitIds><member>r-abcd</member></OrganizationalUnitIds>
			<StackSetDriftDetectionDetails><DriftStatus>IN_SYNC</DriftStatus><LastDriftCheckTimestamp>2026-11-19T12:00:00Z</LastDriftCheckTimestamp></StackSetDriftDetectionDetails>
		</StackSet></DescribeStackSetResult></DescribeStackSetResponse>`,
		`<ListStackInstancesResponse><ListStackInstancesResult><NextToken>more</NextToken><Summaries><member>
			<Account>111122223333</Account><Region>us-east-1</Region><Status>OUTDATED</Status><StatusReason>denied</StatusReason><DriftStatus>DRIFTED</DriftStatus>
			<StackInstanceStatus><DetailedStatus>FAILED</DetailedStatus></StackInstanceStatus>
		</member></Summaries></ListStackInstancesResult></ListStackInstancesResponse>`,
		`<ListStackInstancesResponse><ListStackInstancesResult><Summaries><member>
			<Account>777788889999</Account><Region>us-east-1</Region><Status>CURRENT</Status>
		</member></Summaries></ListStackInstancesResult></ListStackInstancesResponse>`,
	}}
	w.hub.HTTPClient = a
	i := inspection(t, w.hub)
	s, err := i.StackSet(t.Context(), "rolewarden-member")
	want := doctor.StackSet{
		Name: "rolewarden-member", Status: "ACTIVE", Permission: "SERVICE_MANAGED", AutoDeploy: "enabled", Targets: []string{"r-abcd"},
		Drift: "IN_SYNC", DriftAt: time.Date(2026, 11, 19, 12, 0, 0, 0, time.UTC),
	}
	if d := cmp.Diff(want, s); d != "" || err != nil {
		t.Errorf("the StackSet (-want +got):\n%s\n%v", d, err)
	}
	all, err := i.Instances(t.Context(), "rolewarden-member")
	instances := []doctor.Instance{
		{Account: "111122223333", Region: "us-east-1", Status: "OUTDATED", Detail: "FAILED", Reason: "denied", Drift: "DRIFTED"},
		{Account: "777788889999", Region: "us-east-1", Status: "CURRENT"},
	}
	if d := cmp.Diff(instances, all); d != "" || err != nil {
		t.Errorf("the instances (-want +got):\n%s\n%v", d, err)
	}
	for _, form := range a.asked {
		if form.Get("CallAs") != "DELEGATED_ADMIN" {
			t.Errorf("%s was called as %q", form.Get("Action"), form.Get("CallAs"))
		}
	}
}
