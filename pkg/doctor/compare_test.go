package doctor

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// word is a short text; few different ones, so that they meet.
func word() *rapid.Generator[string] { return rapid.SampledFrom([]string{"a", "b", "c", "d", "*"}) }

func words1() *rapid.Generator[[]string] {
	return rapid.SliceOfNDistinct(word(), 1, 3, rapid.ID)
}

// statement draws a policy's statement, every list in its long form.
func statement() *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		return map[string]any{
			"Sid": word().Draw(t, "sid"), "Effect": rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect"),
			"Principal": map[string]any{"AWS": words1().Draw(t, "principal")},
			"Action":    words1().Draw(t, "action"), "Resource": words1().Draw(t, "resource"),
			"Condition": map[string]any{"StringEquals": map[string]any{word().Draw(t, "key"): words1().Draw(t, "values")}},
		}
	})
}

func written(t *rapid.T, statements []map[string]any) string {
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// other writes a statement in other words: lists in another order, lists of one
// as their entry, everybody as IAM writes it, another id.
func other(t *rapid.T, s map[string]any) map[string]any {
	short := func(v any) any {
		list := rapid.Permutation(slices.Clone(v.([]string))).Draw(t, "order")
		if len(list) == 1 && rapid.Bool().Draw(t, "short") {
			return list[0]
		}
		return list
	}
	out := map[string]any{"Sid": "other", "Effect": s["Effect"], "Action": short(s["Action"]), "Resource": short(s["Resource"])}
	principal := short(s["Principal"].(map[string]any)["AWS"])
	out["Principal"] = map[string]any{"AWS": principal}
	if principal == "*" && rapid.Bool().Draw(t, "everybody") {
		out["Principal"] = "*"
	}
	keys := map[string]any{}
	for key, values := range s["Condition"].(map[string]any)["StringEquals"].(map[string]any) {
		keys[key] = short(values)
	}
	out["Condition"] = map[string]any{"StringEquals": keys}
	return out
}

// A policy that means the same is not called different, however AWS writes it.
func TestTheSamePolicyInOtherWordsIsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy := rapid.SliceOfN(statement(), 1, 4).Draw(t, "policy")
		var again []map[string]any
		for _, s := range rapid.Permutation(policy).Draw(t, "order") {
			again = append(again, other(t, s))
		}
		lacks, extra, err := compareDocuments(written(t, policy), written(t, again))
		if err != nil || len(lacks)+len(extra) != 0 {
			t.Fatalf("lacks %q, extra %q, %v", lacks, extra, err)
		}
	})
}

// T2: whatever is changed in a statement is seen, on both sides.
func TestAChangedStatementIsSeen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy := rapid.SliceOfN(statement(), 1, 4).Draw(t, "policy")
		changed := slices.Clone(policy)
		at := rapid.IntRange(0, len(policy)-1).Draw(t, "at")
		s := other(t, policy[at])
		switch rapid.IntRange(0, 4).Draw(t, "what") {
		case 0:
			s["Effect"] = "Maybe"
		case 1:
			s["Principal"] = map[string]any{"AWS": "mallory"}
		case 2:
			s["Action"] = []string{"mallory"}
		case 3:
			delete(s, "Condition")
		case 4:
			s["NotAction"] = "mallory"
		}
		changed[at] = s
		lacks, extra, err := compareDocuments(written(t, policy), written(t, changed))
		if err != nil || len(lacks) != 1 || len(extra) != 1 {
			t.Fatalf("lacks %q, extra %q, %v", lacks, extra, err)
		}
	})
}

// One statement need not be in a list.
func TestOneStatementNeedsNoList(t *testing.T) {
	t.Parallel()
	const one = `{"Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":"*"}`
	lacks, extra, err := compareDocuments(`{"Statement":[`+one+`]}`, `{"Statement":`+one+`}`)
	if err != nil || len(lacks)+len(extra) != 0 {
		t.Errorf("lacks %q, extra %q, %v", lacks, extra, err)
	}
}

// What comes from AWS may be anything: it is compared or refused, and never
// breaks a check.
func FuzzCompare(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"a","Resource":"*"}]}`)
	f.Add(`{"Statement":{"Principal":{"AWS":["*"]},"Condition":{"Bool":{"k":["true"]}}}}`)
	f.Add(`{"Statement":[{"Condition":[1],"Principal":7}]}`)
	f.Add(`{"Statement":null}`)
	f.Add(`[]`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, text string) {
		lacks, extra, err := compareDocuments(text, text)
		if err == nil && len(lacks)+len(extra) != 0 {
			t.Errorf("it differs from itself: %q, %q", lacks, extra)
		}
		if same, err := samePattern(text, text); err == nil && !same {
			t.Error("a pattern differs from itself")
		}
	})
}
