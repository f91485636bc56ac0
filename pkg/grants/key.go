package grants

import "github.com/rolewarden/rolewarden/pkg/deployment"

// administer lets the hub's account look after a key: whom of it, its IAM
// policies say. Nothing of it reads or makes what the key protects, also not by
// way of a grant.
func (w World) administer() Statement {
	return Statement{
		Sid: "Administer", Effect: allow, Principal: w.root(w.Hub), Resource: []string{everything}, Action: []string{
			"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:DisableKeyRotation",
			"kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies",
			"kms:ListKeyRotations", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:RotateKeyOnDemand",
			"kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
		},
	}
}

// DataKeyPolicy is the policy of the key that encrypts what lies in the hub.
// Nobody uses it but through the services that keep something with it. The
// alarms' topic does without it, so that alarms outlive it (T13).
//
// EventBridge has no condition: AWS does not support aws:SourceAccount and
// aws:SourceArn in a key's policy for what EventBridge delivers to an encrypted
// topic (Amazon SNS Developer Guide, sns-key-management) and says nothing of
// queues, and where a condition fails the event is dropped. Which rules may
// send is for the queues' policies to say.
func DataKeyPolicy(w World) Document {
	crypt := []string{"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"}
	send := []string{"kms:Decrypt", "kms:GenerateDataKey"}
	key := []string{everything}
	return document(
		w.administer(),
		Statement{
			Sid: "ThroughServices", Effect: allow, Principal: w.root(w.Hub), Action: crypt, Resource: key,
			Condition: all(w.via("dynamodb", "lambda", "secretsmanager", "sns", "sqs")),
		},
		// DynamoDB and Lambda go on using the key by grants of their own.
		Statement{
			Sid: "GrantsOfServices", Effect: allow, Principal: w.root(w.Hub), Action: []string{"kms:CreateGrant"}, Resource: key,
			Condition: all(w.via("dynamodb", "lambda")),
		},
		Statement{Sid: "Rules", Effect: allow, Principal: service("events.amazonaws.com"), Action: send, Resource: key},
		Statement{
			Sid: "Topics", Effect: allow, Principal: service("sns.amazonaws.com"), Action: send, Resource: key,
			Condition: all(arn("aws:SourceArn", w.here("sns", deployment.AlertTopic))),
		},
		Statement{
			Sid: "Logs", Effect: allow, Principal: service(w.logs()), Action: crypt, Resource: key,
			Condition: all(arnLike("kms:EncryptionContext:aws:logs:arn", w.here("logs", "log-group:"+deployment.LogPrefix+"rolewarden-*"))),
		},
	)
}

// SealKeyPolicy is the policy of the key that baselines are sealed with. The
// sweep seals, the guard checks, and nobody else does either: administrators of
// the account look after the key and cannot use it, nor give its use away by a
// grant. Whoever can change this policy could; that call is in CloudTrail.
//
// The roles are a condition and no principals, which KMS would bind to their
// unique ids: a role made anew would be locked out (T73; AWS KMS Developer Guide,
// key-policy-overview).
func SealKeyPolicy(w World) Document {
	key, sweep := []string{everything}, w.roleARN(w.Hub, deployment.SweepRole)
	return document(
		w.administer(),
		Statement{
			Sid: "Seal", Effect: allow, Principal: w.root(w.Hub), Action: []string{"kms:GenerateMac"}, Resource: key,
			Condition: all(arn("aws:PrincipalArn", sweep), ofSeals()),
		},
		w.check(),
		Statement{
			Sid: "NobodyElseSeals", Effect: deny, Principal: everything, Action: []string{"kms:GenerateMac"}, Resource: key,
			Condition: all(when{"ArnNotEquals", "aws:PrincipalArn", []string{sweep}}),
		},
	)
}

// FormerSealKeyPolicy is the policy of a key that was replaced: what it sealed can
// still be checked, and nobody seals with it any more.
func FormerSealKeyPolicy(w World) Document {
	return document(w.administer(), w.check(), Statement{
		Sid: "NobodySeals", Effect: deny, Principal: everything, Action: []string{"kms:GenerateMac"}, Resource: []string{everything},
	})
}

// check lets the guard check seals. The sweep makes them and goes back to none.
func (w World) check() Statement {
	return Statement{
		Sid: "Check", Effect: allow, Principal: w.root(w.Hub), Action: []string{"kms:VerifyMac"}, Resource: []string{everything},
		Condition: all(arn("aws:PrincipalArn", w.roleARN(w.Hub, deployment.GuardRole)), ofSeals()),
	}
}

// ofSeals asks for the one algorithm that seals are made with (AWS KMS Developer
// Guide, conditions-kms: kms:MacAlgorithm).
func ofSeals() when { return equals("kms:MacAlgorithm", "HMAC_SHA_256") }
