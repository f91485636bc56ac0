package lab_test

import (
	"bytes"
	"crypto/hmac"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

const keyID = "1234abcd-12ab-34cd-56ef-1234567890ab"

func generate(c *kms.Client, key string, message []byte, algorithm types.MacAlgorithmSpec) ([]byte, error) {
	out, err := c.GenerateMac(ctx, &kms.GenerateMacInput{KeyId: &key, Message: message, MacAlgorithm: algorithm})
	if err != nil {
		return nil, err
	}
	return out.Mac, nil
}

func verify(c *kms.Client, key string, message, mac []byte) error {
	out, err := c.VerifyMac(ctx, &kms.VerifyMacInput{KeyId: &key, Message: message, Mac: mac, MacAlgorithm: types.MacAlgorithmSpecHmacSha256})
	if err == nil && !out.MacValid {
		return errors.New("not valid, and no error")
	}
	return err
}

// A MAC is of one key, one message and one algorithm; each way to name the key
// is the same key.
func TestMACs(t *testing.T) {
	w := newWorld(t)
	key, err := w.SeedKey(prod, lab.SeedKey{ID: keyID, Alias: "alias/seal"})
	w.must(err)
	other, err := w.SeedKey(prod, lab.SeedKey{})
	w.must(err)
	client := kms.NewFromConfig(w.adminConfig(prod))
	message := []byte("a baseline")
	mac, err := generate(client, key, message, types.MacAlgorithmSpecHmacSha256)
	w.must(err)
	if len(mac) != 32 {
		t.Errorf("%d bytes", len(mac))
	}
	for _, name := range []string{key, keyID, "alias/seal", "arn:aws:kms:us-east-1:" + prod + ":alias/seal"} {
		again, err := generate(client, name, message, types.MacAlgorithmSpecHmacSha256)
		if err != nil || !hmac.Equal(again, mac) {
			t.Errorf("%s: %v", name, err)
		}
		w.must(verify(client, name, message, mac))
	}
	w.refused(verify(client, other, message, mac), "KMSInvalidMacException")
	w.refused(verify(client, key, []byte("another"), mac), "KMSInvalidMacException")
	w.refused(verify(client, key, message, mac[:31]), "KMSInvalidMacException")
	about, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/seal")})
	w.must(err)
	if m := about.KeyMetadata; *m.Arn != key || m.KeySpec != types.KeySpecHmac256 || m.KeyState != types.KeyStateEnabled || m.MacAlgorithms[0] != types.MacAlgorithmSpecHmacSha256 {
		t.Errorf("%+v", m)
	}
}

// What KMS refuses, with its words for it.
func TestMACsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	client := kms.NewFromConfig(w.adminConfig(prod))
	key, err := w.SeedKey(prod, lab.SeedKey{ID: keyID})
	w.must(err)
	encrypting, err := w.SeedKey(prod, lab.SeedKey{Spec: "SYMMETRIC_DEFAULT"})
	w.must(err)
	gone, err := w.SeedKey(prod, lab.SeedKey{State: lab.KeyPendingDeletion})
	w.must(err)
	for _, c := range []struct {
		key       string
		size      int
		algorithm types.MacAlgorithmSpec
		code      string
	}{
		{key, 4096, types.MacAlgorithmSpecHmacSha256, ""},
		{key, 4097, types.MacAlgorithmSpecHmacSha256, "ValidationException"},
		{key, 0, types.MacAlgorithmSpecHmacSha256, "ValidationException"},
		{key, 1, "HMAC_MD5", "ValidationException"},
		{key, 1, types.MacAlgorithmSpecHmacSha512, "InvalidKeyUsageException"},
		{encrypting, 1, types.MacAlgorithmSpecHmacSha256, "InvalidKeyUsageException"},
		{gone, 1, types.MacAlgorithmSpecHmacSha256, "KMSInvalidStateException"},
		{"alias/none", 1, types.MacAlgorithmSpecHmacSha256, "NotFoundException"},
		{"none", 1, types.MacAlgorithmSpecHmacSha256, "NotFoundException"},
		{"arn:aws:kms:eu-west-1:" + prod + ":key/" + keyID, 1, types.MacAlgorithmSpecHmacSha256, "NotFoundException"},
		{"arn:aws:kms:us-east-1:999999999999:key/" + keyID, 1, types.MacAlgorithmSpecHmacSha256, "NotFoundException"},
	} {
		if _, err := generate(client, c.key, bytes.Repeat([]byte{1}, c.size), c.algorithm); w.code(err) != c.code {
			t.Errorf("%s, %d bytes, %s: %v", c.key, c.size, c.algorithm, err)
		}
	}
	_, err = client.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &key})
	w.must(err)
	_, err = generate(client, key, []byte{1}, types.MacAlgorithmSpecHmacSha256)
	w.refused(err, "DisabledException")
	w.refused(verify(client, key, []byte{1}, make([]byte, 32)), "DisabledException")
	_, err = client.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &key})
	w.must(err)
	_, err = generate(client, key, []byte{1}, types.MacAlgorithmSpecHmacSha256)
	w.must(err)
	_, err = client.GenerateMac(ctx, &kms.GenerateMacInput{KeyId: &key, Message: []byte{1}, MacAlgorithm: types.MacAlgorithmSpecHmacSha256, DryRun: aws.Bool(true)})
	w.refused(err, "DryRunOperationException")
}

