package role_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/role"
)

func sealed() role.Baseline {
	return role.Baseline{
		Account: "111122223333", RoleID: "AROAEXAMPLE1", Document: `{"Version":"2012-10-17","Statement":[]}`, Digest: "sha256:ab",
		Principals: map[string]string{"arn:aws:iam::111122223333:user/alice": "AIDAALICE", "arn:aws:iam::111122223333:role/app": "AROAAPP"},
		Provenance: role.Observed, Actor: "arn:aws:iam::111122223333:user/alice", EventID: "e1", RulesHash: "sha256:rules",
		Since: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), Sealed: time.Date(2026, 11, 21, 9, 0, 0, 5, time.UTC),
	}
}

func aBaseline(t *rapid.T) role.Baseline {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ab:/"{}]{0,4}`))
	clock := rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(-1e10, 1e10).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
	})
	return role.Baseline{
		Account: text.Draw(t, "account"), RoleID: text.Draw(t, "role"), Document: text.Draw(t, "document"), Digest: text.Draw(t, "digest"),
		Principals: rapid.MapOfN(text, text, 0, 4).Draw(t, "principals"),
		Provenance: rapid.SampledFrom([]role.Provenance{role.Unreviewed, role.Observed}).Draw(t, "provenance"),
		Actor:      text.Draw(t, "actor"), EventID: text.Draw(t, "event"), RulesHash: text.Draw(t, "rules"),
		Since: clock.Draw(t, "since"), Sealed: clock.Draw(t, "sealed"), Seal: rapid.SliceOf(rapid.Byte()).Draw(t, "seal"),
	}
}

// flipped gives a text with one bit turned, or one byte longer where it is empty.
func flipped(t *rapid.T, s string) string {
	if s == "" {
		return "x"
	}
	b := []byte(s)
	bit := rapid.IntRange(0, 8*len(b)-1).Draw(t, "bit")
	b[bit/8] ^= 1 << (bit % 8)
	return string(b)
}

// tamperings change one thing each. The seal is not one of them.
func tamperings() map[string]func(*rapid.T, *role.Baseline) {
	return map[string]func(*rapid.T, *role.Baseline){
		"Account":    func(t *rapid.T, b *role.Baseline) { b.Account = flipped(t, b.Account) },
		"RoleID":     func(t *rapid.T, b *role.Baseline) { b.RoleID = flipped(t, b.RoleID) },
		"Document":   func(t *rapid.T, b *role.Baseline) { b.Document = flipped(t, b.Document) },
		"Digest":     func(t *rapid.T, b *role.Baseline) { b.Digest = flipped(t, b.Digest) },
		"Actor":      func(t *rapid.T, b *role.Baseline) { b.Actor = flipped(t, b.Actor) },
		"EventID":    func(t *rapid.T, b *role.Baseline) { b.EventID = flipped(t, b.EventID) },
		"RulesHash":  func(t *rapid.T, b *role.Baseline) { b.RulesHash = flipped(t, b.RulesHash) },
		"Provenance": func(_ *rapid.T, b *role.Baseline) { b.Provenance ^= 1 },
		"Since":      func(t *rapid.T, b *role.Baseline) { b.Since = b.Since.Add(step(t)) },
		"Sealed":     func(t *rapid.T, b *role.Baseline) { b.Sealed = b.Sealed.Add(step(t)) },
		"Principals": tamperPrincipals,
	}
}

func step(t *rapid.T) time.Duration {
	return rapid.SampledFrom([]time.Duration{1, -1, time.Second, -time.Hour, 400 * 24 * time.Hour}).Draw(t, "by")
}

// tamperPrincipals changes who is recorded: a name, an id, one more, one less.
func tamperPrincipals(t *rapid.T, b *role.Baseline) {
	arns := slices.Sorted(maps.Keys(b.Principals))
	if len(arns) == 0 {
		b.Principals = map[string]string{"": ""}
		return
	}
	arn := rapid.SampledFrom(arns).Draw(t, "whom")
	id := b.Principals[arn]
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		b.Principals[arn] = flipped(t, id)
	case 1:
		delete(b.Principals, arn)
	default:
		name := flipped(t, arn)
		if _, taken := b.Principals[name]; taken {
			t.Skip("the name is there already")
		}
		delete(b.Principals, arn)
		b.Principals[name] = id
	}
}

