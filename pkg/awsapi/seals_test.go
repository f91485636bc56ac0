package awsapi_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// sealing opens the seals with a key of its own.
func sealing(t *testing.T, w *world) *awsapi.Seals {
	t.Helper()
	own := w.admin(t, hub)
	var key string
	if w.lab != nil {
		var err error
		key, err = w.lab.SeedKey(hub, lab.SeedKey{})
		must(t, err)
		own = w.hub
	} else {
		made, err := kms.NewFromConfig(own).CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac})
		must(t, err)
		key = *made.KeyMetadata.Arn
		w.wire.next, own.HTTPClient = own.HTTPClient, w.wire
	}
	s, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: own, KeyID: key})
	must(t, err)
	w.wire.take()
	return s
}

func baseline() role.Baseline {
	return role.Baseline{
		Account: prod, RoleID: "AROAEXAMPLEAPP", Document: trust, Digest: "sha256:1234", Principals: map[string]string{"arn:aws:iam::111122223333:role/deploy": "AROAEXAMPLEDEPLOY"},
		Provenance: role.Observed, Actor: "alice", EventID: "1b4e28ba-2fa1-11d2-883f-0016d3cca427", RulesHash: "sha256:5678", Since: now().Add(-48 * time.Hour), Sealed: now(),
	}
}

// A baseline that was sealed is known again, however often, and by the key that
// it was sealed with alone.
func TestASealedBaselineIsKnownAgain(t *testing.T) {
	worlds(t, knownAgain)
}

func knownAgain(t *testing.T, w *world) {
	s := sealing(t, w)
	b := baseline()
	seal, err := s.Seal(t.Context(), b)
	must(t, err)
	b.Seal = seal
	must(t, s.Verify(t.Context(), b))
	// A time comes back from a table in another zone.
	b.Since = b.Since.In(time.FixedZone("elsewhere", 3600))
	must(t, s.Verify(t.Context(), b))
	if calls := w.wire.calls(); len(calls) != 3 || calls[0] != "kms:GenerateMac" || calls[2] != "kms:VerifyMac" {
		t.Errorf("the calls: %v", calls)
	}
	if err := sealing(t, w).Verify(t.Context(), b); !errors.Is(err, role.ErrSealBroken) {
		t.Errorf("another key knows it: %v", err)
	}
}

// T61: who writes the table does not write trust policies. Whatever of a sealed
// baseline is changed, and whichever bit of its seal, is found out.
func TestAnyChangeBreaksTheSeal(t *testing.T) {
	worlds(t, anyChangeBreaks)
}

