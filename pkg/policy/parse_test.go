package policy_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// with puts an element into an otherwise sound statement.
func with(element string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole",` + element + `}]}`
}

// principal makes a sound document but for its Principal.
func principal(value string) string {
	return `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":` + value + `}]}`
}

// refusal is a text that must not be taken for a policy. place and problem are
// what its author needs in order to find and mend it.
type refusal struct{ name, text, place, problem string }

func refuse(t *testing.T, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d, err := policy.Parse([]byte(c.text))
			var syntax *policy.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("read as %s, error %v", d.Print(), err)
			}
			if syntax.Place != c.place || !strings.Contains(syntax.Error(), c.problem) {
				t.Errorf("got %v\nwant place %q and %q", err, c.place, c.problem)
			}
			if syntax.Problem == "" || syntax.Remedy == "" {
				t.Errorf("%#v lacks its problem or its remedy", syntax)
			}
			if syntax.Offset < 0 || syntax.Offset > int64(len(c.text)) {
				t.Errorf("offset %d is outside the text", syntax.Offset)
			}
			if len(d.Statements) > 0 {
				t.Error("a document came with the error")
			}
		})
	}
}

func TestT16KeywordsHaveOneCase(t *testing.T) {
	refuse(t, []refusal{
		{"effect", `{"Statement":[{"effect":"Allow"}]}`, "Statement[0].effect", `unknown element "effect": write Effect`},
		{"EFFECT beside Effect", with(`"EFFECT":"Deny"`), "Statement[0].EFFECT", "differs only in case"},
		{"statement", `{"statement":[]}`, "statement", "write Statement"},
		{"allow", `{"Statement":[{"Effect":"allow"}]}`, "Statement[0].Effect", `unknown effect "allow": write Allow or Deny`},
		{"aws", principal(`{"aws":"111122223333"}`), "Statement[0].Principal.aws", "write AWS"},
		{"unknown", with(`"Comment":"x"`), "Statement[0].Comment", "unknown element"},
	})
}

// Every letter that some reader folds to a letter of a keyword.
func TestT17NoOtherLetterMakesAKeyword(t *testing.T) {
	words := []string{"Version", "Statement", "Effect", "Principal", "Action", "Condition", "AWS"}
	text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole","Condition":{}}]}`
	if _, err := policy.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, word := range words {
		for i, letter := range word {
			for r := unicode.SimpleFold(letter); r != letter; r = unicode.SimpleFold(r) {
				folded := word[:i] + string(r) + word[i+1:]
				for _, spelling := range []string{folded, escaped(folded)} {
					tried++
					if d, err := policy.Parse([]byte(strings.Replace(text, `"`+word+`"`, `"`+spelling+`"`, 1))); err == nil {
						t.Errorf("%s was read as %s: %s", spelling, word, d.Print())
					}
				}
			}
		}
	}
	if tried < 80 {
		t.Errorf("only %d spellings tried", tried)
	}
}

// escaped writes the letters outside ASCII as escapes.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		b.WriteString(map[rune]string{0x17F: `\u017f`, 0x212A: `\u212a`}[r])
	}
	return b.String()
}

func TestT18NoNameTwice(t *testing.T) {
	refuse(t, []refusal{
		{"document", `{"Version":"2012-10-17","Version":"2012-10-17"}`, "Version", "appears twice"},
		{"escaped", `{"Statement":[{"Effect":"Allow","\u0045ffect":"Deny"}]}`, "Statement[0].Effect", "appears twice"},
		{"principal", principal(`{"AWS":"111122223333","AWS":"*"}`), "Statement[0].Principal.AWS", "appears twice"},
		{"operator", with(`"Condition":{"Bool":{},"Bool":{}}`), "Statement[0].Condition.Bool", "appears twice"},
		{"operator in another case", with(`"Condition":{"Bool":{},"bool":{}}`), "Statement[0].Condition.bool", "differs only in case"},
		{"key", with(`"Condition":{"Bool":{"a:b":"x","a:b":"y"}}`), "Statement[0].Condition.Bool.a:b", "appears twice"},
		{"T34 key in another case", with(`"Condition":{"Bool":{"a:b":"x","A:B":"y"}}`), "Statement[0].Condition.Bool.A:B", "differs only in case"},
	})
}

