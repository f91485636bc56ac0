package policy_test

import (
	"testing"

	awspolicy "github.com/hashicorp/awspolicyequivalence"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"pgregory.net/rapid"
)

// peer asks an independent implementation whether two texts say the same.
func peer(t interface{ Fatal(...any) }, a, b []byte) bool {
	same, err := awspolicy.PoliciesAreEquivalent(string(a), string(b))
	if err != nil {
		t.Fatal(err)
	}
	return same
}

// Over documents on which both have the same opinion of what matters (see
// below for the rest), Equal and the peer never differ.
func TestEqualAgreesWithThePeer(t *testing.T) {
	equal, different := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		a, b := small(t), small(t)
		if rapid.Bool().Draw(t, "respelled") {
			b = policy.Document{Version: a.Version, Statements: a.Statements}
		}
		ours, theirs := a.Equal(b, "aws"), peer(t, spell(t, a), spell(t, b))
		if ours != theirs {
			t.Fatalf("ours %t, the peer %t:\n%s\n%s", ours, theirs, a.Print(), b.Print())
		}
		if ours {
			equal++
		} else {
			different++
		}
	})
	least := 10
	if testing.Short() {
		// A fifth of the documents is tried then.
		least = 2
	}
	if equal < least || different < least {
		t.Errorf("%d equal and %d different pairs are too few to show anything", equal, different)
	}
}

// small draws a document of one statement out of very few words.
func small(t *rapid.T) policy.Document {
	aws, err := policy.ParsePrincipal("AWS", rapid.SampledFrom([]string{"111122223333", "arn:aws:iam::111122223333:root", "*"}).Draw(t, "principal"))
	if err != nil {
		t.Fatal(err)
	}
	s := policy.Statement{
		Effect:    rapid.SampledFrom([]policy.Effect{policy.Allow, policy.Deny}).Draw(t, "effect"),
		Principal: policy.Principals{List: []policy.Principal{aws}},
		Actions:   some(t, actions[:2], 1),
	}
	for _, key := range some(t, keys[:2], 0) {
		s.Conditions = append(s.Conditions, policy.Condition{Operator: "StringEquals", Key: key, Values: some(t, []string{"a", "b"}, 1)})
	}
	return policy.Document{Version: "2012-10-17", Statements: []policy.Statement{s}}
}

// Where the two differ, and why ours is the answer we want.
func TestKnownDifferencesFromThePeer(t *testing.T) {
	statement := func(sid, more string) string {
		return `{"Sid":"` + sid + `","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"` + more + `}`
	}
	document := func(statements string) string { return `{"Version":"2008-10-17","Statement":[` + statements + `]}` }
	a, b := statement("a", ""), statement("b", "")
	for _, c := range []struct {
		reason, one, other string
		ours               bool
	}{
		{
			"case does not count in names of keys", document(statement("a", `,"Condition":{"Bool":{"a:b":"c"}}`)),
			document(statement("a", `,"Condition":{"Bool":{"A:B":"c"}}`)), true,
		},
		{
			"case does not count in actions", document(a),
			`{"Version":"2008-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"STS:assumerole"}]}`, true,
		},
		{"an absent Version means 2008-10-17", document(a), `{"Statement":[` + a + `]}`, true},
		{"an empty Condition has no effect", document(a), document(statement("a", `,"Condition":{}`)), true},
		{"a repeated value means nothing", document(statement("a", `,"Condition":{"Bool":{"a:b":["c","c"]}}`)), document(statement("a", `,"Condition":{"Bool":{"a:b":"c"}}`)), true},
		{"places of findings count statements, so their order is kept", document(a + "," + b), document(b + "," + a), false},
		{
			"an account of another partition is another account", document(a),
			`{"Version":"2008-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":"arn:aws-cn:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`, false,
		},
	} {
		ours := parse(t, c.one).Equal(parse(t, c.other), "aws")
		theirs := peer(t, []byte(c.one), []byte(c.other))
		if ours != c.ours {
			t.Errorf("%s: Equal is %t", c.reason, ours)
		}
		if theirs == c.ours {
			t.Errorf("%s: the peer now agrees; move this case to the agreement test", c.reason)
		}
	}
}
