package lab_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// BenchmarkGetRole prints what one signed read costs without the network: a
// lab call should stay well under a millisecond.
func BenchmarkGetRole(b *testing.B) {
	l, err := lab.New(lab.Config{Accounts: []lab.Account{{ID: prod}}, Rand: rand.NewChaCha8([32]byte{1})})
	if err != nil {
		b.Fatal(err)
	}
	if err := l.SeedRole(prod, lab.SeedRole{Name: "app", TrustPolicy: trusting(prod)}); err != nil {
		b.Fatal(err)
	}
	c, err := l.Admin(prod)
	if err != nil {
		b.Fatal(err)
	}
	keys := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey}
	signed := httptest.NewRequest(http.MethodGet, "http://lab.example/?Action=GetRole&RoleName=app&Version=2010-05-08", nil)
	if err := v4.NewSigner().SignHTTP(ctx, keys, signed, emptySum, "iam", "us-east-1", time.Now()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		signed.Body = io.NopCloser(bytes.NewReader(nil))
		w := httptest.NewRecorder()
		l.ServeHTTP(w, signed)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
	b.StopTimer()
	l.ResetCalls()
}
