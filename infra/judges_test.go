package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/toolstest"
)

// lintAccepted are the rules of cfn-lint that the templates break on purpose.
var lintAccepted = map[string]string{
	"I1022": "The CDK joins texts with Fn::Join and has no way to use Fn::Sub instead; it is the same to CloudFormation.",
	"I3011": "Queues, topics, logs and the empty secret go with their stack, so that removing rolewarden leaves nothing behind; what has to outlive it says Retain.",
}

// cfn-lint, which this project did not write, finds no error and no warning in
// any template in any partition's home Region, and nothing worth a note but what is
// accepted with its reason.
func TestAnOutsideJudgeFindsNothingWrongInAnyTemplate(t *testing.T) {
	t.Parallel()
	program := toolstest.Program(t, "cfn-lint")
	folder := t.TempDir()
	args := []string{"--format", "json", "--include-checks", "I", "--regions", "us-east-1", "us-gov-west-1", "cn-north-1", "--"}
	for _, p := range everywhere(t) {
		file := filepath.Join(folder, p.stack+".template.json")
		if err := os.WriteFile(file, []byte(p.text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	// What it finds sets its exit status, so the status says nothing more.
	said, err := cmd.Output()
	var found []struct {
		Filename, Level, Message string
		Rule                     struct{ ID string }
		Location                 struct{ Path []any }
	}
	if json.Unmarshal(said, &found) != nil {
		t.Fatalf("%v: %s%s", err, said, complaints.String())
	}
	used := map[string]bool{}
	for _, f := range found {
		used[f.Rule.ID] = true
		if lintAccepted[f.Rule.ID] == "" || f.Level == "Error" || f.Level == "Warning" {
			t.Errorf("%s %v: %s %s: %s", filepath.Base(f.Filename), f.Location.Path, f.Level, f.Rule.ID, f.Message)
		}
	}
	for id := range lintAccepted {
		if !used[id] {
			t.Errorf("%s is accepted and nothing breaks it any more", id)
		}
	}
}

// A policy document that no other test knows of would be judged by none.
func TestEveryPolicyDocumentIsOfAKindThatIsJudged(t *testing.T) {
	t.Parallel()
	kinds := map[documentKind]int{}
	for _, d := range documents(t) {
		kinds[d.kind]++
		if d.kind == unknownDocument {
			t.Errorf("%s: a policy document of a %s, which no test judges", d.where, d.of.Type)
		}
	}
	for _, k := range []documentKind{trustDocument, permissionDocument, resourceDocument, organizationDocument} {
		if kinds[k] == 0 {
			t.Errorf("no document of kind %d was found", k)
		}
	}
}

// The limits that the templates' documents have to keep (IAM User Guide,
// reference_iam-quotas; AWS Organizations User Guide, orgs_reference_limits;
// AWS KMS Developer Guide, resource-limits; EventBridge User Guide,
// eb-event-bus-perms; Amazon SNS and SQS Developer Guides, quotas).
const (
	maxKeyPolicy   = 32 << 10
	maxBusPolicy   = 10 << 10
	maxQueuePolicy = 8 << 10
	maxTopicPolicy = 30 << 10
)

// Every document fits into its quota with room for a change, with real values
// in place of references.
func TestEveryDocumentFitsIntoItsQuota(t *testing.T) {
	t.Parallel()
	inline, bus := map[string]int{}, map[string]int{}
	check := func(where string, n, most int) {
		if n > most {
			t.Errorf("%s has %d characters, and AWS takes %d", where, n, most)
		}
	}
	for _, d := range documents(t) {
		n := len(d.text(t))
		switch {
		case d.kind == trustDocument:
			// The parameter takes an external id of 1,224 characters at most.
			if strings.Contains(d.text(t), sampleExternalID) {
				n += 1224 - len(sampleExternalID)
			}
			check(d.where, n, grants.MaxTrust)
		case d.kind == permissionDocument:
			inline[d.place.stack+" "+d.of.Properties["RoleName"].(string)] += n
		case d.kind == organizationDocument:
			check(d.where, n, grants.MaxOrganization)
		case d.of.Type == "AWS::KMS::Key":
			check(d.where, n, maxKeyPolicy)
		case d.of.Type == "AWS::SQS::QueuePolicy":
			check(d.where, n, maxQueuePolicy)
		case d.of.Type == "AWS::SNS::TopicPolicy":
			check(d.where, n, maxTopicPolicy)
		case d.of.Type == "AWS::Events::EventBusPolicy":
			bus[d.place.stack] += n
		}
	}
	for where, n := range inline {
		check(where, n, grants.MaxInline)
	}
	for where, n := range bus {
		check(where, n, maxBusPolicy)
	}
	for _, p := range everywhere(t) {
		// What is not uploaded is handed over with the call.
		most := maxTemplateBody
		if p.stack == deployment.HubStack || p.stack == deployment.SingleStack {
			most = maxTemplate
		}
		check("the template "+p.stack, len(p.text), most)
		for _, r := range p.Resources {
			if body, ok := r.Properties["TemplateBody"].(string); ok {
				check("the template of the StackSet "+r.Properties["StackSetName"].(string), len(body), maxTemplateBody)
			}
		}
	}
	for _, way := range []string{"hub", "members"} {
		w := worldOf(load1(t, "organization.yaml", way))
		check("the SCP", len(grants.SCP(w).JSON()), grants.MaxOrganization)
		check("the RCP", len(grants.RCP(w).JSON()), grants.MaxOrganization)
	}
}

// Whoever deploys is told every permission that CloudFormation needs: a type of
// resource without an entry would fail half way through the first deployment.
func TestTheDeployerMayMakeEveryTypeOfResource(t *testing.T) {
	t.Parallel()
	table := grants.DeployerTable()
	for _, p := range everywhere(t) {
		allowed := map[string]bool{}
		for _, s := range grants.Deployer(worldOf(load1(t, "organization.yaml", "hub"))).Statement {
			for _, a := range s.Action {
				allowed[a] = true
			}
		}
		for _, id := range sortedKeys(p.Resources) {
			needs := table[p.Resources[id].Type]
			if len(needs) == 0 {
				t.Errorf("%s: %s is a %s, of which grants.DeployerTable says nothing", p.stack, id, p.Resources[id].Type)
			}
			for _, need := range needs {
				if !allowed[need] {
					t.Errorf("%s needs %s, and the deployer may not", p.Resources[id].Type, need)
				}
			}
		}
	}
	used := map[string]bool{}
	for _, p := range everywhere(t) {
		for _, r := range p.Resources {
			used[r.Type] = true
		}
	}
	for _, kind := range sortedKeys(table) {
		if !used[kind] {
			t.Errorf("the deployer may make a %s, and no template holds one", kind)
		}
	}
}