// T61: whoever can write the table turns no bit of a baseline unseen: what the
// seal covers is another.
func TestEveryBitOfABaselineIsSealed(t *testing.T) {
	t.Parallel()
	for field, tamper := range tamperings() {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				b := aBaseline(t)
				was := b.Message()
				tamper(t, &b)
				if bytes.Equal(was, b.Message()) {
					t.Fatalf("the seal still fits %+v", b)
				}
			})
		})
	}
}

// A field that is added one day must be sealed too.
func TestEveryFieldOfABaselineIsTamperedWith(t *testing.T) {
	t.Parallel()
	fields := reflect.TypeFor[role.Baseline]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		if _, ok := tamperings()[name]; !ok && name != "Seal" {
			t.Errorf("nothing shows that %s is sealed: add it to Message and here", name)
		}
	}
}

// T61: no two baselines share what is sealed, though all their letters are the
// same: an account's end does not pass for a RoleId's beginning.
func TestMovedLettersBreakTheSeal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := aBaseline(t)
		moved := b
		all := b.Account + b.RoleID + b.Document
		one := rapid.IntRange(0, len(all)).Draw(t, "first cut")
		two := rapid.IntRange(one, len(all)).Draw(t, "second cut")
		moved.Account, moved.RoleID, moved.Document = all[:one], all[one:two], all[two:]
		same := moved.Account == b.Account && moved.RoleID == b.RoleID
		if bytes.Equal(b.Message(), moved.Message()) != same {
			t.Fatalf("%q and %q seal alike", b, moved)
		}
	})
}

// What comes back from the table is sealed as it was: the seal itself, the zone
// of a time and an empty list of principals do not count.
func TestStoredBaselineIsSealedAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := aBaseline(t)
		was := b.Message()
		if len(was) != 32 {
			t.Fatalf("%d bytes are sealed", len(was))
		}
		b.Seal = append(b.Seal, 1)
		b.Since, b.Sealed = b.Since.In(time.FixedZone("far", 5*3600)), b.Sealed.UTC()
		if len(b.Principals) == 0 {
			b.Principals = nil
		}
		if !bytes.Equal(was, b.Message()) {
			t.Fatalf("the seal does not fit %+v any more", b)
		}
	})
	plain, err := json.Marshal(sealed())
	if err != nil {
		t.Fatal(err)
	}
	var back role.Baseline
	if err := json.Unmarshal(plain, &back); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sealed().Message(), back.Message()) {
		t.Error("the seal does not fit what comes back")
	}
}

// Seals lie in tables for years: what they cover may change only under another
// name of the form, and then no old seal fits.
func TestTheSealedFormIsKept(t *testing.T) {
	t.Parallel()
	const want = "477a578670da2c4f0e934a639a745a59f2cdf0bb072afe7bb727200681edee05"
	if got := hex.EncodeToString(sealed().Message()); got != want {
		t.Errorf("the message is %s and was %s", got, want)
	}
}

func TestProvenanceReadsBack(t *testing.T) {
	t.Parallel()
	var zero role.Provenance
	if zero != role.Unreviewed {
		t.Error("a baseline without provenance is not Unreviewed (T62)")
	}
	for _, p := range []role.Provenance{role.Unreviewed, role.Observed} {
		text, err := p.MarshalText()
		if err != nil || string(text) != p.String() {
			t.Errorf("%s is written as %q, %v", p, text, err)
		}
		var back role.Provenance
		if err := back.UnmarshalText(text); err != nil || back != p {
			t.Errorf("%q reads back as %s, %v", text, back, err)
		}
	}
	if _, err := role.Provenance(9).MarshalText(); err == nil || role.Provenance(9).String() != "Provenance?" {
		t.Error("a provenance that is none has a word")
	}
	if err := zero.UnmarshalText([]byte("Reviewed")); err == nil {
		t.Error("a word that is none was read")
	}
}
