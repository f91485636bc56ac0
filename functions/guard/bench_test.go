package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/rolewarden/rolewarden/functions/runtimetest"
	"github.com/rolewarden/rolewarden/pkg/lab"
)

// BenchmarkColdStart prints how long the built bootstrap takes from the start
// of its process to the answer to its first event: one that asks for nothing,
// and a compliant one with AssumeRole and GetRole against the lab and two
// ledger calls against moto, whose own time is in the figure. Beside them the
// size of the zip and the most memory held.
func BenchmarkColdStart(b *testing.B) {
	s := newStage(b)
	ignored := batch(b, s.sample("PutRolePolicy.unknown.json"))
	compliant := batch(b, s.sample("CreateRole.terraform.json"))
	name, document := sentCreate(b, s.sample("CreateRole.terraform.json"))
	s.must(s.lab.SeedRole(prod, lab.SeedRole{Name: name, TrustPolicy: document}))
	s.runtime.Stop(b)
	var first, second time.Duration
	var memory int64
	for b.Loop() {
		first += s.cold(b, ignored, &memory)
		second += s.cold(b, compliant, &memory)
	}
	b.ReportMetric(float64(first.Microseconds())/1000/float64(b.N), "ms-to-first-answer")
	b.ReportMetric(float64(second.Microseconds())/1000/float64(b.N), "ms-to-first-verdict")
	b.ReportMetric(float64(memory)/(1<<20), "peak-MB")
	b.ReportMetric(float64(zipped(b, s.bootstrap))/(1<<20), "zip-MB")
	b.ReportMetric(0, "ns/op")
}

func (s *stage) cold(b *testing.B, payload []byte, memory *int64) time.Duration {
	begin := time.Now()
	r := runtimetest.Start(b, s.bootstrap, s.env)
	if a := r.Invoke(b, payload); a.Failed != runtimetest.Answered {
		b.Fatalf("answered %s", a.Body)
	}
	took := time.Since(begin)
	*memory = max(*memory, r.Stop(b))
	return took
}

func batch(b *testing.B, body []byte) []byte {
	payload, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{MessageId: "a", Body: string(body)}}})
	if err != nil {
		b.Fatal(err)
	}
	return payload
}

func sentCreate(b *testing.B, sample []byte) (name, document string) {
	var e struct {
		Detail struct {
			RequestParameters struct{ RoleName, AssumeRolePolicyDocument string }
		}
	}
	if err := json.Unmarshal(sample, &e); err != nil {
		b.Fatal(err)
	}
	return e.Detail.RequestParameters.RoleName, e.Detail.RequestParameters.AssumeRolePolicyDocument
}

func zipped(b *testing.B, path string) int {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.Create(filepath.Base(path))
	if err != nil {
		b.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := io.Copy(w, f); err != nil {
		b.Fatal(err)
	}
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	return out.Len()
}
