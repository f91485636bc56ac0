package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// newDataKey adds the key that encrypts what lies in the hub, and gives its
// ARN, which is a token. The key outlives its stack, since the ledger does and
// cannot be read without it.
func newDataKey(scope constructs.Construct, w grants.World) string {
	key := awskms.NewCfnKey(scope, str("DataKey"), &awskms.CfnKeyProps{
		Description:         str("rolewarden: encrypts the ledger, the queues, the topics, the logs and the settings of the functions."),
		KeyPolicy:           grants.DataKeyPolicy(w).Value(),
		EnableKeyRotation:   yes(),
		PendingWindowInDays: num(30),
	})
	keep(key)
	newAlias(scope, "DataKeyAlias", deployment.DataKey, key)
	return *key.AttrArn()
}

// newSealKey adds the key that baselines are sealed with, and gives its ARN, which
// is a token. The sweep alone may seal, and the guard, which reverts, can only
// verify. HMAC keys cannot be rotated (AWS KMS Developer Guide, rotate-keys): the
// operator's page says what to do instead. It outlives its stack, since what it
// sealed could not be checked without it.
func newSealKey(scope constructs.Construct, w grants.World) string {
	key := awskms.NewCfnKey(scope, str("SealKey"), &awskms.CfnKeyProps{
		Description:         str("rolewarden: seals baselines, so that whoever can write the ledger cannot choose what a revert restores."),
		KeyPolicy:           grants.SealKeyPolicy(w).Value(),
		KeySpec:             str("HMAC_256"),
		KeyUsage:            str("GENERATE_VERIFY_MAC"),
		PendingWindowInDays: num(30),
	})
	keep(key)
	newAlias(scope, "SealKeyAlias", deployment.SealKey, key)
	return *key.AttrArn()
}

func newAlias(scope constructs.Construct, id, name string, key awskms.CfnKey) {
	awskms.NewCfnAlias(scope, str(id), &awskms.CfnAliasProps{AliasName: str(name), TargetKeyId: key.AttrArn()})
}

// keep lets a key outlive its stack, and its own replacement; not a first
// deployment that failed, after which there is nothing to read with it (AWS
// CloudFormation Template Reference, DeletionPolicy: RetainExceptOnCreate).
func keep(r awscdk.CfnResource) {
	r.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE, &awscdk.RemovalPolicyOptions{ApplyToUpdateReplacePolicy: yes()})
}
