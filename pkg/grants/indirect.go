package grants

import (
	"slices"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
)

// Reason is a permission of a function's role that no call of its code is
// named like, and why it is needed all the same.
type Reason struct {
	// Sid is the statement that grants it.
	Sid string
	// Action is the permission.
	Action string
	// Functions need it.
	Functions []string
	// Why says who makes the call, Page where AWS says so.
	Why, Page string
}

// Indirect lists what AWS itself does with a function's role.
func Indirect() []Reason {
	every := []string{actions.Guard, actions.Notify, actions.Sweep, actions.Canary}
	queued := []string{actions.Guard, actions.Notify, actions.Sweep}
	publishing := []string{actions.Guard, actions.Sweep, actions.Canary}
	const (
		poller = "Lambda's poller reads the queue with the function's role"
		pollAt = "AWS Lambda Developer Guide, services-sqs-configure"
		log    = "Lambda writes the function's output with its role"
		logAt  = "AWS Lambda Developer Guide, lambda-intro-execution-role"
		sqsAt  = "Amazon SQS Developer Guide, sqs-key-management"
		snsAt  = "Amazon SNS Developer Guide, sns-key-management"
		ddbAt  = "Amazon DynamoDB Developer Guide, encryption.usagenotes"
		smAt   = "AWS Secrets Manager User Guide, security-encryption"
		envAt  = "AWS Lambda Developer Guide, configuration-envvars-encryption"
	)
	return []Reason{
		{"Poll", "sqs:ReceiveMessage", queued, poller, pollAt},
		{"Poll", "sqs:DeleteMessage", queued, poller, pollAt},
		{"Poll", "sqs:GetQueueAttributes", queued, poller, pollAt},
		{"Log", "logs:CreateLogStream", every, log, logAt},
		{"Log", "logs:PutLogEvents", every, log, logAt},
		{"KeyOfQueues", "kms:Decrypt", queued, "SQS decrypts messages for whom it gives them to, and checks a new data key", sqsAt},
		{"KeyOfQueues", "kms:GenerateDataKey", []string{actions.Guard, actions.Sweep}, "SQS encrypts what the function sends", sqsAt},
		{"KeyOfTopic", "kms:Decrypt", publishing, "SNS checks the data key that it encrypts with", snsAt},
		{"KeyOfTopic", "kms:GenerateDataKey", publishing, "SNS encrypts what the function publishes", snsAt},
		{"KeyOfLedger", "kms:Decrypt", publishing, "DynamoDB opens the table's key for the caller", ddbAt},
		{"KeyOfSettings", "kms:Decrypt", every, "Lambda decrypts the function's environment; its own grant is bound to the role's unique id and ends when the role is made anew", envAt},
		{"KeyOfWebhook", "kms:Decrypt", []string{actions.Notify}, "Secrets Manager decrypts the secret for the caller", smAt},
	}
}

// indirect renders the list for one function.
func indirect(w World, function string, r Resources) []Statement {
	key := func(service string) Statement {
		return Statement{Resource: given(r.DataKey), Condition: all(w.via(service))}
	}
	where := map[string]Statement{
		"Poll":          {Resource: r.Consumes},
		"Log":           {Resource: given(r.LogGroup)},
		"KeyOfQueues":   key("sqs"),
		"KeyOfTopic":    key("sns"),
		"KeyOfLedger":   key("dynamodb"),
		"KeyOfSettings": key("lambda"),
		"KeyOfWebhook":  key("secretsmanager"),
	}
	var out []Statement
	for _, reason := range Indirect() {
		if !slices.Contains(reason.Functions, function) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Sid == reason.Sid {
			out[n-1].Action = append(out[n-1].Action, reason.Action)
			continue
		}
		s := where[reason.Sid]
		s.Sid, s.Effect, s.Action = reason.Sid, allow, []string{reason.Action}
		if len(s.Resource) > 0 {
			out = append(out, s)
		}
	}
	return out
}