// Under a key's own default the account's identity policies decide who does
// what; under another policy that policy does; and a Deny in either is a Deny.
func TestWhoMayUseAKey(t *testing.T) {
	w := newWorld(t)
	key, err := w.SeedKey(prod, lab.SeedKey{ID: keyID})
	w.must(err)
	may := func(account, name, statement string) *kms.Client {
		if statement != "" {
			statement = `{"Version":"2012-10-17","Statement":[` + statement + `]}`
		}
		return kms.NewFromConfig(w.config(w.user(account, name, statement)))
	}
	sealed := func(c *kms.Client) string {
		_, err := generate(c, key, []byte{1}, types.MacAlgorithmSpecHmacSha256)
		return w.code(err)
	}
	const denied = "AccessDeniedException"
	nobody, sealer := may(prod, "nobody", ""), may(prod, "sealer", `{"Effect":"Allow","Action":"kms:GenerateMac","Resource":"`+key+`"}`)
	narrow := may(prod, "narrow", `{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:MacAlgorithm":"HMAC_SHA_512"}}}`)
	fitting := may(prod, "fitting", `{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:MacAlgorithm":"HMAC_SHA_256","kms:KeySpec":"HMAC_256"}}}`)
	foreign := may(dev, "foreign", `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`)
	for name, c := range map[string]struct {
		client *kms.Client
		want   string
	}{"nobody": {nobody, denied}, "the sealer": {sealer, ""}, "its algorithm's": {fitting, ""}, "another algorithm's": {narrow, denied}, "another account's": {foreign, denied}} {
		if got := sealed(c.client); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	w.refused(verify(sealer, key, []byte{1}, make([]byte, 32)), denied)

	_, err = w.SeedKey(prod, lab.SeedKey{ID: keyID, Policy: `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":["` + arn(prod, "user/nobody") + `","` + arn(dev, "root") + `"]},"Action":"kms:GenerateMac","Resource":"*"},
		{"Effect":"Deny","Principal":"*","Action":"kms:GenerateMac","Resource":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"` + arn(prod, "user/narrow") + `"}}}]}`})
	w.must(err)
	for name, c := range map[string]struct {
		client *kms.Client
		want   string
	}{"whom the key names": {nobody, ""}, "whom it does not": {sealer, denied}, "whom it denies": {narrow, denied}, "another account's": {foreign, ""}} {
		if got := sealed(c.client); got != c.want {
			t.Errorf("under another policy, %s: %q, want %q", name, got, c.want)
		}
	}
}

// A key that cannot be is not seeded.
func TestKeysThatCannotBe(t *testing.T) {
	w := newWorld(t)
	_, err := w.SeedKey(prod, lab.SeedKey{Alias: "alias/seal"})
	w.must(err)
	for name, seed := range map[string]lab.SeedKey{"an alias without alias/": {Alias: "seal"}, "an alias of another": {Alias: "alias/seal"}, "no policy": {Policy: "{"}} {
		if _, err := w.SeedKey(prod, seed); err == nil {
			t.Errorf("%s was seeded", name)
		}
	}
	if _, err := w.SeedKey("999999999999", lab.SeedKey{}); err == nil {
		t.Error("a key of no account was seeded")
	}
}
