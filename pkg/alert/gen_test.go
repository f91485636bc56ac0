package alert_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// policies draws a trust policy whose external id is value; value may stand in
// other places too, where a careless author repeats it.
func policies(t *rapid.T, value string) string {
	key := rapid.SampledFrom([]string{"sts:ExternalId", "STS:externalid"}).Draw(t, "key")
	operator := rapid.SampledFrom([]string{"StringEquals", "StringLike", "StringNotEquals", "ForAllValues:StringEquals"}).Draw(t, "operator")
	elsewhere := rapid.SampledFrom([]string{"", value}).Draw(t, "elsewhere")
	doc := map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{map[string]any{
			"Sid": elsewhere, "Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sts:AssumeRole",
			"Condition": map[string]any{operator: map[string]any{key: []string{value, "other-" + value}}, "StringNotLike": map[string]any{"sts:RoleSessionName": "x" + elsewhere}},
		}},
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func contained(t *rapid.T, say *rapid.Generator[string]) decision.Contained {
	return decision.Contained{
		Asked: rapid.Bool().Draw(t, "asked"), Done: rapid.Bool().Draw(t, "contained"), Verified: rapid.Bool().Draw(t, "shown"),
		Before: rapid.OneOf(say, rapid.Just("arn:aws:iam::111122223333:policy/team/Edge")).Draw(t, "boundary"), After: "arn:aws:iam::aws:policy/AWSDenyAll", Problem: say.Draw(t, "inside"),
	}
}

func requests(t *rapid.T, value string) *access.Request {
	text := rapid.SampledFrom([]string{"bob", value, "x\u202e\n" + value, strings.Repeat("a", 5000)})
	return &access.Request{
		Actions: []string{"sts:AssumeRole"}, Role: rapid.SampledFrom([]string{"", "arn:aws:iam::111122223333:role/app"}).Draw(t, "role"),
		Caller: access.Caller{AWS: "arn:aws:iam::999999999999:user/" + rapid.SampledFrom([]string{"mallory", value}).Draw(t, "caller")},
		Context: map[string]access.Value{
			rapid.SampledFrom([]string{"sts:ExternalId", "STS:EXTERNALID"}).Draw(t, "key"): access.One(value),
			"sts:RoleSessionName": access.One(text.Draw(t, "session")),
			"aws:TagKeys":         access.Many(text.Draw(t, "tag"), "b"),
			"aws:SourceIdentity":  {},
		},
	}
}

// inputs draws what a build may be asked for: any enum, any text, and a secret
// in every place where the policies and requests can hold one, quoted by rules
// and errors in any way.
func inputs(value string) *rapid.Generator[alert.Input] {
	return rapid.Custom(func(t *rapid.T) alert.Input {
		say := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"", value, fmt.Sprintf("%q is weak", value), "a\r\nBcc: x\u2028y\u202e" + value, "<!channel> *b* & `c`", strings.Repeat("long ", 2000),
		}))
		texts := rapid.SliceOfN(say, 0, 25)
		in := alert.Input{
			Now: noon(), Role: app(policies(t, value)), Before: rapid.SampledFrom([]string{"", "no json", opened, policies(t, value)}).Draw(t, "before"),
			OpenID: rapid.SampledFrom([]string{"", "a1"}).Draw(t, "open"),
			Decision: decision.Decision{
				ID: rapid.SampledFrom([]string{"", "d1"}).Draw(t, "decision"), Action: decision.Action(rapid.IntRange(0, 7).Draw(t, "action")), Reasons: texts.Draw(t, "reasons"),
			},
			Outcome: decision.Outcome{
				Done: decision.Action(rapid.IntRange(0, 7).Draw(t, "done")), Verified: rapid.Bool().Draw(t, "verified"),
				Before: policies(t, value), After: opened, Contained: contained(t, say), Dropped: texts.Draw(t, "dropped"), Problem: say.Draw(t, "problem"),
			},
		}
		in.Report = finding.Report{Verdict: finding.Verdict(rapid.IntRange(0, 2).Draw(t, "verdict")), Reasons: texts.Draw(t, "doubts")}
		for range rapid.IntRange(0, 6).Draw(t, "findings") {
			f := finding.Finding{
				Rule: rapid.SampledFrom([]string{"mfa", "external-id", "a\nb"}).Draw(t, "rule"), Severity: finding.Severity(rapid.IntRange(0, 4).Draw(t, "severity")),
				Where: say.Draw(t, "where"), Message: say.Draw(t, "message"), Fix: say.Draw(t, "fix"), Exemption: rapid.SampledFrom([]string{"", "", value}).Draw(t, "exemption"),
				Evidence: finding.Evidence{Kind: finding.EvidenceKind(rapid.IntRange(1, 5).Draw(t, "kind")), Sentence: say.Draw(t, "sentence"), Others: texts.Draw(t, "others")},
			}
			if rapid.Bool().Draw(t, "request") {
				f.Evidence.Request = requests(t, value)
			}
			if rapid.Bool().Draw(t, "principal") {
				f.Evidence.Principal = &finding.Principal{ID: say.Draw(t, "id"), ARN: say.Draw(t, "arn"), DeletedBy: say.Draw(t, "by"), RenamedTo: say.Draw(t, "to"), Standing: finding.Standing(rapid.IntRange(0, 5).Draw(t, "standing"))}
			}
			in.Report.Findings = append(in.Report.Findings, f)
		}
		if rapid.Bool().Draw(t, "change") {
			in.Change = change(trail.Kind(rapid.IntRange(0, 6).Draw(t, "kind")), rapid.SampledFrom([]string{"CreateRole", "UpdateAssumeRolePolicy", "DeleteUser", "x\ny"}).Draw(t, "event"))
			in.Change.UserAgent, in.Change.Actor.SourceIdentity = say.Draw(t, "agent"), say.Draw(t, "sourceIdentity")
			in.Change.Document = policies(t, value)
			if rapid.Bool().Draw(t, "newly") {
				in.NewlyAllowed = requests(t, value)
			}
		}
		return in
	})
}
