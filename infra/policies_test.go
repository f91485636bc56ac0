package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

func TestNoDocumentAllowsAWildcardAction(t *testing.T) {
	for stack, tpl := range every(t) {
		for where, document := range policies(tpl) {
			for _, s := range statements(t, document) {
				if s["Effect"] != "Allow" {
					continue
				}
				if s["NotAction"] != nil || s["NotPrincipal"] != nil || s["NotResource"] != nil {
					t.Errorf("%s %s allows all but something: %v", stack, where, s)
				}
				for _, action := range listOf(s["Action"]) {
					if strings.ContainsAny(action, "*?") {
						t.Errorf("%s %s allows %s", stack, where, action)
					}
				}
			}
		}
	}
}

// Whom a function's role may work on is said for each call; Organizations has
// no resources to name for what it is asked here, and IAM none for the list of all
// roles of an account.
func TestFunctionsWorkOnNothingButTheirOwn(t *testing.T) {
	for stack, tpl := range cores(t) {
		for id, r := range of(t, tpl, "AWS::IAM::Role") {
			for where, document := range policies(stackTemplate{Resources: map[string]resource{id: r}}) {
				for _, s := range statements(t, document) {
					for _, one := range listOf(s["Resource"]) {
						what := strings.Join(listOf(s["Action"]), "")
						if s["Effect"] == "Allow" && one == "*" && !strings.HasPrefix(what, "organizations:") && what != "iam:GetAccountAuthorizationDetails" {
							t.Errorf("%s %s: %v on everything", stack, where, s["Action"])
						}
					}
				}
			}
		}
	}
}

// What looks like a secret.
var secrets = regexp.MustCompile(`hooks\.slack|/services/T|xox[abp]-|AKIA[0-9A-Z]{16}|-----BEGIN`)

func TestNoFileHoldsASecret(t *testing.T) {
	for _, get := range []func() (assembly, error){hubWay, membersWay, singleWay} {
		for name, text := range way(t, get).files {
			if found := secrets.FindString(text); found != "" {
				t.Errorf("%s holds %q", name, found)
			}
		}
	}
	for stack, tpl := range every(t) {
		if p, ok := tpl.Parameters[deployment.ExternalIDParameter]; ok {
			if p["NoEcho"] != true || p["Default"] != nil || p["MinLength"] != 16.0 || p["AllowedPattern"] == nil {
				t.Errorf("%s: the parameter of the external id is %v", stack, p)
			}
		}
		for id, r := range tpl.Resources {
			if r.Type == "AWS::SecretsManager::Secret" && (r.Properties["SecretString"] != nil || r.Properties["GenerateSecretString"] != nil) {
				t.Errorf("%s: %s is not empty", stack, id)
			}
		}
		for name, o := range tpl.Outputs {
			if strings.Contains(shown(o["Value"]), deployment.ExternalIDParameter) {
				t.Errorf("%s: the output %s shows the external id", stack, name)
			}
		}
	}
}

// The external id reaches functions and member roles by the parameter alone.
func TestTheExternalIdIsAParameterWhereverItIsUsed(t *testing.T) {
	const parameter = "${" + deployment.ExternalIDParameter + "}"
	for stack, tpl := range cores(t) {
		for _, function := range []string{deployment.GuardFunction, deployment.SweepFunction, deployment.CanaryFunction} {
			f := named(t, tpl, "AWS::Lambda::Function", "FunctionName", function)
			if got := shown(at(f.Properties, "Environment", "Variables", "ROLEWARDEN_EXTERNAL_ID")); got != parameter {
				t.Errorf("%s: %s is told another external id", stack, function)
			}
		}
	}
	tpl := cores(t)[deployment.SingleStack]
	for _, role := range []string{deployment.ReaderRole, deployment.RemediatorRole, deployment.CanaryWriterRole} {
		r := named(t, tpl, "AWS::IAM::Role", "RoleName", role)
		asked := false
		for _, s := range statements(t, r.Properties["AssumeRolePolicyDocument"]) {
			asked = asked || shown(at(s, "Condition", "StringEquals", "sts:ExternalId")) == parameter
		}
		if !asked {
			t.Errorf("%s does not ask for the external id", role)
		}
	}
}

func TestDocumentsFitIntoTheirQuotas(t *testing.T) {
	for stack, tpl := range every(t) {
		for id, r := range tpl.Resources {
			if r.Type != "AWS::IAM::Role" {
				continue
			}
			if n := size(r.Properties["AssumeRolePolicyDocument"]); n > grants.MaxTrust {
				t.Errorf("%s: the trust policy of %s has %d characters", stack, id, n)
			}
			inline := 0
			for where, document := range policies(stackTemplate{Resources: map[string]resource{id: r}}) {
				if !strings.Contains(where, "AssumeRolePolicyDocument") {
					inline += size(document)
				}
			}
			if inline > grants.MaxInline {
				t.Errorf("%s: the policies of %s have %d characters", stack, id, inline)
			}
		}
	}
}

