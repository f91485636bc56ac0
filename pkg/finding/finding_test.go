package finding_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/finding"
)

// A forgotten verdict is Undecided, a forgotten severity only advice.
func TestZeroValuesAreHarmless(t *testing.T) {
	t.Parallel()
	var r finding.Report
	if r.Verdict.String() != "Undecided" {
		t.Errorf("the zero verdict is %v", r.Verdict)
	}
}

// enum is what the three enums have in common.
type enum interface {
	comparable
	fmt.Stringer
}

func roundTrip[E enum](t *testing.T, words ...string) {
	t.Helper()
	for i, w := range words {
		var e E
		if err := json.Unmarshal([]byte(`"`+w+`"`), &e); err != nil {
			t.Errorf("reading %q: %v", w, err)
		}
		if e.String() != w || fmt.Sprintf("%d", any(e)) != fmt.Sprint(i) {
			t.Errorf("%q was read as %v, number %d; want number %d", w, e, any(e), i)
		}
		for name, marshal := range map[string]func(any) ([]byte, error){
			"v1": json.Marshal,
			"v2": func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
		} {
			if got, err := marshal(e); err != nil || string(got) != `"`+w+`"` {
				t.Errorf("%s prints %s, %v", name, got, err)
			}
		}
	}
	var e E
	for _, bad := range []string{`""`, `"critical "`, `"compliant"`, `1`, `"allowed"`, `"High"`} {
		if err := json.Unmarshal([]byte(bad), &e); err == nil {
			t.Errorf("%s was read as %v", bad, e)
		}
	}
}

func TestEnumsAreTheirWordsInJSON(t *testing.T) {
	t.Parallel()
	roundTrip[finding.Verdict](t, "Undecided", "Compliant", "Noncompliant")
	roundTrip[finding.Severity](t, "advice", "low", "medium", "high", "critical")
	roundTrip[finding.EvidenceKind](t, "NoEvidence", "Allowed", "Refused", "Pair", "Place", "Fact")
	roundTrip[finding.Standing](t, "notAsked", "unconfirmed", "living", "unproven", "stranger", "orphan")
	for _, v := range []any{finding.Standing(9), finding.Verdict(9), finding.Severity(9), finding.EvidenceKind(9)} {
		if got, err := json.Marshal(v); err == nil {
			t.Errorf("%v was written as %s", v, got)
		}
		if !strings.HasSuffix(fmt.Sprint(v), "?") {
			t.Errorf("an impossible value prints as %v", v)
		}
	}
}

func sample() finding.Report {
	return finding.Report{
		Verdict: finding.Noncompliant,
		Reasons: []string{"Statement[2].Condition: not settled"},
		Findings: []finding.Finding{
			{
				Rule: "external-id", Severity: finding.High, Where: "Statement[0]", Message: "m", Fix: "f",
				Evidence: finding.Evidence{Kind: finding.Allowed, Sentence: "s", Request: &access.Request{
					Actions: []string{"sts:AssumeRole"},
					Role:    "arn:aws:iam::111122223333:role/app",
					Caller:  access.Caller{AWS: "arn:aws:iam::444455556666:user/mallory"},
					Context: map[string]access.Value{
						"STS:externalid": access.One("hunter2"), "sts:RoleSessionName": access.One("bob"),
					},
				}},
			},
			{
				Rule: "unique-id-principal", Severity: finding.Critical, Where: "Statement[1].Principal.AWS[0]", Exemption: "SEC-1",
				Evidence: finding.Evidence{Kind: finding.Fact, Principal: &finding.Principal{
					ID: "AIDAEXAMPLEALICE00001", ARN: "arn:aws:iam::111122223333:user/alice", DeletedAt: time.Unix(1700000000, 0).UTC(),
				}},
			},
		},
	}
}

// The JSON of a finding is a public contract: these names, nothing empty.
func TestFindingJSONHasThePublishedShape(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(sample().Findings[1])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"rule":"unique-id-principal","severity":"critical","where":"Statement[1].Principal.AWS[0]","message":"","fix":"",` +
		`"evidence":{"kind":"Fact","principal":{"id":"AIDAEXAMPLEALICE00001","arn":"arn:aws:iam::111122223333:user/alice",` +
		`"deletedAt":"2023-11-14T22:13:20Z"}},"exemption":"SEC-1"}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestOpenLeavesExemptedFindingsOut(t *testing.T) {
	t.Parallel()
	open := sample().Open()
	if len(open) != 1 || open[0].Rule != "external-id" {
		t.Errorf("Open() = %+v", open)
	}
}

// T80: no external id leaves in a witness, however its key is spelled; and the
// report that was masked keeps its own.
func TestMaskedHidesExternalIDs(t *testing.T) {
	t.Parallel()
	r := sample()
	masked := r.Masked()
	if text := fmt.Sprintf("%+v", *masked.Findings[0].Evidence.Request); strings.Contains(text, "hunter2") || !strings.Contains(text, "bob") {
		t.Errorf("masked: %s", text)
	}
	if diff := cmp.Diff(sample(), r); diff != "" {
		t.Errorf("Masked changed its receiver:\n%s", diff)
	}
}
