package proof

import "testing"

// A person who reads a witness must believe it: where a pattern leaves parts
// open, they look like what stands there in life.
func TestNaturalFillings(t *testing.T) {
	for text, want := range map[string]string{
		"arn:aws:states:*:*:stateMachine:*":       "arn:aws:states:us-east-1:999999999999:stateMachine:app",
		"arn:aws:states:*:111122223333:*":         "arn:aws:states:us-east-1:111122223333:app",
		"arn:aws:scheduler:*:111122223333:s/*/*":  "arn:aws:scheduler:us-east-1:111122223333:s/app/app",
		"arn:aws:lambda:*":                        "arn:aws:lambda:us-east-1:999999999999:function:app",
		"arn:*:lambda:eu-west-1:11112222333?:f-*": "arn:aws:lambda:eu-west-1:111122223331:f-1",
		"arn:*":                              "arn:aws:lambda:us-east-1:999999999999:function:app",
		"repo:octo-org/*":                    "repo:octo-org/app:ref:refs/heads/main",
		"repo:octo-*":                        "repo:octo-1/app:ref:refs/heads/main",
		"repo:octo-org/app:*":                "repo:octo-org/app:ref:refs/heads/main",
		"repo:octo-org/*:environment:prod":   "repo:octo-org/app:environment:prod",
		"repo:octo-org/app:ref:refs/heads/*": "repo:octo-org/app:ref:refs/heads/main",
		"repo:*":                             "repo:mallory/app:ref:refs/heads/main",
		"project_path:acme/*:ref_type:branch:ref:*": "project_path:acme/app:ref_type:branch:ref:app",
		"system:serviceaccount:*:external-dns":      "system:serviceaccount:app:external-dns",
		"acme-*":                                    "acme-1",
		"*@example.com":                             "app@example.com",
		"alice*":                                    "alice",
		"role/*SSO_Ops_*":                           "role/SSO_Ops_1",
	} {
		p, ok := compilePattern(appendText(nil, text, compareGlob), compareGlob)
		if got := p.natural(naturalAccounts[0]); !ok || got != want || !p.match(got) {
			t.Errorf("%s is filled to %s, not %s", text, got, want)
		}
	}
}

// What a service is found to send for a pattern of resources is the ARN of a
// resource, of the account that is asked for beside it.
func TestWitnessesShowNaturalResources(t *testing.T) {
	open := `"ArnLike":{"aws:SourceArn":"arn:aws:states:*:*:stateMachine:*"}`
	for condition, want := range map[string]string{
		open: "arn:aws:states:us-east-1:999999999999:stateMachine:app",
		open + `,"StringEquals":{"aws:SourceAccount":"444455556666"}`:                 "arn:aws:states:us-east-1:444455556666:stateMachine:app",
		`"StringLike":{"aws:SourceArn":["arn:aws:s3:::acme-*"]}`:                      "arn:aws:s3:::acme-1",
		`"ArnLike":{"aws:SourceArn":"arn:aws:scheduler:*:111122223333:schedule/*/*"}`: "arn:aws:scheduler:us-east-1:111122223333:schedule/app/app",
	} {
		doc := parse(t, allow(`{"Service":"states.amazonaws.com"}`, "sts:AssumeRole", condition))
		a := Find(doc, Query{World: world(), Callers: []Callers{{Kind: Services}}, Actions: assume})
		if a.Outcome != Found {
			t.Errorf("%s: %v %v", condition, a.Outcome, a.Undecided)
			continue
		}
		if v, _ := a.Witness.Get("aws:SourceArn"); len(v.Values) != 1 || v.Values[0] != want {
			t.Errorf("%s: %v, not %s", condition, v.Values, want)
		}
	}
}
