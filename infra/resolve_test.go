package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// sampleExternalID stands for the external id that whoever deploys makes up.
const sampleExternalID = "rolewarden-5f3c9a2e7b1d4f60"

// placed is a template in the account and Region that it is deployed to.
type placed struct {
	stackTemplate
	stack, account, region string
	// text is the template as CloudFormation gets it.
	text string
}

// everywhere gives all templates of all ways, those of the StackSets included,
// each where it is deployed to.
func everywhere(t *testing.T) []placed {
	t.Helper()
	const home, abroad, member = "us-east-1", "eu-west-1", "444455556666"
	hub, single := load1(t, "organization.yaml", "hub"), load1(t, "single.yaml", "")
	accounts := map[string]string{deployment.ManagementStack: hub.Rules.Organization.Management, deployment.MembersStack: hub.Account, deployment.HubStack: hub.Account}
	sets := of(t, way(t, membersWay).templates[deployment.MembersStack], "AWS::CloudFormation::StackSet")
	copies := map[string]bool{}
	for _, set := range sets {
		copies[set.Properties["StackSetName"].(string)] = true
	}
	var out []placed
	for _, get := range []func() (assembly, error){hubWay, membersWay, singleWay} {
		a := way(t, get)
		for _, stack := range sortedKeys(a.templates) {
			p := placed{a.templates[stack], stack, accounts[stack], home, a.files[stack+".template.json"]}
			switch {
			case copies[stack]:
				continue // for people; what is deployed lies in the StackSet
			case strings.HasSuffix(stack, abroad):
				p.account, p.region = single.Account, abroad
			case p.account == "":
				p.account = single.Account
			}
			out = append(out, p)
		}
	}
	for _, id := range sortedKeys(sets) {
		set := sets[id]
		p := placed{stack: set.Properties["StackSetName"].(string), account: member, region: home, text: set.Properties["TemplateBody"].(string)}
		if p.stack == deployment.RegionalStackSet {
			p.region = abroad
		}
		if err := json.Unmarshal([]byte(p.text), &p.stackTemplate); err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	if len(out) < 8 {
		t.Fatalf("only %d templates", len(out))
	}
	return out
}

func load1(t *testing.T, file, way string) *deployment.Deployment {
	t.Helper()
	d, err := load(file, way)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// resolve puts values in place of references, as CloudFormation does.
func (p placed) resolve(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			r, err := p.resolve(one)
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	case map[string]any:
		if len(v) == 1 {
			for name, arg := range v {
				if name == "Ref" || strings.HasPrefix(name, "Fn::") {
					return p.function(name, arg)
				}
			}
		}
		out := map[string]any{}
		for k, one := range v {
			r, err := p.resolve(one)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			out[k] = r
		}
		return out, nil
	default:
		return v, nil
	}
}

// function computes the intrinsic functions that the templates use.
func (p placed) function(name string, arg any) (any, error) {
	switch name {
	case "Ref":
		return p.ref(fmt.Sprint(arg))
	case "Fn::GetAtt":
		if parts := listOf(arg); len(parts) == 2 {
			return p.attribute(parts[0], parts[1])
		}
	case "Fn::Sub":
		if text, ok := arg.(string); ok {
			return p.substitute(text)
		}
	case "Fn::Join":
		parts, _ := arg.([]any)
		if len(parts) != 2 {
			break
		}
		list, err := p.resolve(parts[1])
		if err != nil {
			return nil, err
		}
		return strings.Join(listOf(list), fmt.Sprint(parts[0])), nil
	}
	return nil, fmt.Errorf("%s %v is not known here", name, arg)
}

// substitute fills in ${Name} and ${Name.Attribute}.
func (p placed) substitute(text string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			out.WriteString("${" + literal + "}")
			text = after
			continue
		}
		id, attribute, dotted := strings.Cut(name, ".")
		value, err := p.ref(id)
		if dotted {
			value, err = p.attribute(id, attribute)
		}
		if err != nil || !closed {
			return "", fmt.Errorf("Fn::Sub %s: %w", name, err)
		}
		out.WriteString(value)
		text = after
	}
}

// ref gives what {"Ref": id} is.
func (p placed) ref(id string) (string, error) {
	pseudo := map[string]string{
		"AWS::AccountId": p.account, "AWS::Region": p.region, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
		"AWS::StackName": p.stack, deployment.ExternalIDParameter: sampleExternalID,
	}
	if v, ok := pseudo[id]; ok {
		return v, nil
	}
	r, ok := p.Resources[id]
	if !ok {
		return "", fmt.Errorf("nothing is called %s", id)
	}
	switch r.Type {
	case "AWS::SNS::Topic":
		return p.attribute(id, "TopicArn")
	case "AWS::SecretsManager::Secret":
		return p.attribute(id, "Id")
	case "AWS::SQS::Queue":
		return fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%v", p.region, p.account, r.Properties["QueueName"]), nil
	}
	_, name, err := p.naming(id, r)
	return name, err
}

