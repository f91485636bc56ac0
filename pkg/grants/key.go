package grants

import "github.com/rolewarden/rolewarden/pkg/deployment"

// administer lists what it takes to look after a key. None of it reads or
// makes what the key protects.
func administer() []string {
	return []string{
		"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:CreateGrant", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
		"kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
		"kms:ListGrants", "kms:ListKeyPolicies", "kms:ListKeyRotations", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:RevokeGrant",
		"kms:RotateKeyOnDemand", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
	}
}

// DataKeyPolicy is the policy of the key that encrypts what lies in the hub.
func DataKeyPolicy(w World) Document {
	use := []string{"kms:Decrypt", "kms:GenerateDataKey"}
	return document(
		Statement{Sid: "Administer", Effect: allow, Principal: w.root(w.Hub), Action: administer(), Resource: []string{everything}},
		// Whom of the account is for its IAM policies to say.
		Statement{
			Sid: "ThroughServices", Effect: allow, Principal: w.root(w.Hub), Resource: []string{everything},
			Action:    []string{"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"},
			Condition: all(equals("kms:ViaService", w.via("dynamodb"), w.via("secretsmanager"), w.via("sns"), w.via("sqs"))),
		},
		Statement{
			Sid: "Rules", Effect: allow, Principal: service("events.amazonaws.com"), Action: use, Resource: []string{everything},
			Condition: all(equals("aws:SourceAccount", w.Hub)),
		},
		Statement{
			Sid: "Topics", Effect: allow, Principal: service("sns.amazonaws.com"), Action: use, Resource: []string{everything},
			Condition: all(equals("aws:SourceAccount", w.Hub)),
		},
		Statement{
			Sid: "Alarms", Effect: allow, Principal: service("cloudwatch.amazonaws.com"), Action: use, Resource: []string{everything},
			Condition: all(equals("aws:SourceAccount", w.Hub)),
		},
		Statement{
			Sid: "Logs", Effect: allow, Principal: service("logs." + w.Region + "." + w.dns()), Resource: []string{everything},
			Action:    []string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"},
			Condition: all(arnLike("kms:EncryptionContext:aws:logs:arn", w.here("logs", "log-group:"+deployment.LogPrefix+"rolewarden-*"))),
		},
	)
}

// SealKeyPolicy is the policy of the key that seals baselines. No function may
// use it: none of them does.
func SealKeyPolicy(w World) Document {
	return document(Statement{Sid: "Administer", Effect: allow, Principal: w.root(w.Hub), Action: administer(), Resource: []string{everything}})
}