func TestT19StatementsDoNotMerge(t *testing.T) {
	refuse(t, []refusal{{
		"a Deny over an Allow",
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}],"Statement":[{"Effect":"Deny"}]}`,
		"Statement", "appears twice",
	}})
}

func TestT20OnlySoundCharacters(t *testing.T) {
	refuse(t, []refusal{
		{"invalid UTF-8", with("\"Sid\":\"\xff\""), "Statement[0].Sid", "not valid JSON"},
		{"overlong", with("\"Sid\":\"\xc0\xaf\""), "Statement[0].Sid", "not valid JSON"},
		{"lone surrogate", with(`"Sid":"\ud800"`), "Statement[0].Sid", "not valid JSON"},
		{"byte order mark", "\xef\xbb\xbf" + with(`"Sid":"x"`), "", "byte order mark"},
		{"NUL outside", "\x00" + with(`"Sid":"x"`), "", "not valid JSON"},
		{"NUL escaped", with(`"Sid":"a\u0000"`), "Statement[0].Sid", `the character '\x00' in "a\x00"`},
		{"NUL raw", with("\"Sid\":\"a\x00\""), "Statement[0].Sid", "not valid JSON"},
		{"beyond U+00FF", with(`"Sid":"Ā"`), "Statement[0].Sid", `'\u0100'`},
		{"beyond U+FFFF", with(`"Sid":"😀"`), "Statement[0].Sid", `'\U0001f600'`},
		{"control in a name", with(`"a\u0007":"x"`), `Statement[0]."a\a"`, "IAM refuses the character"},
		{"control in a principal", principal(`{"AWS":"arn:aws:iam::111122223333:user/a\u0001"}`), "Statement[0].Principal.AWS", "IAM refuses"},
	})
	for _, fine := range []string{`"Sid":"\t\n\r"`, `"Sid":"ÿ\u007f\u0080"`} {
		if _, err := policy.Parse([]byte(with(fine))); err != nil {
			t.Errorf("%s: %v", fine, err)
		}
	}
}

func TestT21NothingFollowsTheEnd(t *testing.T) {
	sound := with(`"Sid":"x"`)
	refuse(t, []refusal{
		{"document", sound + sound, "", "follows the end"},
		{"bracket", sound + "}", "", "follows the end"},
		{"letter", sound + " x", "", "follows the end"},
		{"NUL", sound + "\x00", "", "follows the end"},
		{"cut", sound[:len(sound)-1], "", "not valid JSON"},
		{"empty", "", "", "ends too early"},
		{"blank", " \n", "", "ends too early"},
	})
	if _, err := policy.Parse([]byte(sound + " \r\n\t")); err != nil {
		t.Errorf("white space at the end: %v", err)
	}
}

func TestT22DepthAndSizeAreBounded(t *testing.T) {
	long := with(`"Sid":"x"`)
	statement := `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}`
	many := func(n int) string {
		return `{"Statement":[` + strings.TrimSuffix(strings.Repeat(statement+",", n), ",") + `]}`
	}
	refuse(t, []refusal{
		{"33 deep", with(`"Condition":` + strings.Repeat(`{"x":`, 32) + `1` + strings.Repeat("}", 32)), "", "deeper than 32"},
		{"bomb", strings.Repeat("[", 100000), "", "deeper than 32"},
		{"too long", long + strings.Repeat(" ", policy.MaxBytes-len(long)+1), "", "longer than 131072"},
		{"too many principals", strings.Replace(many(1), `"*"`, `["*"`+strings.Repeat(`,"*"`, policy.MaxPrincipals)+`]`, 1), "Statement[0].Principal.AWS[8192]", "more than 8192 principals"},
		{"too many", many(policy.MaxStatements + 1), "Statement[512]", "more than 512 statements"},
	})
	for name, fine := range map[string]string{
		"padded up to the bound": long + strings.Repeat(" ", policy.MaxBytes-len(long)),
		"512 statements":         many(policy.MaxStatements),
		"two bytes a character":  with(`"Sid":"` + strings.Repeat("é", 100000) + `"`),
		"brackets in a string":   with(`"Sid":"` + strings.Repeat(`[{\"`, 100) + `"`),
	} {
		if _, err := policy.Parse([]byte(fine)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestT23NumbersAreNoPrincipals(t *testing.T) {
	refuse(t, []refusal{
		{"one", principal(`{"AWS":111122223333}`), "Statement[0].Principal.AWS", `not the number "111122223333": put the account id in quotation marks`},
		{"among others", principal(`{"AWS":["111122223333",12]}`), "Statement[0].Principal.AWS[1]", "not the number"},
		{"action", `{"Statement":[{"Effect":"Allow","Action":1}]}`, "Statement[0].Action", "must be a string, not a number"},
	})
	d := parse(t, with(`"Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":[3600,1.50,1e3]},"Bool":{"aws:MultiFactorAuthPresent":true}}`))
	if got := strings.Join(d.Statements[0].Conditions[0].Values, " "); got != "3600 1.50 1e3" {
		t.Errorf("numbers lost their spelling: %s", got)
	}
	if got := d.Statements[0].Conditions[1].Values[0]; got != "true" {
		t.Errorf("boolean became %s", got)
	}
}

func TestT24ShapesThatAreNeitherOneNorMany(t *testing.T) {
	refuse(t, []refusal{
		{"document array", `[]`, "", "not an array"},
		{"no statement", `{"Version":"2012-10-17"}`, "", "no statement"},
		{"no statements", `{"Statement":[]}`, "Statement", "list of statements is empty"},
		{"null statement", `{"Statement":null}`, "Statement", "not null"},
		{"nested statements", `{"Statement":[[]]}`, "Statement[0]", "not an array"},
		{"nested actions", with(`"Resource":[["*"]]`), "Statement[0].Resource[0]", "not an array"},
		{"null action", with(`"NotAction":null`), "Statement[0].NotAction", "not null"},
		{"empty action", with(`"NotAction":""`), "Statement[0].NotAction", "is empty"},
		{"no actions", `{"Statement":[{"Action":[]}]}`, "Statement[0].Action", "list is empty"},
		{"principal string", principal(`"111122223333"`), "Statement[0].Principal", `an object or "*", not "111122223333"`},
		{"principal list", principal(`["*"]`), "Statement[0].Principal", "an object"},
		{"empty principal", principal(`{}`), "Statement[0].Principal", "no principal is named"},
		{"no principals", principal(`{"Service":"ec2.amazonaws.com","AWS":[]}`), "Statement[0].Principal.AWS", "list of principals is empty"},
		{"null principal", principal(`{"AWS":null}`), "Statement[0].Principal.AWS", "not null"},
		{"condition list", with(`"Condition":[]`), "Statement[0].Condition", "not an array"},
		{"operator string", with(`"Condition":{"Bool":"true"}`), "Statement[0].Condition.Bool", `not a string "true"`},
		{"null value", with(`"Condition":{"Bool":{"a:b":null}}`), "Statement[0].Condition.Bool.a:b", "not null"},
		{"null in values", with(`"Condition":{"Bool":{"a:b":["x",null]}}`), "Statement[0].Condition.Bool.a:b[1]", "not null"},
		{"object in values", with(`"Condition":{"Bool":{"a:b":{"c":"d"}}}`), "Statement[0].Condition.Bool.a:b", "not an object"},
		{"empty key", with(`"Condition":{"Bool":{"":"x"}}`), "Statement[0].Condition.Bool", "a name is empty"},
		{"version number", `{"Version":2012}`, "Version", "not a number"},
		{"unknown version", `{"Version":"2012-10-18"}`, "Version", `unknown policy version "2012-10-18"`},
		{"empty version", `{"Version":""}`, "Version", "unknown policy version"},
	})
}

// A statement must say who, what, and whether.
func TestStatementsAreComplete(t *testing.T) {
	refuse(t, []refusal{
		{"no effect", `{"Statement":{"Principal":"*","Action":"a"}}`, "Statement[0]", "no Effect"},
		{"no principal", `{"Statement":{"Effect":"Deny","Action":"a"}}`, "Statement[0]", "no Principal"},
		{"no action", `{"Statement":[{"Effect":"Deny","Principal":"*"}]}`, "Statement[0]", "no Action"},
		{"both principals", with(`"NotPrincipal":"*"`), "Statement[0]", "both Principal and NotPrincipal"},
		{"both actions", with(`"NotAction":"a"`), "Statement[0]", "both Action and NotAction"},
		{"both resources", with(`"Resource":"*","NotResource":"*"`), "Statement[0]", "both Resource and NotResource"},
	})
}

// A pasted blank would make a principal that matches nobody, or somebody else.
func TestBlankSpaceAroundAPrincipalIsNamed(t *testing.T) {
	refuse(t, []refusal{
		{"before", principal(`{"AWS":" 111122223333"}`), "Statement[0].Principal.AWS", `blank space around the principal " 111122223333": write "111122223333"`},
		{"after", principal(`{"Service":["ec2.amazonaws.com\n"]}`), "Statement[0].Principal.Service[0]", `write "ec2.amazonaws.com"`},
		{"no-break space", principal(`{"AWS":"*\u00a0"}`), "Statement[0].Principal.AWS", `write "*"`},
		{"only", principal(`{"AWS":" "}`), "Statement[0].Principal.AWS", "the principal is empty"},
	})
}

// What has no effect, or none that is known, is kept for the rules to judge.
func TestOddConditionsAreKept(t *testing.T) {
	for text, want := range map[string]string{
		`"Condition":{}`:                               `"Condition":{}}`,
		`"Condition":{"StringEquals":{}}`:              `"Condition":{"StringEquals":{}}}`,
		`"Condition":{"StringEquals":{"a:b":[]}}`:      `"Condition":{"StringEquals":{"a:b":[]}}}`,
		`"Condition":{"stringequals":{"a:b":["x"]}}`:   `"Condition":{"stringequals":{"a:b":"x"}}}`,
		`"Condition":{"NullIfExists":{"a:b":false}}`:   `"Condition":{"NullIfExists":{"a:b":"false"}}}`,
		`"NotResource":["a","b"],"Condition":{"X":{}}`: `"NotResource":["a","b"],"Condition":{"X":{}}}`,
	} {
		if got := string(parse(t, with(text)).Print()); !strings.Contains(got, want) {
			t.Errorf("%s is printed as %s", text, got)
		}
	}
}

// An error goes to logs and alerts: neither a shared secret nor a flood.
func TestErrorsShowNoSecretAndNoFlood(t *testing.T) {
	for _, value := range []string{
		`{"x":"hunter2"}`, `[null,"hunter2"]`, `"hunter2\u0000"`, `["hunter2",null]`, `"hunter2\ud800"`, `"a","sts:EXTERNALID":"hunter2"`,
		`"hunter2`, "\"hunter2\xff\"", `"hunter2\q"`,
		`"hunter2" 1`,
	} {
		_, err := policy.Parse([]byte(with(`"Condition":{"StringEquals":{"sts:ExternalId":` + value + `}}`)))
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "ud800") {
			t.Errorf("%s gives %v", value, err)
		}
	}
	_, err := policy.Parse([]byte(`{"Version":"` + strings.Repeat("x", 5000) + `"}`))
	if err == nil || len(err.Error()) > 200 {
		t.Errorf("the error has %d bytes", len(err.Error()))
	}
	_, err = policy.Parse([]byte(`{"Version":"\n\u001b[31m"}`))
	if err == nil || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("the error is not escaped: %q", err)
	}
}

// An editor can jump to the element that is wrong.
func TestOffsetsPointAtTheElement(t *testing.T) {
	for text, at := range map[string]string{
		`{"Statement": [ {"Effect" : "Maybe"} ]}`:         `"Maybe"`,
		`{"Statement": [ {"effect" : "Allow"} ]}`:         `"effect"`,
		`{"Statement": [ {"Effect" : "Allow"} ]}`:         `{"Effect"`,
		principal(`{"AWS": ["111122223333", " *"]}`):      `" *"`,
		`{"Statement": [ {"Sid" : "a", "Sid" : "b"} ]}`:   `"Sid" : "b"`,
		`{"Statement": [ {"Effect" : "Allow" "x"} ]}`:     `"x"`,
		with(`"Condition": {"Bool": {"a:b": [1, null]}}`): `null`,
	} {
		_, err := policy.Parse([]byte(text))
		var syntax *policy.SyntaxError
		if !errors.As(err, &syntax) || !strings.HasPrefix(text[syntax.Offset:], at) {
			t.Errorf("%s: %v at %s", text, err, text[syntax.Offset:])
		}
	}
}
