package rules

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	awspolicy "github.com/hashicorp/awspolicyequivalence"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// lawRuns is how many documents each law is tried on; the variable
// ROLEWARDEN_LAWS asks for more.
func lawRuns(t *testing.T) int {
	t.Helper()
	text := os.Getenv("ROLEWARDEN_LAWS")
	if text == "" {
		return 150
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("ROLEWARDEN_LAWS=%q is no number", text)
	}
	return n
}

// drawer makes documents out of the corpus's statements.
type drawer struct {
	*rand.Rand
	pool []policy.Statement
	base Input
}

func newDrawer(t *testing.T) *drawer {
	t.Helper()
	d := &drawer{Rand: rand.New(rand.NewPCG(4, 2))}
	for _, p := range readCorpus(t) {
		doc, err := policy.Parse([]byte(p.text))
		if err == nil && p.in.Role.Partition == "aws" && p.in.Org.Member("999999999999") && len(p.in.Org.Settings) == 0 {
			d.pool, d.base = append(d.pool, doc.Statements...), p.in
		}
	}
	d.base.Role = roleOf(t, "arn:aws:iam::111122223333:role/app")
	return d
}

func (d *drawer) statement() policy.Statement { return d.pool[d.IntN(len(d.pool))] }

func (d *drawer) document() policy.Document {
	doc := policy.Document{Version: []string{"2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17"}[d.IntN(4)]}
	for range 1 + d.IntN(4) {
		doc.Statements = append(doc.Statements, d.statement())
	}
	return doc
}

// Laws of equal meaning, each on documents drawn at random from the corpus's
// statements: none of these changes may change the verdict or what any rule says.
func TestLawsOfSameness(t *testing.T) {
	laws := map[string]func(*drawer, string) string{
		"order":                    shuffled,
		"blank space":              spaced,
		"letter case of key names": recased,
		"account id or root ARN":   rerooted,
		"a list of one":            listed,
	}
	for name, law := range laws {
		t.Run(name, func(t *testing.T) {
			d := newDrawer(t)
			for range lawRuns(t) {
				text := string(d.document().Print())
				other := law(d, text)
				sameSay(t, d.base, text, other)
			}
			t.Logf("%d documents", lawRuns(t))
		})
	}
}

func sameSay(t *testing.T, in Input, text, other string) {
	t.Helper()
	a, b := JudgeText(in, text), JudgeText(in, other)
	if a.Verdict != b.Verdict || !slices.Equal(saidBy(a), saidBy(b)) {
		t.Fatalf("%v %v\n%s\nbecame %v %v\n%s", a.Verdict, saidBy(a), text, b.Verdict, saidBy(b), other)
	}
}

// What another project's comparison calls equivalent gets one verdict.
func TestLawOfEquivalence(t *testing.T) {
	d := newDrawer(t)
	tried := 0
	for tried < lawRuns(t) {
		text := string(d.document().Print())
		other := text
		for _, law := range []func(*drawer, string) string{shuffled, spaced, rerooted, listed} {
			if d.IntN(2) == 0 {
				other = law(d, other)
			}
		}
		same, err := awspolicy.PoliciesAreEquivalent(text, other)
		if err != nil || !same {
			continue
		}
		tried++
		sameSay(t, d.base, text, other)
	}
	t.Logf("%d pairs", tried)
}

