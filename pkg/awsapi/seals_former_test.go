package awsapi_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// When the key is replaced, what the former one sealed is known again, and new
// seals are the new one's; once the former one does not answer, its seals are
// no longer known, which is not to say that somebody changed what they cover.
func TestSealsOfAFormerKeyAreKnownAgain(t *testing.T) {
	w := motoWorld(t)
	client := kms.NewFromConfig(w.admin(t, hub))
	key := func() string {
		made, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac})
		must(t, err)
		return *made.KeyMetadata.Arn
	}
	seals := func(keys ...string) *awsapi.Seals {
		s, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: w.admin(t, hub), KeyID: strings.Join(keys, ",")})
		must(t, err)
		return s
	}
	sealed := func(s *awsapi.Seals) role.Baseline {
		b := role.Baseline{Account: prod, RoleID: "AROAEXAMPLEAPP", Document: trust, Digest: "sha256:1234", Sealed: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
		mac, err := s.Seal(t.Context(), b)
		must(t, err)
		b.Seal = mac
		return b
	}
	first, second, other := key(), key(), key()
	before, after := sealed(seals(first)), sealed(seals(second, first))
	both := seals(second, first)
	must(t, both.Verify(t.Context(), before))
	must(t, both.Verify(t.Context(), after))
	if err := seals(first).Verify(t.Context(), after); !errors.Is(err, role.ErrSealBroken) {
		t.Errorf("the former key knows the new one's seal: %v", err)
	}
	if err := both.Verify(t.Context(), sealed(seals(other))); !errors.Is(err, role.ErrSealBroken) {
		t.Errorf("a foreign seal: %v", err)
	}
	forged := before
	forged.Document = strings.Replace(forged.Document, "root", "user/mallory", 1)
	if err := both.Verify(t.Context(), forged); !errors.Is(err, role.ErrSealBroken) {
		t.Errorf("a changed document: %v", err)
	}

	// Moto answers with disabled keys all the same; one that it does not find it refuses.
	gone := seals(second, first[:len(first)-4]+"0000")
	must(t, gone.Verify(t.Context(), after))
	if err := gone.Verify(t.Context(), before); err == nil || errors.Is(err, role.ErrSealBroken) {
		t.Errorf("a seal whose key does not answer: %v", err)
	}
}

// A list of keys with a gap is a mistake, not a shorter list.
func TestAListOfSealKeysWithAGapIsRefused(t *testing.T) {
	for _, list := range []string{"", ",", "arn:aws:kms:us-east-1:111122223333:key/1,", ",arn:aws:kms:us-east-1:111122223333:key/1", " "} {
		if _, err := awsapi.NewSeals(awsapi.SealsConfig{KeyID: list}); err == nil || !strings.Contains(err.Error(), "KeyID") {
			t.Errorf("%q: %v", list, err)
		}
	}
}