// size counts at least as many characters as IAM does: an external id and an
// ARN take the place of a reference.
func size(document any) int {
	const longest = 120
	text := shown(document)
	return len(text) + longest*strings.Count(text, "Ref")
}

// Without an organization there is none to ask for.
func TestTheSingleAccountAsksForNoOrganization(t *testing.T) {
	a := way(t, singleWay)
	for name, text := range a.files {
		for _, key := range []string{"aws:PrincipalOrgID", "aws:ResourceOrgID", "organizations:", "AWS::Events::EventBus\""} {
			if strings.Contains(text, key) && strings.HasSuffix(name, ".template.json") {
				t.Errorf("%s speaks of %s", name, key)
			}
		}
	}
	for _, role := range []string{deployment.ReaderRole, deployment.RemediatorRole, deployment.CanaryWriterRole, deployment.CanaryTarget} {
		named(t, a.templates[deployment.SingleStack], "AWS::IAM::Role", "RoleName", role)
	}
}

// The ledger, and what it takes to read it, are there when the stack is gone.
func TestTheLedgerSurvivesItsStack(t *testing.T) {
	for stack, tpl := range cores(t) {
		table := named(t, tpl, "AWS::DynamoDB::Table", "TableName", deployment.Table)
		survivors := of(t, tpl, "AWS::KMS::Key")
		survivors["the table"] = table
		for id, r := range survivors {
			if !strings.HasPrefix(r.DeletionPolicy, "Retain") || r.UpdateReplacePolicy != "Retain" {
				t.Errorf("%s: %s goes with its stack", stack, id)
			}
		}
		if table.Properties["DeletionProtectionEnabled"] != true || table.Properties["BillingMode"] != "PAY_PER_REQUEST" {
			t.Errorf("%s: %v", stack, table.Properties)
		}
		if at(table.Properties, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") != true {
			t.Errorf("%s: the ledger cannot be put back", stack)
		}
		if at(table.Properties, "SSESpecification", "SSEType") != "KMS" || referred(at(table.Properties, "SSESpecification", "KMSMasterKeyId")) != "DataKey" {
			t.Errorf("%s: the ledger is not encrypted with the data key", stack)
		}
		if at(table.Properties, "TimeToLiveSpecification", "AttributeName") != "expires" || at(table.Properties, "TimeToLiveSpecification", "Enabled") != true {
			t.Errorf("%s: nothing of the ledger ever expires", stack)
		}
		if tpl.Resources["DataKey"].Properties["EnableKeyRotation"] != true {
			t.Errorf("%s: the data key is never rotated", stack)
		}
		seal := tpl.Resources["SealKey"].Properties
		if seal["KeySpec"] != "HMAC_256" || seal["KeyUsage"] != "GENERATE_VERIFY_MAC" {
			t.Errorf("%s: the seal key is %v", stack, seal)
		}
	}
}

// T13: alerts are encrypted; alarms get through when the key is disabled.
func TestAlertsAreEncryptedAndAlarmsNeedNoKeyAndBothRefuseWhatComesInTheClear(t *testing.T) {
	for stack, tpl := range cores(t) {
		for name, key := range map[string]any{deployment.AlertTopic: "DataKey", deployment.AlarmTopic: nil} {
			topic := named(t, tpl, "AWS::SNS::Topic", "TopicName", name)
			if got := topic.Properties["KmsMasterKeyId"]; key == nil && got != nil || key != nil && referred(got) != key {
				t.Errorf("%s: the key of %s is %v, want %v", stack, name, got, key)
			}
		}
		for id, r := range of(t, tpl, "AWS::SNS::TopicPolicy") {
			clear := true
			for _, s := range statements(t, r.Properties["PolicyDocument"]) {
				if s["Effect"] == "Deny" && shown(at(s, "Condition", "Bool", "aws:SecureTransport")) == "false" {
					clear = false
				}
				if s["Effect"] == "Allow" && at(s, "Principal", "Service") != nil && (at(s, "Condition", "StringEquals", "aws:SourceAccount") == nil || at(s, "Condition", "ArnLike", "aws:SourceArn") == nil) {
					t.Errorf("%s: %s lets in %v for anybody", stack, id, s["Principal"])
				}
			}
			if clear {
				t.Errorf("%s: %s takes what comes in the clear", stack, id)
			}
		}
	}
}