func anyChangeBreaks(t *testing.T, w *world) {
	s := sealing(t, w)
	good := baseline()
	seal, err := s.Seal(t.Context(), good)
	must(t, err)
	for name, change := range map[string]func(*role.Baseline){
		"account":  func(b *role.Baseline) { b.Account = "444455556666" },
		"role":     func(b *role.Baseline) { b.RoleID += "2" },
		"document": func(b *role.Baseline) { b.Document = strings.Replace(b.Document, "root", "user/mallory", 1) },
		"digest":   func(b *role.Baseline) { b.Digest += "0" },
		"who a name is": func(b *role.Baseline) {
			b.Principals = map[string]string{"arn:aws:iam::111122223333:role/deploy": "AROAMALLORY"}
		},
		"a name more":      func(b *role.Baseline) { b.Principals["arn:aws:iam::111122223333:user/mallory"] = "AIDAMALLORY" },
		"no names":         func(b *role.Baseline) { b.Principals = nil },
		"provenance":       func(b *role.Baseline) { b.Provenance = role.Unreviewed },
		"actor":            func(b *role.Baseline) { b.Actor = "bob" },
		"event":            func(b *role.Baseline) { b.EventID += "0" },
		"rules":            func(b *role.Baseline) { b.RulesHash += "0" },
		"since":            func(b *role.Baseline) { b.Since = b.Since.Add(time.Nanosecond) },
		"sealed":           func(b *role.Baseline) { b.Sealed = b.Sealed.Add(-time.Hour) },
		"the first bit":    func(b *role.Baseline) { b.Seal[0] ^= 1 },
		"the last bit":     func(b *role.Baseline) { b.Seal[len(b.Seal)-1] ^= 128 },
		"another's seal":   func(b *role.Baseline) { b.Seal = bytes.Repeat([]byte{7}, 32) },
		"a role's instead": func(b *role.Baseline) { b.Account, b.RoleID = b.Account+b.RoleID[:1], b.RoleID[1:] },
	} {
		b := baseline()
		b.Seal = bytes.Clone(seal)
		change(&b)
		if err := s.Verify(t.Context(), b); !errors.Is(err, role.ErrSealBroken) || !strings.Contains(err.Error(), b.RoleID) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.Seal = seal
	must(t, s.Verify(t.Context(), good))
}

// A baseline without a seal, or with what can be none, is not sealed; KMS is not
// asked, and its refusal of such a request is not mistaken for not knowing.
func TestWithoutASealNobodyIsAsked(t *testing.T) {
	w := labWorld(t)
	s := sealing(t, w)
	for _, seal := range [][]byte{nil, {}, {1}, bytes.Repeat([]byte{1}, 31), bytes.Repeat([]byte{1}, 33), bytes.Repeat([]byte{1}, 64)} {
		b := baseline()
		b.Seal = seal
		if err := s.Verify(t.Context(), b); !errors.Is(err, role.ErrSealBroken) {
			t.Errorf("%d bytes: %v", len(seal), err)
		}
	}
	if calls := w.wire.calls(); len(calls) != 0 {
		t.Errorf("calls were made: %v", calls)
	}
}

// What KMS cannot say is not known: it is no broken seal, which would be told as
// tampering, and no good one.
func TestAnUnansweredSealIsNotKnown(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		is     error
	}{
		"denied":    {http.StatusBadRequest, `{"__type":"AccessDeniedException","message":"no"}`, role.ErrAccessDenied},
		"throttled": {http.StatusBadRequest, `{"__type":"ThrottlingException","message":"slow"}`, role.ErrThrottled},
		"no key":    {http.StatusBadRequest, `{"__type":"NotFoundException","message":"gone"}`, role.ErrNotFound},
		"disabled":  {http.StatusBadRequest, `{"__type":"DisabledException","message":"off"}`, nil},
		"deleted":   {http.StatusBadRequest, `{"__type":"KMSInvalidStateException","message":"pending deletion"}`, nil},
		"a fault":   {http.StatusInternalServerError, `{"__type":"KMSInternalException","message":"x"}`, nil},
		"no answer": {http.StatusOK, `{`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := labWorld(t)
			s := sealing(t, w)
			fine := w.wire.next
			w.wire.next = answering(c.status, c.body, "kms:VerifyMac", answering(c.status, c.body, "kms:GenerateMac", fine))
			b := baseline()
			b.Seal = bytes.Repeat([]byte{1}, 32)
			err := s.Verify(t.Context(), b)
			if err == nil || errors.Is(err, role.ErrSealBroken) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("checking: %v, want %v", err, c.is)
			}
			if seal, err := s.Seal(t.Context(), b); err == nil || seal != nil || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("sealing: %v, %v, want %v", seal, err, c.is)
			}
		})
	}
}

// KMS says that a seal does not fit by an error; an answer that says so counts
// too, and a seal of another size is none.
func TestWhateverSaysThatItDoesNotFitCounts(t *testing.T) {
	w := labWorld(t)
	s := sealing(t, w)
	fine := w.wire.next
	b := baseline()
	b.Seal = bytes.Repeat([]byte{1}, 32)
	for _, body := range []string{`{"MacValid":false}`, `{}`} {
		w.wire.next = answering(http.StatusOK, body, "kms:VerifyMac", fine)
		if err := s.Verify(t.Context(), b); !errors.Is(err, role.ErrSealBroken) {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, mac := range []string{"", base64.StdEncoding.EncodeToString([]byte("short"))} {
		w.wire.next = answering(http.StatusOK, `{"Mac":"`+mac+`"}`, "kms:GenerateMac", fine)
		if seal, err := s.Seal(t.Context(), b); err == nil || seal != nil {
			t.Errorf("%q is taken for a seal", mac)
		}
	}
}

func TestSealsNeedAKey(t *testing.T) {
	if _, err := awsapi.NewSeals(awsapi.SealsConfig{}); err == nil {
		t.Error("seals without a key were opened")
	}
}
