package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// T39: every spelling of a principal that AWS documents, and near misses,
// which must not be taken for one.
func TestT39PrincipalSpellings(t *testing.T) {
	for _, want := range []policy.Principal{
		{Type: "AWS", Value: "*", Kind: policy.Anyone},
		{Type: "AWS", Value: "111122223333", Kind: policy.Account, Account: "111122223333"},
		{Type: "AWS", Value: "arn:aws-us-gov:iam::111122223333:root", Kind: policy.Account, Partition: "aws-us-gov", Account: "111122223333"},
		{Type: "AWS", Value: "arn:aws:iam::111122223333:user/alice", Kind: policy.User, Partition: "aws", Account: "111122223333", Path: "/", Name: "alice"},
		{Type: "AWS", Value: "arn:aws:iam::111122223333:user/a/b/alice", Kind: policy.User, Partition: "aws", Account: "111122223333", Path: "/a/b/", Name: "alice"},
		{Type: "AWS", Value: "arn:aws-cn:iam::111122223333:role/app", Kind: policy.Role, Partition: "aws-cn", Account: "111122223333", Path: "/", Name: "app"},
		{Type: "AWS", Value: "arn:aws:sts::111122223333:assumed-role/app/s@x", Kind: policy.RoleSession, Partition: "aws", Account: "111122223333", Name: "app", Session: "s@x"},
		{Type: "AWS", Value: "arn:aws:sts::111122223333:federated-user/bob", Kind: policy.FederatedUser, Partition: "aws", Account: "111122223333", Name: "bob"},
		{Type: "AWS", Value: "AIDACKCEVSQ6C2EXAMPLE", Kind: policy.UniqueID},
		{Type: "AWS", Value: "AROACKCEVSQ6C2EXAMPLE", Kind: policy.UniqueID},
		{Type: "Service", Value: "ec2.amazonaws.com", Kind: policy.Service, Name: "ec2.amazonaws.com"},
		{Type: "Service", Value: "*", Kind: policy.AnyService},
		{Type: "Federated", Value: "*", Kind: policy.AnyFederated},
		{Type: "Federated", Value: "accounts.google.com", Kind: policy.OIDCProvider, Name: "accounts.google.com"},
		{Type: "Federated", Value: "arn:aws:iam::111122223333:saml-provider/Okta", Kind: policy.SAMLProvider, Partition: "aws", Account: "111122223333", Name: "Okta"},
		{Type: "Federated", Value: "arn:aws:iam::111122223333:oidc-provider/gitlab.example.com/x", Kind: policy.OIDCProvider, Partition: "aws", Account: "111122223333", Name: "gitlab.example.com/x"},
		{Type: "CanonicalUser", Value: "79a59d", Kind: policy.CanonicalUser},

		{Type: "AWS", Value: "**"},
		{Type: "AWS", Value: "11112222333"},
		{Type: "AWS", Value: "1111222233333"},
		{Type: "AWS", Value: "arn:aws:iam::*:root"},
		{Type: "AWS", Value: "arn:aws:iam::111122223333:role/*"},
		{Type: "AWS", Value: "arn:aws:iam::111122223333:user/"},
		{Type: "AWS", Value: "arn:aws:iam::111122223333:role"},
		{Type: "AWS", Value: "arn:aws:iam::111122223333:group/admins"},
		{Type: "AWS", Value: "arn:aws:iam:us-east-1:111122223333:root"},
		{Type: "AWS", Value: "arn:aws:iam::111122223333"},
		{Type: "AWS", Value: "ARN:aws:iam::111122223333:root"},
		{Type: "AWS", Value: "arn:evil:iam::111122223333:root"},
		{Type: "AWS", Value: "arn:aws:iam::cloudfront:user/x"},
		{Type: "AWS", Value: "arn:aws:sts::111122223333:assumed-role/app"},
		{Type: "AWS", Value: "arn:aws:sts::111122223333:assumed-role/app/s/t"},
		{Type: "AWS", Value: "arn:aws:sts::111122223333:assumed-role//s"},
		{Type: "AWS", Value: "arn:aws:iam::111122223333:saml-provider/Okta"},
		{Type: "AWS", Value: "AIDA"},
		{Type: "AWS", Value: "aidackcevsq6c2example"},
		{Type: "AWS", Value: "XIDACKCEVSQ6C2EXAMPLE"},
		{Type: "Service", Value: "ec2"},
		{Type: "Service", Value: "*.amazonaws.com"},
		{Type: "Federated", Value: "arn:aws:iam::111122223333:saml-provider/"},
		{Type: "Federated", Value: "arn:aws:iam::111122223333:user/alice"},
		{Type: "Federated", Value: "example.com"},
	} {
		got, err := policy.ParsePrincipal(want.Type, want.Value)
		if err != nil {
			t.Errorf("%s: %v", want.Value, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %s:\n%s", want.Type, want.Value, diff)
		}
	}
}

// T51: whatever is no ARN, no account id and no "*" is never a live principal.
func TestT51AnythingElseIsOrphanLike(t *testing.T) {
	for _, value := range []string{"AIDACKCEVSQ6C2EXAMPLE", "ANPACKCEVSQ6C2EXAMPLE", "AZZACKCEVSQ6C2EXAMPLE", "mallory", "lambda.amazonaws.com"} {
		p, err := policy.ParsePrincipal("AWS", value)
		if err != nil || p.Kind != policy.UniqueID && p.Kind != policy.UnknownPrincipal {
			t.Errorf("%s: kind %d, error %v", value, p.Kind, err)
		}
	}
}
