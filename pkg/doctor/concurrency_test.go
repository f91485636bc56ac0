package doctor_test

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/doctor"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// An account that has not enough room for the functions is told of it before
// its first deployment is rolled back, with the quota to ask for.
func TestTheQuotaOfLambdaIsLookedAtBeforeTheDeployment(t *testing.T) {
	t.Parallel()
	quota := func(quota, unreserved int) func(*deployment.Deployment, *account) {
		return func(_ *deployment.Deployment, a *account) {
			delete(a.stacks, "rolewarden-hub")
			delete(a.stacks, "rolewarden")
			a.lambda = doctor.Concurrency{Quota: quota, Unreserved: unreserved}
		}
	}
	sick(t, doctor.Before, []ailment{
		{name: "a new account", way: "hub", check: "lambda-concurrency", state: doctor.Problem, found: "set aside 19 executions, and Lambda keeps 100 for all others; of this account's 10 only 10 are free", do: "at least 119: aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --region us-east-1 --desired-value 1000", harm: quota(10, 10)},
		{name: "a new account for everything", way: "single", check: "lambda-concurrency", state: doctor.Warning, found: "Lambda runs 10 functions at once in this account, those of others included, and rolewarden's may want 19", do: "at least 19: aws service-quotas", harm: quota(10, 10)},
		{name: "a small account for everything", way: "single", check: "lambda-concurrency", state: doctor.OK, found: "set aside 0", harm: quota(50, 50)},
		{name: "one too few", way: "hub", check: "lambda-concurrency", state: doctor.Problem, found: "only 118 are free", do: "at least 120", harm: quota(119, 118)},
		{name: "just enough", way: "hub", check: "lambda-concurrency", state: doctor.OK, found: "Of 1000 executions at once 119 are not set aside; the functions set aside 19", harm: quota(1000, 119)},
		{name: "others have set nearly all aside", way: "hub", check: "lambda-concurrency", state: doctor.Problem, found: "of this account's 1000 only 100 are free", do: "at least 1019", harm: quota(1000, 100)},
		{name: "before the members, when the hub is missing", way: "members", check: "lambda-concurrency", state: doctor.Problem, found: "only 10", do: "at least 119", harm: quota(10, 10)},
		{name: "without Slack", way: "hub", check: "lambda-concurrency", state: doctor.OK, found: "the functions set aside 17", harm: func(d *deployment.Deployment, a *account) {
			quota(117, 117)(d, a)
			d.Slack = deployment.Absent
		}},
		{name: "what is deployed has its share", way: "hub", check: "lambda-concurrency", state: doctor.Skipped, found: "have set aside what they need", harm: func(_ *deployment.Deployment, a *account) { a.lambda = doctor.Concurrency{Quota: 119, Unreserved: 100} }},
		{name: "a stack that was rolled back has nothing", way: "hub", check: "lambda-concurrency", state: doctor.Problem, found: "only 10", do: "at least 119", harm: func(d *deployment.Deployment, a *account) {
			quota(10, 10)(d, a)
			a.stacks["rolewarden-hub"] = doctor.Stack{Name: "rolewarden-hub", Status: "ROLLBACK_COMPLETE"}
		}},
		{name: "A9 it may not be looked at", way: "hub", check: "lambda-concurrency", state: doctor.Unknown, found: "lambda:GetAccountSettings", do: "Allow lambda:GetAccountSettings", harm: func(d *deployment.Deployment, a *account) {
			quota(1000, 1000)(d, a)
			a.fails["lambda:GetAccountSettings"] = &doctor.Refusal{Needs: "lambda:GetAccountSettings", Err: role.ErrAccessDenied}
		}},
	})
}

// What the doctor reckons with is what the templates ask Lambda for.
func TestTheTemplatesSetAsideWhatTheDoctorReckonsWith(t *testing.T) {
	t.Parallel()
	d, err := deployment.Load(templates+"deployments/organization.yaml", deployment.Override{Way: "hub"}, today())
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, r := range template(t, "hub/rolewarden-hub").Resources {
		if n, ok := r.Properties["ReservedConcurrentExecutions"].(float64); ok && r.Type == "AWS::Lambda::Function" {
			sum += int(n)
		}
	}
	if sum != d.Reserved() {
		t.Errorf("the hub sets aside %d, and the doctor reckons with %d", sum, d.Reserved())
	}
}
