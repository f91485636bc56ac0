package access_test

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"pgregory.net/rapid"
)

// rank orders decisions by how much they let in.
func rank(d access.Decision) int {
	return slices.Index([]access.Decision{access.Denied, access.Undecided, access.Allowed}, d)
}

// A Deny, whatever it says, lets nobody in.
func TestAddingADenyNeverAddsAccess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, r, s := document(t), request(t), statement(t)
		s.Effect = policy.Deny
		before := access.Evaluate(d, r)
		d.Statements = append(slices.Clone(d.Statements), s)
		if after := access.Evaluate(d, r); rank(after.Decision) > rank(before.Decision) {
			t.Fatalf("%+v becomes %+v", before, after)
		}
	})
}

// T35: an Allow, whatever it says, keeps nobody out; without a condition it
// leaves no doubt but a Deny's.
func TestAddingAnAllowNeverRemovesAccess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, r, s := document(t), request(t), statement(t)
		s.Effect = policy.Allow
		before := access.Evaluate(d, r)
		d.Statements = append(slices.Clone(d.Statements), s)
		if after := access.Evaluate(d, r); rank(after.Decision) < rank(before.Decision) {
			t.Fatalf("%+v becomes %+v", before, after)
		}
	})
}

// Order means nothing anywhere in a policy.
func TestOrderNeverMatters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, r := document(t), request(t)
		e := d
		e.Statements = rapid.Permutation(d.Statements).Draw(t, "statements")
		for i, s := range e.Statements {
			s.Actions, s.NotActions = slices.Clone(s.Actions), slices.Clone(s.NotActions)
			slices.Reverse(s.Actions)
			slices.Reverse(s.NotActions)
			s.Principal.List = slices.Clone(s.Principal.List)
			slices.Reverse(s.Principal.List)
			s.Conditions = slices.Clone(s.Conditions)
			slices.Reverse(s.Conditions)
			for j, c := range s.Conditions {
				s.Conditions[j].Values = rapid.Permutation(c.Values).Draw(t, "values")
			}
			e.Statements[i] = s
		}
		q := r
		q.Actions = slices.Clone(r.Actions)
		slices.Reverse(q.Actions)
		if a, b := access.Evaluate(d, r), access.Evaluate(e, q); a.Decision != b.Decision {
			t.Fatalf("%+v or %+v", a, b)
		}
	})
}

// The canonical form decides as the document itself does, also when the
// request's keys are spelled otherwise: what IAM rewrites changes nothing.
func TestSpellingNeverMatters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, r := document(t), request(t)
		e, err := policy.Parse(d.Canonical("aws"))
		if err != nil {
			// Two conditions of one operator and key cannot be printed: another
			// example is drawn in place of this one.
			t.Skip()
		}
		q := r
		q.Context = map[string]access.Value{}
		for key, v := range r.Context {
			q.Context[strings.ToUpper(key)] = v
		}
		if a, b := access.Evaluate(d, r), access.Evaluate(e, q); a.Decision != b.Decision {
			t.Fatalf("%+v or %+v", a, b)
		}
	})
}

// readings gives every document that results from taking each doubtful
// condition to hold, or not to hold.
func readings(d policy.Document) []policy.Document {
	for i, s := range d.Statements {
		at := slices.IndexFunc(s.Conditions, func(c policy.Condition) bool { return c.Operator == doubt })
		if at < 0 {
			continue
		}
		holds := d
		holds.Statements = slices.Clone(d.Statements)
		holds.Statements[i].Conditions = slices.Delete(slices.Clone(s.Conditions), at, at+1)
		fails := d
		fails.Statements = slices.Delete(slices.Clone(d.Statements), i, i+1)
		return append(readings(holds), readings(fails)...)
	}
	return []policy.Document{d}
}

