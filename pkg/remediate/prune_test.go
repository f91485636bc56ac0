package remediate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	goneUser = "AIDA3ZFZ4X6FO5HB76XYS"
	goneRole = "AROAZQ3DNV5IY6EXAMPLE"
	odd      = "BXYZ3ZFZ4X6FO5HB76XYS"
)

func several(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func withPolicy(document string) role.Role {
	return role.Role{Partition: "aws", Account: "111122223333", Name: "app", ID: "AROAAPP", TrustPolicy: document}
}

// What pruning makes of a policy, and what it leaves to people.
func TestPrune(t *testing.T) {
	guarded := `{"Effect":"Allow","Principal":{"AWS":["` + goneUser + `","` + alice + `"]},"Action":["sts:AssumeRole"],"Condition":{"StringEquals":{"aws:userid":["` + goneUser + `"]}}}`
	for name, row := range map[string]struct {
		document string
		orphans  []string
		want     string
		dropped  []string
		reason   string
	}{
		"one among others":                              {allow(goneUser, alice), []string{goneUser}, allow(alice), []string{goneUser}, ""},
		"all of a document at once":                     {several(statement("Allow", alice, goneUser), statement("Allow", goneRole, bob)), []string{goneRole, goneUser}, several(statement("Allow", alice), statement("Allow", bob)), []string{goneUser, goneRole}, ""},
		"T49: the last of a statement takes it along":   {several(statement("Allow", goneUser), statement("Allow", alice)), []string{goneUser}, allow(alice), []string{goneUser}, ""},
		"T49: the last of the document stays":           {allow(goneUser), []string{goneUser}, "", nil, "Nobody would be left"},
		"T49: only a Deny would be left":                {several(statement("Allow", goneUser), statement("Deny", "*")), []string{goneUser}, "", nil, "Nobody would be left"},
		"T50: a Deny with an orphan stays":              {several(statement("Allow", alice, goneUser), statement("Deny", goneUser)), []string{goneUser}, "", nil, "never edits a Deny"},
		"T50: a Deny without one stays as it is":        {several(statement("Allow", alice, goneUser), statement("Deny", bob)), []string{goneUser}, several(statement("Allow", alice), statement("Deny", bob)), []string{goneUser}, ""},
		"an ID that may live keeps the others in place": {allow(goneUser, goneRole, alice), []string{goneUser}, "", nil, "not known that it is gone"},
		"T48: no ARN takes the place of an ID":          {allow(goneUser, bob), []string{goneUser}, allow(bob), []string{goneUser}, ""},
		"a condition stays as it is":                    {several(guarded), []string{goneUser}, several(strings.Replace(guarded, `"`+goneUser+`",`, "", 1)), []string{goneUser}, ""},
		"nothing to prune":                              {allow(alice), []string{goneUser}, "", nil, "names none"},
		"T51: a form of ID that is not known":           {allow(odd, alice), []string{odd}, "", nil, "not proven"},
		"a NotPrincipal with an orphan":                 {several(statement("Allow", alice, goneUser), `{"Effect":"Deny","NotPrincipal":{"AWS":["`+goneUser+`"]},"Action":["sts:AssumeRole"]}`), []string{goneUser}, "", nil, "NotPrincipal"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := remediate.Prune(withPolicy(row.document), row.orphans)
			if err != nil {
				t.Fatal(err)
			}
			if (row.reason == "") != (got.Reason == "") || !strings.Contains(got.Reason, row.reason) {
				t.Errorf("reason %q, want %q", got.Reason, row.reason)
			}
			if row.want == "" && got.Document != "" || row.want != "" && !equal(t, got.Document, row.want) {
				t.Errorf("document %s, want %s", got.Document, row.want)
			}
			if diff := cmp.Diff(row.dropped, got.Dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

// What is no unique id is never pruned, whoever asks.
func TestPruneTakesOutIDsOnly(t *testing.T) {
	for _, orphan := range []string{alice, "*", "111122223333", "", "mallory"} {
		if got, err := remediate.Prune(withPolicy(allow(alice, "*")), []string{orphan}); err == nil {
			t.Errorf("%q was pruned: %+v", orphan, got)
		}
	}
	if _, err := remediate.Prune(withPolicy("{"), []string{goneUser}); err == nil {
		t.Error("a policy that cannot be read was pruned")
	}
}

// Prune lets in the same callers as before, leaves every Deny as it is, and
// leaves neither an ID nor a policy without an Allow.
func TestPruneChangesNothingForAnybody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := baselines().Draw(t, "policy")
		orphans := rapid.SampledFrom([][]string{{goneUser}, {}}).Draw(t, "orphans")
		got, err := remediate.Prune(withPolicy(b.Document), orphans)
		if err != nil {
			t.Fatal(err)
		}
		checkPruned(t, b.Document, orphans, got)
	})
}

// fails is what tests and properties have in common.
type fails interface {
	Helper()
	Fatalf(string, ...any)
}

func checkPruned(t fails, document string, orphans []string, got remediate.Pruned) {
	t.Helper()
	if got.Document == "" {
		if got.Reason == "" {
			t.Fatalf("refused without a reason")
		}
		return
	}
	old, pruned := read(t, document), read(t, got.Document)
	if diff := cmp.Diff(denies(old), denies(pruned)); diff != "" {
		t.Fatalf("Denies (-before +after):\n%s", diff)
	}
	names := allowed(pruned)
	if len(names) == 0 && !slices.ContainsFunc(pruned.Statements, func(s policy.Statement) bool { return s.Effect == policy.Allow }) {
		t.Fatalf("nobody is left in %s", got.Document)
	}
	for _, name := range allowed(old) {
		if gone := slices.Contains(orphans, name); gone == slices.Contains(names, name) {
			t.Fatalf("%s of %s: gone %v, left %v", name, document, gone, names)
		}
	}
	for _, name := range names {
		if !slices.Contains(allowed(old), name) {
			t.Fatalf("%s is new in %s", name, got.Document)
		}
	}
	c := proof.Compare(old, pruned, proof.World{Own: "111122223333"})
	if c.New.Outcome != proof.None || c.Lost.Outcome != proof.None {
		t.Fatalf("%s lets in others than %s: %+v", got.Document, document, c)
	}
}

// A task to prune writes nothing but the judged policy without ids.
func TestATaskPrunesNothingElse(t *testing.T) {
	judged := several(statement("Allow", alice, goneUser), statement("Deny", bob))
	task := func(document string) remediate.Task {
		return remediate.Task{Decision: decision.Decision{ID: "d1", Action: decision.Prune}, Role: withPolicy(judged), Document: document}
	}
	for name, row := range map[string]struct {
		document string
		fine     bool
	}{
		"what Prune gives":    {several(statement("Allow", alice), statement("Deny", bob)), true},
		"a living principal":  {several(statement("Allow", goneUser), statement("Deny", bob)), false},
		"somebody new":        {several(statement("Allow", alice, vend), statement("Deny", bob)), false},
		"everybody":           {several(statement("Allow", "*"), statement("Deny", bob)), false},
		"a Deny less":         {allow(alice), false},
		"a quarantine":        {remediate.Quarantine("d1"), false},
		"the same once more":  {judged, false},
		"what is no document": {"{", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.role = withPolicy(judged)
			out, err := f.apply(t, task(row.document))
			if (err == nil) != row.fine || row.fine != (out.Done == decision.Prune) {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}
