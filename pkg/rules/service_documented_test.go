package rules

import (
	"strings"
	"testing"
)

// asWritten gives the first source ARN of a row for the own account, with and
// without a wildcard at its end.
func asWritten(row assumer) (arn string, plain bool) {
	first, _, _ := strings.Cut(strings.ReplaceAll(row.arn, ",", " "), " ")
	first = strings.NewReplacer("REGION", "eu-west-1", "ACCOUNT", "111122223333").Replace(first)
	return "arn:aws:" + first, !strings.Contains(first, "*")
}

// What a page of AWS shows as the guard of its service is one: each row of the
// table, guarded by each key alone and by both, as an ARN and as text.
func TestEveryServiceIsHeldAsItsPageWritesIt(t *testing.T) {
	for _, row := range assumers() {
		if row.sends <= sendsNone {
			continue
		}
		account := `"StringEquals":{"aws:SourceAccount":"111122223333"}`
		guards := []string{account}
		if row.arn != "" {
			arn, plain := asWritten(row)
			for _, operator := range []string{"ArnLike", "ArnEquals"} {
				guards = append(guards, `"`+operator+`":{"aws:SourceArn":"`+arn+`"}`, account+`,"`+operator+`":{"aws:SourceArn":"`+arn+`"}`)
			}
			guards = append(guards, account+`,"StringLike":{"aws:SourceArn":"`+arn+`"}`)
			if plain {
				guards = append(guards, `"StringEquals":{"aws:SourceAccount":"111122223333","aws:SourceArn":"`+arn+`"}`)
			}
		}
		for _, guard := range guards {
			_, r := judgeOne(t, bare, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"`+row.name+`.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{`+guard+`}}]}`)
			if said := lines(r, ""); strings.Contains(said, serviceConfusedDeputyID) {
				t.Errorf("%s, %s: %s", row.name, guard, said)
			}
		}
	}
}

// And so are the trust policies of AWS's pages that are written otherwise.
func TestDocumentedTrustPoliciesAreHeld(t *testing.T) {
	for page, statements := range map[string]string{
		"AWS Amplify User Guide, cross-service-confused-deputy-prevention": `{"Effect":"Allow","Principal":{"Service":["amplify.me-south-1.amazonaws.com","amplify.eu-south-1.amazonaws.com","amplifybackend.amazonaws.com","amplify.amazonaws.com"]},"Action":"sts:AssumeRole",
			"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:amplify:us-east-1:111122223333:apps/*"},"StringEquals":{"aws:SourceAccount":"111122223333"}}}`,
		"AWS Batch User Guide, cross-service-confused-deputy-prevention": `{"Effect":"Allow","Principal":{"Service":"batch.amazonaws.com"},"Action":"sts:AssumeRole",
			"Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike":{"aws:SourceArn":["arn:aws:batch:us-east-1:111122223333:compute-environment/a","arn:aws:batch:us-east-1:111122223333:job/*"]}}}`,
		"AWS CodeBuild User Guide, setting-up-service-role": `{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole",
			"Condition":{"StringEquals":{"aws:SourceAccount":["111122223333"]}}}`,
		"AWS CodeDeploy User Guide, getting-started-create-service-role": `{"Effect":"Allow","Principal":{"Service":"codedeploy.amazonaws.com"},"Action":"sts:AssumeRole",
			"Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike":{"aws:SourceArn":"arn:aws:cloudformation:us-east-1:111122223333:stack/web/*"}}}`,
		"AWS CloudFormation User Guide, registry-public": `{"Effect":"Allow","Principal":{"Service":["resources.cloudformation.amazonaws.com","hooks.cloudformation.amazonaws.com"]},"Action":"sts:AssumeRole",
			"Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike":{"aws:SourceArn":"arn:aws:cloudformation:us-west-2:111122223333:type/hook/Acme-Check-Hook"}}}`,
		"AWS Config Developer Guide, iamrole-permissions": `{"Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"}}}`,
		"Amazon SageMaker Unified Studio Administrator Guide, AmazonSageMakerDomainExecution": `{"Effect":"Allow","Principal":{"Service":"datazone.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetContext"],
			"Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},"ForAllValues:StringLike":{"aws:TagKeys":"datazone*"}}}`,
		"Amazon Rekognition Developer Guide, cross-service-confused-deputy-prevention": `{"Effect":"Allow","Principal":{"Service":"rekognition.amazonaws.com","AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole",
			"Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},"StringLike":{"aws:SourceArn":"arn:aws:rekognition:eu-west-1:111122223333:streamprocessor/*"}}}`,
		"IAM Roles Anywhere User Guide, trust-model": `{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"],
			"Condition":{"StringEquals":{"sts:SourceIdentity":["CN=alice"]},"ArnEquals":{"aws:SourceArn":["arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/a"]}}},
			{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:TagSession"],"Condition":{"StringEquals":{"aws:PrincipalTag/x509Issuer/CN":"Bob"}}}`,
		"AWS Transfer Family User Guide, confused-deputy":                               `{"Effect":"Allow","Principal":{"Service":"transfer.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:transfer:eu-west-1:111122223333:user/s-1/bob"}}}`,
		"Amazon Redshift Management Guide, authorizing-redshift-service-database-users": `{"Effect":"Allow","Principal":{"Service":"redshift.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":["arn:aws:redshift:us-west-2:111122223333:dbuser:my-cluster/alice"]}}}`,
		"AWS Resilience Hub User Guide, next-gen-resilience-testing-iam-single-account": `{"Effect":"Allow","Principal":{"Service":"fis.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike":{"aws:SourceArn":"arn:aws:fis:*:111122223333:experiment/*"}}}`,
		"Amazon Textract Developer Guide, cross-service-confused-deputy-prevention": `{"Effect":"Allow","Principal":{"Service":"textract.amazonaws.com"},"Action":"sts:AssumeRole",
			"Condition":{"ArnLike":{"aws:SourceArn":["arn:aws:textract:*:111122223333:*","arn:aws:textract:*:222222222222:*"]},"StringEquals":{"aws:SourceAccount":["111122223333","222222222222"]}}}`,
	} {
		const rules = bare + "organization:\n  id: o-exampleorgid\n  accounts:\n    - {id: \"111122223333\", name: prod, unit: x}\n    - {id: \"222222222222\", name: people, unit: x}\n"
		if _, r := judgeOne(t, rules, `{"Version":"2012-10-17","Statement":[`+statements+`]}`); strings.Contains(lines(r, ""), serviceConfusedDeputyID) {
			t.Errorf("%s: %s", page, lines(r, ""))
		}
	}
}