// Doubt is no hiding place: a decision is given exactly when every reading of
// the doubtful elements gives the same one.
func TestUndecidedExactlyWhereReadingsDiffer(t *testing.T) {
	seen := map[access.Decision]int{}
	decided := func(t *rapid.T) {
		d, r := document(t), request(t)
		got := access.Evaluate(d, r).Decision
		allowed, denied := 0, 0
		for _, reading := range readings(d) {
			switch decision := access.Evaluate(reading, r).Decision; decision {
			case access.Allowed:
				allowed++
			case access.Denied:
				denied++
			case access.Undecided:
				t.Fatalf("a reading without doubt is %v:\n%s", decision, reading.Print())
			}
		}
		want := access.Undecided
		switch {
		case denied == 0:
			want = access.Allowed
		case allowed == 0:
			want = access.Denied
		}
		if got != want {
			t.Fatalf("%v, but %d readings allow and %d deny:\n%s", got, allowed, denied, d.Print())
		}
		seen[got]++
	}
	// A hundred examples may lack one of the decisions by chance; this many do not.
	for round := 0; round < 100 && len(seen) < 3; round++ {
		rapid.Check(t, decided)
	}
	for _, d := range []access.Decision{access.Allowed, access.Denied, access.Undecided} {
		if seen[d] == 0 {
			t.Errorf("no example was %v: the test shows nothing", d)
		}
	}
}

// T30: wildcards mean what a regular expression says, over all short patterns
// and texts.
func TestGlobAgainstRegularExpressions(t *testing.T) {
	texts := strs("ab", 5)
	for _, pattern := range strs("ab*?", 5) {
		re := regexp.MustCompile("^" + strings.NewReplacer("*", ".*", "?", ".").Replace(pattern) + "$")
		for _, text := range texts {
			if got, want := access.MatchGlob(access.Wild(pattern), text), re.MatchString(text); got != want {
				t.Fatalf("%q on %q: %t", pattern, text, got)
			}
		}
	}
	for _, text := range strs("a*?", 4) {
		for _, other := range strs("a*?", 4) {
			if got := access.MatchGlob(access.Literal(text), other); got != (text == other) {
				t.Fatalf("literal %q on %q: %t", text, other, got)
			}
		}
	}
}

// strs gives every text over an alphabet up to a length.
func strs(alphabet string, most int) []string {
	out := []string{""}
	for from := 0; most > 0; most-- {
		end := len(out)
		for _, s := range out[from:end] {
			for _, c := range alphabet {
				out = append(out, s+string(c))
			}
		}
		from = end
	}
	return out
}

// A pattern of many stars cannot be made to take long.
func TestGlobIsNotExponential(t *testing.T) {
	if access.MatchGlob(access.Wild(strings.Repeat("a*", 2000)+"b"), strings.Repeat("a", 20000)) {
		t.Error("matched")
	}
}

// Numbers are compared exactly, however long.
func TestNumbersAgainstRationals(t *testing.T) {
	number := rapid.StringMatching(`-?[0-9]{1,25}(\.[0-9]{1,25})?|-?0{0,3}[0-2](\.[0-2]0{0,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "policy"), number.Draw(t, "request")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		order := y.Cmp(x)
		for name, want := range map[string]bool{
			"NumericEquals": order == 0, "NumericLessThan": order < 0, "NumericLessThanEquals": order <= 0,
			"NumericGreaterThan": order > 0, "NumericGreaterThanEquals": order >= 0,
		} {
			op, _ := policy.ParseOperator(name)
			if got := access.Match(op, a, b); (got == access.Yes) != want || got == access.Unsettled {
				t.Fatalf("%s %s %s: %v", b, name, a, got)
			}
		}
	})
}

// The truth tables of three values.
func TestTri(t *testing.T) {
	for _, c := range []struct{ a, b, and, or access.Tri }{
		{yes, yes, yes, yes},
		{yes, no, no, yes},
		{yes, open, open, yes},
		{no, no, no, no},
		{no, open, no, open},
		{open, open, open, open},
	} {
		if c.a.And(c.b) != c.and || c.b.And(c.a) != c.and || c.a.Or(c.b) != c.or || c.b.Or(c.a) != c.or {
			t.Errorf("%v and %v", c.a, c.b)
		}
	}
}
