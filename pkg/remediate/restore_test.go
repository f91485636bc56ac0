package remediate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	alice = "arn:aws:iam::111122223333:user/alice"
	bob   = "arn:aws:iam::111122223333:user/team/bob"
	vend  = "arn:aws:iam::999999999999:role/vendor"
)

// allow writes a policy of one Allow for some principals.
func allow(principals ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + statement("Allow", principals...) + `]}`
}

func statement(effect string, principals ...string) string {
	return `{"Effect":"` + effect + `","Principal":{"AWS":["` + strings.Join(principals, `","`) + `"]},"Action":["sts:AssumeRole"]}`
}

func ids(pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

// What a baseline becomes when those it names have changed meanwhile.
func TestRestore(t *testing.T) {
	rows := []struct {
		name     string
		document string
		recorded map[string]string
		now      map[string]string
		accepted []string
		want     string
		dropped  []string
		reason   string
	}{
		{name: "everybody is whom they were", document: allow(alice, bob), recorded: ids(alice, "AIDA1", bob, "AIDA2"), now: ids(alice, "AIDA1", bob, "AIDA2"), want: allow(alice, bob)},
		{name: "T48 a name that lives again under another id is dropped", document: allow(alice, bob), recorded: ids(alice, "AIDA1", bob, "AIDA2"), now: ids(alice, "AIDA1", bob, "AIDA9"), want: allow(alice), dropped: []string{bob}},
		{name: "a user that is gone is dropped", document: allow(alice, bob), recorded: ids(alice, "AIDA1", bob, "AIDA2"), now: ids(alice, "AIDA1"), want: allow(alice), dropped: []string{bob}},
		{name: "T48 an orphaned id is dropped and not given a name", document: allow(alice, "AIDA3ZFZ4X6FO5HB76XYS"), recorded: ids(alice, "AIDA1"), now: ids(alice, "AIDA1"), want: allow(alice), dropped: []string{"AIDA3ZFZ4X6FO5HB76XYS"}},
		{name: "T49 the last principal takes its statement along", document: `{"Version":"2012-10-17","Statement":[` + statement("Allow", bob) + `,` + statement("Allow", alice) + `]}`, recorded: ids(alice, "AIDA1", bob, "AIDA2"), now: ids(alice, "AIDA1"), want: allow(alice), dropped: []string{bob}},
		{name: "T49 nobody is left: a quarantine, never an empty list and never *", document: allow(bob), recorded: ids(bob, "AIDA2"), want: remediate.Quarantine(""), dropped: []string{bob}},
		{name: "account, service and federated principals have no id and need none", document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333","Service":"ec2.amazonaws.com","Federated":"arn:aws:iam::111122223333:saml-provider/corp"},"Action":"sts:AssumeRole"}]}`},
		{name: "an ARN whose id is not known refuses", document: allow(alice, vend), recorded: ids(alice, "AIDA1"), now: ids(alice, "AIDA1", vend, "AROA7"), reason: "it is not known whom that stood for"},
		{name: "an ARN whose id is not known, accepted in the rules file", document: allow(alice, vend), recorded: ids(alice, "AIDA1"), now: ids(alice, "AIDA1"), accepted: []string{vend}, want: allow(alice, vend)},
		{name: "accepting an ARN does not bring back one whose id is known and changed", document: allow(alice, bob), recorded: ids(alice, "AIDA1", bob, "AIDA2"), now: ids(alice, "AIDA1", bob, "AIDA9"), accepted: []string{bob}, want: allow(alice), dropped: []string{bob}},
		{name: "a session's ARN is bound to an id like a role's", document: allow("arn:aws:sts::111122223333:assumed-role/app/s1"), reason: "not known whom"},
		{name: "T50 a Deny with a name that lives again is not edited", document: `{"Version":"2012-10-17","Statement":[` + statement("Allow", alice) + `,` + statement("Deny", bob) + `]}`, recorded: ids(alice, "AIDA1", bob, "AIDA2"), now: ids(alice, "AIDA1", bob, "AIDA9"), reason: "never edits a Deny"},
		{name: "T50 a Deny with an orphaned id is not edited", document: `{"Version":"2012-10-17","Statement":[` + statement("Allow", alice) + `,` + statement("Deny", "AIDA3ZFZ4X6FO5HB76XYS") + `]}`, recorded: ids(alice, "AIDA1"), now: ids(alice, "AIDA1"), reason: "never edits a Deny"},
		{name: "T50 a Deny stays when the Allow beside it goes", document: `{"Version":"2012-10-17","Statement":[` + statement("Allow", bob) + `,` + statement("Deny", "*") + `]}`, recorded: ids(bob, "AIDA2"), want: `{"Version":"2012-10-17","Statement":[` + statement("Deny", "*") + `]}`, dropped: []string{bob}},
		{name: "NotPrincipal refuses", document: `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":"` + alice + `"},"Action":"sts:AssumeRole"}]}`, recorded: ids(alice, "AIDA1"), now: ids(alice, "AIDA1"), reason: "NotPrincipal"},
		{name: "a principal of a kind nobody knows refuses", document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"CanonicalUser":"0123456789abcdef"},"Action":"sts:AssumeRole"}]}`, reason: "not known whom"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := role.Baseline{Account: "111122223333", RoleID: "AROAEXAMPLEAPP", Document: row.document, Principals: row.recorded}
			got, err := remediate.Restore(b, row.now, row.accepted)
			if err != nil {
				t.Fatal(err)
			}
			if row.reason != "" {
				if !strings.Contains(got.Reason, row.reason) || got.Document != "" {
					t.Errorf("Restore = %+v, want the reason %q", got, row.reason)
				}
				return
			}
			want := row.want
			if want == "" {
				want = row.document
			}
			if !equal(t, got.Document, want) || got.Reason != "" {
				t.Errorf("Restore = %q (%s)\nwant      %q", got.Document, got.Reason, want)
			}
			if diff := cmp.Diff(row.dropped, got.Dropped); diff != "" {
				t.Errorf("Dropped (-want +got):\n%s", diff)
			}
		})
	}
}

// A baseline that cannot be read is an error, and it says where.
func TestRestoreOfGarbage(t *testing.T) {
	_, err := remediate.Restore(role.Baseline{Account: "111122223333", RoleID: "AROA1", Document: `{"statement":1}`}, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "AROA1") {
		t.Errorf("error %v", err)
	}
}

func equal(t *testing.T, a, b string) bool {
	t.Helper()
	return read(t, a).Equal(read(t, b), "aws")
}

func read(t interface{ Fatalf(string, ...any) }, text string) policy.Document {
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// baselines draws a document of up to four statements over a few names, whom
// they stood for and whom they stand for today.
func baselines() *rapid.Generator[role.Baseline] {
	return rapid.Custom(func(t *rapid.T) role.Baseline {
		names := []string{alice, bob, vend, "111122223333", "*", "AIDA3ZFZ4X6FO5HB76XYS"}
		var statements []string
		for range rapid.IntRange(1, 4).Draw(t, "statements") {
			some := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 4, rapid.ID[string]).Draw(t, "principals")
			effect := rapid.SampledFrom([]string{"Allow", "Allow", "Allow", "Deny"}).Draw(t, "effect")
			statements = append(statements, statement(effect, some...))
		}
		return role.Baseline{Document: `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`, Principals: someIDs(t, "recorded")}
	})
}

func someIDs(t *rapid.T, label string) map[string]string {
	out := map[string]string{}
	for _, arn := range []string{alice, bob, vend} {
		if id := rapid.SampledFrom([]string{"", "AIDA1", "AIDA1", "AIDA2"}).Draw(t, label); id != "" {
			out[arn] = id
		}
	}
	return out
}

// Whoever is named in what Restore gives was named before, and is whom they
// were (T48); Denies are all there, letter by letter (T50).
func TestRestoreNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, now := baselines().Draw(t, "baseline"), someIDs(t, "now")
		got, err := remediate.Restore(b, now, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Document == "" || got.Document == remediate.Quarantine("") {
			if got.Document == "" && got.Reason == "" {
				t.Fatal("refused without a reason")
			}
			return
		}
		old, restored := read(t, b.Document), read(t, got.Document)
		if diff := cmp.Diff(denies(old), denies(restored)); diff != "" {
			t.Fatalf("Denies (-before +after):\n%s", diff)
		}
		if a := proof.Compare(old, restored, proof.World{Own: "111122223333"}).New; a.Outcome != proof.None {
			t.Fatalf("%s lets in more than %s: %v %q", got.Document, b.Document, a.Witness, a.Undecided)
		}
		before := allowed(old)
		for _, name := range allowed(restored) {
			if !slices.Contains(before, name) {
				t.Fatalf("%s is new in %s", name, got.Document)
			}
			if id := b.Principals[name]; strings.HasPrefix(name, "arn:") && (id == "" || id != now[name]) {
				t.Fatalf("%s was %q and is %q, and is let in by %s", name, id, now[name], got.Document)
			}
			if strings.HasPrefix(name, "AIDA") {
				t.Fatalf("the orphan %s is still named in %s", name, got.Document)
			}
		}
	})
}

func denies(d policy.Document) []policy.Statement {
	var out []policy.Statement
	for _, s := range d.Statements {
		if s.Effect == policy.Deny {
			out = append(out, s)
		}
	}
	return out
}

func allowed(d policy.Document) []string {
	var out []string
	for _, s := range d.Statements {
		for _, p := range s.Principal.List {
			if s.Effect == policy.Allow {
				out = append(out, p.Value)
			}
		}
	}
	return out
}

// T67: whom IAM refuses is left out of Allow statements only; what is left lets
// in nobody more, and nobody at all rather than everybody.
func TestWithout(t *testing.T) {
	app := role.Ref{Account: "111122223333", Name: "app"}
	for name, row := range map[string]struct {
		document string
		refused  []string
		want     string
		reason   string
	}{
		"one of two":                        {allow(alice, vend), []string{vend}, allow(alice), ""},
		"an account in its other spelling":  {allow(alice, "arn:aws:iam::999999999999:root"), []string{"999999999999"}, allow(alice), ""},
		"the only one":                      {allow(vend), []string{vend}, remediate.Quarantine(""), ""},
		"nobody whom it names":              {allow(alice), []string{vend}, allow(alice), ""},
		"everybody is never left out":       {allow("*", alice), []string{"*"}, allow("*", alice), ""},
		"T50: a Deny is not edited":         {several(statement("Allow", alice), statement("Deny", vend)), []string{vend}, "", "never edits a Deny"},
		"a statement beside one that stays": {several(statement("Allow", vend), statement("Allow", alice)), []string{vend}, allow(alice), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := remediate.Without(app, row.document, row.refused)
			if err != nil || !strings.Contains(got.Reason, row.reason) || (row.reason == "") != (got.Reason == "") {
				t.Fatalf("%+v, %v", got, err)
			}
			if row.want != "" && !equal(t, got.Document, row.want) {
				t.Errorf("%s, want %s", got.Document, row.want)
			}
		})
	}
	if _, err := remediate.Without(app, "{", nil); err == nil {
		t.Error("a document that cannot be read was taken")
	}
}