// T35: an unguarded Allow more never improves a verdict. Rules whose findings
// are about access that is missing, or about text without effect, are left out:
// an Allow may give the first and lend the second an effect.
func TestLawOfTheAllow(t *testing.T) {
	d := newDrawer(t)
	open := parsed(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["222222222222","444455556666","123456789012","*"]},"Action":"sts:*"}]}`).Statements[0]
	for range lawRuns(t) {
		doc := d.document()
		more := policy.Document{Version: doc.Version, Statements: append(slices.Clone(doc.Statements), open)}
		if d.IntN(2) == 0 {
			some := d.statement()
			some.Effect, some.Conditions = policy.Allow, nil
			more.Statements[len(doc.Statements)] = some
		}
		before, after := of(d.base, doc), of(d.base, more)
		if rank(after) < rank(before) {
			t.Fatalf("%v became %v\n%s", before, after, more.Print())
		}
	}
	t.Logf("%d documents", lawRuns(t))
}

// of judges by the rules that speak of who is let in.
func of(in Input, doc policy.Document) finding.Verdict {
	in.Document = doc
	r := Judge(in)
	r.Findings = slices.DeleteFunc(r.Findings, func(f finding.Finding) bool { return f.Evidence.Kind != finding.Allowed })
	r.Reasons = slices.DeleteFunc(r.Reasons, func(s string) bool {
		return strings.Contains(s, setSourceIdentityID) && !strings.Contains(s, ", ")
	})
	return report(r.Findings, r.Reasons).Verdict
}

// A Deny more never lets anybody in.
func TestLawOfTheDeny(t *testing.T) {
	d := newDrawer(t)
	var tally [3]int
	for range lawRuns(t) {
		doc := d.document()
		deny := d.statement()
		deny.Effect = policy.Deny
		more := policy.Document{Version: doc.Version, Statements: append(slices.Clone(doc.Statements), deny)}
		w := World(Input{Org: d.base.Org, Role: d.base.Role, Now: d.base.Now})
		a := proof.Compare(doc, more, w).New
		tally[a.Outcome]++
		if a.Outcome == proof.Found {
			t.Fatalf("%s is let in by a Deny\n%s\n%s", a.Witness.Sentence(), doc.Print(), deny.Conditions)
		}
	}
	t.Logf("%d documents: none %d, undecided %d", lawRuns(t), tally[proof.None], tally[proof.Unknown])
}

// shuffled puts statements, lists and members of objects into another order.
func shuffled(d *drawer, text string) string {
	return rewritten(text, func(v any) any {
		if list, ok := v.([]any); ok {
			d.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
		return v
	})
}

// listed writes a list of one as its element and an element as a list of one.
func listed(d *drawer, text string) string {
	return rewritten(text, func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				inner := v[name]
				list, isList := inner.([]any)
				_, isText := inner.(string)
				switch {
				case isList && len(list) == 1 && d.IntN(2) == 0:
					v[name] = list[0]
				case isText && (name == "Action" || name == "AWS" || strings.Contains(name, ":") && !strings.HasPrefix(name, "For")) && d.IntN(2) == 0:
					v[name] = []any{inner}
				}
			}
		}
		return v
	})
}

// rerooted writes account ids as root ARNs and the reverse.
func rerooted(d *drawer, text string) string {
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		return text
	}
	return string(respelled(doc, []func(policy.Principal) string{rootARN, bareID}[d.IntN(2)]).Print())
}

// recased changes the case of letters in the names of condition keys.
func recased(d *drawer, text string) string {
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		return text
	}
	for i := range doc.Statements {
		for j, c := range doc.Statements[i].Conditions {
			doc.Statements[i].Conditions[j].Key = strings.Map(func(r rune) rune {
				switch {
				case r > unicode.MaxASCII || d.IntN(3) > 0:
					return r
				case unicode.IsLower(r):
					return unicode.ToUpper(r)
				default:
					return unicode.ToLower(r)
				}
			}, c.Key)
		}
	}
	return string(doc.Print())
}

// spaced puts blank space wherever JSON takes it.
func spaced(d *drawer, text string) string {
	var b bytes.Buffer
	blank := func() {
		for range d.IntN(3) {
			b.WriteByte(" \t\n\r"[d.IntN(4)])
		}
	}
	inside, escaped := false, false
	for i := range len(text) {
		c := text[i]
		mark := !inside && strings.IndexByte("{}[]:,", c) >= 0
		if mark {
			blank()
		}
		b.WriteByte(c)
		switch {
		case escaped:
			escaped = false
		case inside && c == '\\':
			escaped = true
		case c == '"':
			inside = !inside
		}
		if mark {
			blank()
		}
	}
	return b.String()
}

// rewritten changes every value of a JSON text, innermost first. The order of an
// object's members is that of their names.
func rewritten(text string, change func(any) any) string {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return text
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(walked(v, change)); err != nil {
		return text
	}
	return b.String()
}

func walked(v any, change func(any) any) any {
	switch v := v.(type) {
	case map[string]any:
		// In order, so that a run can be had again.
		for _, k := range slices.Sorted(maps.Keys(v)) {
			v[k] = walked(v[k], change)
		}
	case []any:
		for i, inner := range v {
			v[i] = walked(inner, change)
		}
	}
	return change(v)
}
