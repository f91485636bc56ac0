package main

import (
	"strconv"
	"strings"

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

// sealKeys are the ARNs of the keys that baselines are sealed with, which are
// tokens: the one that seals, and those that did before it, the newest first.
type sealKeys struct {
	current string
	former  []string
}

// setting is how the functions are told: the one that seals stands first.
func (s sealKeys) setting() string {
	return strings.Join(append([]string{s.current}, s.former...), ",")
}

// newSealKeys adds the keys that baselines are sealed with. The sweep alone may
// seal, with the newest, and the guard, which reverts, can only check. HMAC keys
// cannot be rotated (AWS KMS Developer Guide, rotate-keys-manually), so one that is
// replaced stays, and goes on to check. All outlive their stack, since what they
// sealed could not be checked without them.
func newSealKeys(scope constructs.Construct, w grants.World, n int) sealKeys {
	var out sealKeys
	for i := 1; i <= n; i++ {
		id, policy := "SealKey", grants.FormerSealKeyPolicy(w)
		description := "rolewarden: sealed baselines until another key took its place, and checks what it sealed."
		if i > 1 {
			id += strconv.Itoa(i)
		}
		if i == n {
			policy = grants.SealKeyPolicy(w)
			description = "rolewarden: seals baselines, so that whoever can write the ledger cannot choose what a revert restores."
		}
		key := awskms.NewCfnKey(scope, str(id), &awskms.CfnKeyProps{
			Description: str(description), KeyPolicy: policy.Value(),
			KeySpec: str("HMAC_256"), KeyUsage: str("GENERATE_VERIFY_MAC"), PendingWindowInDays: num(30),
		})
		keep(key)
		if i < n {
			out.former = append([]string{*key.AttrArn()}, out.former...)
			continue
		}
		newAlias(scope, "SealKeyAlias", deployment.SealKey, key)
		out.current = *key.AttrArn()
	}
	return out
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
