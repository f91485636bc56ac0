package access_test

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// A named difference explains its own construct and cannot hide anything else:
// were one of the two wrong elsewhere in the same document, it would show.
func TestADifferenceHidesNothingElse(t *testing.T) {
	t.Parallel()
	const statement = `{"Version":"VERSION","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":CONDITION}]}`
	for _, c := range []struct {
		name, version, condition, context string
		judge                             access.Decision
		explained                         string
	}{
		{"a version", "2008-10-17", `{"StringEquals":{"k":"${l}"}}`, `"k":"a","l":"a"`, access.Allowed, "variables without Version 2012-10-17"},
		{"a version, and the value is another", "2008-10-17", `{"StringEquals":{"k":"${l}"}}`, `"k":"a","l":"b"`, access.Allowed, ""},
		{"a version, and another key is wrong", "2008-10-17", `{"StringEquals":{"k":"${l}","m":"x"}}`, `"k":"a","l":"a","m":"y"`, access.Allowed, ""},
		{"no value", "2012-10-17", `{"StringNotEquals":{"k":"${l}"}}`, `"k":"a"`, access.Denied, "unresolved variable under a negated operator"},
		{"no value, and the operator is positive", "2012-10-17", `{"StringEquals":{"k":"${l}"}}`, `"k":"a"`, access.Allowed, ""},
		{"no value, but a value", "2012-10-17", `{"StringNotEquals":{"k":"${l}"}}`, `"k":"a","l":"b"`, access.Denied, ""},
		{"an empty value", "2012-10-17", `{"StringEquals":{"k":"a${l}"}}`, `"k":"a","l":""`, access.Denied, "variable whose value is empty"},
		{"an empty value, but of the key itself", "2012-10-17", `{"StringEquals":{"k":""}}`, `"k":"","l":""`, access.Denied, ""},
		{"a special character", "2012-10-17", `{"StringEquals":{"k":"${*}"}}`, `"k":"*"`, access.Denied, "${*}, ${?} and ${$} where wildcards do not count"},
		{"a special character where they do", "2012-10-17", `{"StringLike":{"k":"${*}"}}`, `"k":"*"`, access.Denied, ""},
		{"an empty text", "2012-10-17", `{"ForAllValues:StringEquals":{"k":"a"}}`, `"k":[""]`, access.Denied, "empty text under a set operator"},
		{"no text", "2012-10-17", `{"ForAllValues:StringEquals":{"k":"a"}}`, `"k":[]`, access.Denied, ""},
		{"seconds", "2012-10-17", `{"DateLessThan":{"k":"2024-01-01T00:00:00Z"}}`, `"k":"1704067201"`, access.Allowed, "seconds since 1970"},
		{"seconds on both sides", "2012-10-17", `{"DateLessThan":{"k":"1704067200"}}`, `"k":"1704067201"`, access.Allowed, ""},
		{"a plain text", "2012-10-17", `{"StringEquals":{"k":"a"}}`, `"k":"A"`, access.Allowed, ""},
		{"an unconditional Allow", "2012-10-17", `{}`, ``, access.Denied, ""},
	} {
		text := strings.NewReplacer("VERSION", c.version, "CONDITION", c.condition).Replace(statement)
		d := parse(t, text)
		r := parseRequest(t, `{"action":"sts:AssumeRole","caller":`+bob+`,"context":{`+c.context+`}}`)
		if ours := access.Evaluate(d, r).Decision; ours == c.judge || ours == access.Undecided {
			t.Fatalf("%s: access says %v: there is nothing to explain", c.name, ours)
		}
		names, ok := explain(d, r, c.judge)
		if got := strings.Join(names, " + "); got != c.explained || ok != (c.explained != "") {
			t.Errorf("%s: explained by %q, want %q", c.name, got, c.explained)
		}
	}
}

// Every difference says whom AWS bears out, in AWS's words.
func TestEveryDifferenceIsArgued(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, d := range differences {
		if d.name == "" || d.page == "" || d.says == "" || seen[d.name] {
			t.Errorf("%+v", d)
		}
		seen[d.name] = true
	}
}