// naming gives the ARN of a resource without the account's part, and its name.
func (p placed) naming(id string, r resource) (resourcePart, name string, err error) {
	property := map[string]string{
		"AWS::IAM::Role": "RoleName", "AWS::SQS::Queue": "QueueName", "AWS::SNS::Topic": "TopicName", "AWS::DynamoDB::Table": "TableName",
		"AWS::Events::EventBus": "Name", "AWS::Events::Rule": "Name", "AWS::Lambda::Function": "FunctionName", "AWS::Logs::LogGroup": "LogGroupName",
		"AWS::SecretsManager::Secret": "Name",
	}[r.Type]
	name, _ = r.Properties[property].(string)
	if r.Type == "AWS::KMS::Key" {
		name = strings.ToLower(id)
	}
	prefix := map[string]string{
		"AWS::IAM::Role": "role" + fmt.Sprint(r.Properties["Path"]), "AWS::DynamoDB::Table": "table/", "AWS::Events::EventBus": "event-bus/",
		"AWS::Events::Rule": "rule/", "AWS::Lambda::Function": "function:", "AWS::Logs::LogGroup": "log-group:", "AWS::KMS::Key": "key/",
		"AWS::SecretsManager::Secret": "secret:", "AWS::SQS::Queue": "", "AWS::SNS::Topic": "",
	}
	part, known := prefix[r.Type]
	if name == "" || !known {
		return "", "", fmt.Errorf("what %s of the type %s is called is not known here", id, r.Type)
	}
	return part + name, name, nil
}

// attribute gives what {"Fn::GetAtt": [id, name]} is: an ARN, always.
func (p placed) attribute(id, name string) (string, error) {
	r, ok := p.Resources[id]
	if !ok {
		return "", fmt.Errorf("nothing is called %s", id)
	}
	part, _, err := p.naming(id, r)
	if err != nil {
		return "", err
	}
	service := map[string]string{
		"AWS::IAM::Role": "iam", "AWS::SQS::Queue": "sqs", "AWS::SNS::Topic": "sns", "AWS::DynamoDB::Table": "dynamodb", "AWS::Events::EventBus": "events",
		"AWS::Events::Rule": "events", "AWS::Lambda::Function": "lambda", "AWS::Logs::LogGroup": "logs", "AWS::KMS::Key": "kms", "AWS::SecretsManager::Secret": "secretsmanager",
	}[r.Type]
	region := p.region
	if service == "iam" {
		region = ""
	}
	arn := "arn:aws:" + service + ":" + region + ":" + p.account + ":" + part
	switch {
	case r.Type == "AWS::Logs::LogGroup" && name == "Arn":
		return arn + ":*", nil
	case r.Type == "AWS::SecretsManager::Secret" && name == "Id":
		return arn + "-AbCdEf", nil
	case name == "Arn" || r.Type == "AWS::SNS::Topic" && name == "TopicArn":
		return arn, nil
	}
	return "", fmt.Errorf("the attribute %s of %s is not known here", name, id)
}

// documentKind says what a policy document is for.
type documentKind uint8

const (
	unknownDocument documentKind = iota
	// trustDocument says who may assume a role.
	trustDocument
	// permissionDocument says what a role may do.
	permissionDocument
	// resourceDocument says who may use a queue, a topic, a key, a bus.
	resourceDocument
	// organizationDocument bounds what accounts may do.
	organizationDocument
)

// document is a policy document with its references filled in.
type document struct {
	kind  documentKind
	where string
	// of is the resource that it belongs to.
	of    resource
	place placed
	value map[string]any
}

func (d document) text(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(d.value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// documents gives every policy document of every template, resolved.
func documents(t *testing.T) []document {
	t.Helper()
	var out []document
	for _, p := range everywhere(t) {
		for _, id := range sortedKeys(p.Resources) {
			r := p.Resources[id]
			found := policies(stackTemplate{Resources: map[string]resource{id: r}})
			if r.Type == "AWS::Events::EventBusPolicy" {
				found[id+".Statement"] = map[string]any{"Version": "2012-10-17", "Statement": []any{r.Properties["Statement"]}}
				delete(found, id)
			}
			for _, where := range sortedKeys(found) {
				value, err := p.resolve(found[where])
				if err != nil {
					t.Fatalf("%s %s: %v", p.stack, where, err)
				}
				out = append(out, document{kindOf(r.Type, where), p.stack + " " + where, r, p, value.(map[string]any)})
			}
		}
	}
	return out
}

// kindOf tells by the type of the resource and the property.
func kindOf(kind, where string) documentKind {
	switch kind {
	case "AWS::IAM::Role":
		if strings.HasSuffix(where, ".AssumeRolePolicyDocument") {
			return trustDocument
		}
		return permissionDocument
	case "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::KMS::Key", "AWS::Events::EventBusPolicy":
		return resourceDocument
	case "AWS::Organizations::Policy":
		return organizationDocument
	}
	return unknownDocument
}
