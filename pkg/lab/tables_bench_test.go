package lab_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

// BenchmarkTables prints what one signed call of DynamoDB costs without the
// network. A load test sends some thousand of them a second: each should stay
// under a tenth of a millisecond.
func BenchmarkTables(b *testing.B) {
	many := make([]string, 5)
	for i := range many {
		many[i] = fmt.Sprintf(`{"Put":{"TableName":"ledger","Item":{"pk":{"S":"t%d"},"sk":{"S":"s"},"body":{"S":"%s"}},"ConditionExpression":"attribute_not_exists(eventTime) OR eventTime <= :at","ExpressionAttributeValues":{":at":{"S":"2026"}}}}`, i, strings.Repeat("x", 500))
	}
	for _, c := range []struct{ action, body string }{
		{"GetItem", `{"TableName":"ledger","ConsistentRead":true,"Key":{"pk":{"S":"e1"},"sk":{"S":"s"}}}`},
		{"PutItem", `{"TableName":"ledger","Item":{"pk":{"S":"e2"},"sk":{"S":"s"},"body":{"S":"` + strings.Repeat("x", 500) + `"}}}`},
		{"UpdateItem", `{"TableName":"ledger","Key":{"pk":{"S":"e1"},"sk":{"S":"s"}},"UpdateExpression":"ADD attempts :one SET takenAt = if_not_exists(takenAt, :at)","ExpressionAttributeValues":{":one":{"N":"1"},":at":{"S":"2026"}},"ReturnValues":"ALL_NEW"}`},
		{"Query", `{"TableName":"ledger","ConsistentRead":true,"KeyConditionExpression":"pk = :pk AND begins_with(sk, :sk)","ExpressionAttributeValues":{":pk":{"S":"e1"},":sk":{"S":"s"}}}`},
		{"TransactWriteItems", `{"TransactItems":[` + strings.Join(many, ",") + `]}`},
	} {
		b.Run(c.action, func(b *testing.B) {
			l, err := lab.New(lab.Config{Accounts: []lab.Account{{ID: prod}}, Rand: rand.NewChaCha8([32]byte{1})})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := l.SeedTable(prod, lab.SeedTable{Name: "ledger"}); err != nil {
				b.Fatal(err)
			}
			send := signed(b, l, "dynamodb", "DynamoDB_20120810."+c.action, c.body)
			for b.Loop() {
				if w := send(); w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			b.StopTimer()
			l.ResetCalls()
		})
	}
}

// signed makes a call that is sent again and again under the administrator's
// keys.
func signed(b *testing.B, l *lab.Lab, service, target, body string) func() *httptest.ResponseRecorder {
	b.Helper()
	c, err := l.Admin(prod)
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "http://lab.example/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", target)
	sum := sha256.Sum256([]byte(body))
	keys := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(ctx, keys, r, hex.EncodeToString(sum[:]), service, "us-east-1", time.Now()); err != nil {
		b.Fatal(err)
	}
	return func() *httptest.ResponseRecorder {
		r.Body = io.NopCloser(bytes.NewReader([]byte(body)))
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		return w
	}
}
