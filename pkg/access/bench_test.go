package access_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// typical is a statement as most trust policies have it, and requests about it.
func typical(tb testing.TB, condition string) (policy.Document, access.Request) {
	tb.Helper()
	d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["444455556666",` +
		`"arn:aws:iam::111122223333:user/bob"]},"Action":"sts:AssumeRole","Condition":{` + condition + `}}]}`))
	if err != nil {
		tb.Fatal(err)
	}
	r := access.Request{
		Actions: []string{"sts:AssumeRole"},
		Caller:  access.Caller{AWS: "arn:aws:iam::111122223333:user/bob"},
		Context: map[string]access.Value{"sts:RoleSessionName": access.One("bob-1"), "sts:ExternalId": access.One("acme-1234")},
	}
	return d, r.Complete(nil)
}

// Deciding a typical statement takes no memory, so that proof, rules and the
// gate may ask as often as they like; nor does saying that one allows.
func TestATypicalStatementTakesNoMemory(t *testing.T) {
	for _, c := range []struct {
		condition string
		want      access.Decision
		// words is what the sentence may cost.
		words float64
	}{
		{`"StringEquals":{"sts:ExternalId":"acme-1234"}`, access.Allowed, 0},
		{`"StringLike":{"sts:RoleSessionName":["alice-*","b?b-*"]},"Null":{"aws:MultiFactorAuthAge":"true"}`, access.Allowed, 0},
		{`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/*"},"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}`, access.Allowed, 0},
		{`"StringEquals":{"sts:ExternalId":"mallory"}`, access.Denied, 1},
		{`"Bool":{"aws:MultiFactorAuthPresent":"true"}`, access.Denied, 1},
	} {
		d, r := typical(t, c.condition)
		if got := access.Decide(d, r); got != c.want {
			t.Fatalf("%s: %v", c.condition, got)
		}
		if n := testing.AllocsPerRun(100, func() { access.Decide(d, r) }); n != 0 {
			t.Errorf("%s: Decide allocates %v times", c.condition, n)
		}
		if n := testing.AllocsPerRun(100, func() { access.Evaluate(d, r) }); n > c.words {
			t.Errorf("%s: Evaluate allocates %v times", c.condition, n)
		}
	}
}

// What one decision costs. The words of a denial are made anew each time.
func BenchmarkEvaluate(b *testing.B) {
	for _, c := range []struct{ name, condition string }{
		{"plain", `"StringEquals":{"sts:ExternalId":"acme-1234"}`},
		{"variable", `"StringLike":{"sts:RoleSessionName":"${aws:username}-*"}`},
		{"missing key", `"Bool":{"aws:MultiFactorAuthPresent":"true"}`},
	} {
		d, r := typical(b, c.condition)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				access.Evaluate(d, r)
			}
		})
		b.Run(c.name+", without words", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				access.Decide(d, r)
			}
		})
	}
}

// corpus reads all documents of testdata/policies, with a request of each kind
// of caller for each.
func corpus(tb testing.TB) []trial {
	tb.Helper()
	var requests []access.Request
	for _, c := range edgeCallers {
		r := access.Request{Actions: []string{"sts:AssumeRole"}, Caller: c, Role: theRole, Context: map[string]access.Value{
			"sts:RoleSessionName": access.One("bob-1"), "sts:ExternalId": access.One("acme-1234"),
		}}
		if c.Federated != "" {
			r.Actions = []string{"sts:AssumeRoleWithWebIdentity"}
			r.Context["token.actions.githubusercontent.com:aud"] = access.One("sts.amazonaws.com")
			r.Context["token.actions.githubusercontent.com:sub"] = access.One("repo:acme/app:ref:refs/heads/main")
		}
		requests = append(requests, r.Complete(nil))
	}
	var out []trial
	root := filepath.Join("..", "..", "testdata", "policies")
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// Some are there because they cannot be read.
		if d, err := policy.Parse(text); err == nil {
			out = append(out, trial{document: d, requests: requests})
		}
		return nil
	})
	if err != nil || len(out) == 0 {
		tb.Fatalf("%d documents: %v", len(out), err)
	}
	return out
}

// What one decision about the documents of testdata/policies costs.
func BenchmarkEvaluateCorpus(b *testing.B) {
	trials := corpus(b)
	asked := 0
	b.ReportAllocs()
	for b.Loop() {
		t := &trials[asked%len(trials)]
		access.Evaluate(t.document, t.requests[asked/len(trials)%len(t.requests)])
		asked++
	}
}

// What the same decisions cost the evaluator of other make, its process's
// reading and writing included.
func BenchmarkEvaluateCorpusByIamSimulate(b *testing.B) {
	judge := startJudge(b)
	trials := corpus(b)
	asked := 0
	for b.Loop() {
		for i := range trials {
			if _, err := judge.ask(trials[i].document, trials[i].requests); err != nil {
				b.Fatal(err)
			}
			asked += len(trials[i].requests)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(asked), "ns/decision")
	if err := judge.stop(); err != nil {
		b.Fatal(err)
	}
}
