package remediate_test

import (
	"slices"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// FuzzOrphanEditor edits any policy as if some of its principals were gone: by
// Prune and by Restore. Neither lets in anybody more, touches a Deny, empties a
// policy, or leaves "*" where there was none (T48, T49, T50).
func FuzzOrphanEditor(f *testing.F) {
	f.Add(allow(goneUser, alice), uint16(1), uint16(1))
	f.Add(several(statement("Allow", goneUser), statement("Deny", goneRole), statement("Allow", "*")), uint16(3), uint16(0))
	f.Fuzz(func(t *testing.T, document string, gone, known uint16) {
		old, err := policy.Parse([]byte(document))
		if err != nil || len(document) > 4096 {
			return
		}
		var ids []string
		recorded, now := map[string]string{}, map[string]string{}
		for i, p := range everybody(old) {
			if p.OrphanLike() && gone>>(i%16)&1 == 1 {
				ids = append(ids, p.Value)
			}
			if known>>(i%16)&1 == 1 {
				recorded[p.Value], now[p.Value] = "AIDA1", "AIDA1"
				if gone>>(i%16)&1 == 1 {
					now[p.Value] = "AIDA2"
				}
			}
		}
		pruned, err := remediate.Prune(role.Role{Partition: "aws", Account: "111122223333", Name: "app", TrustPolicy: document}, ids)
		if err != nil {
			t.Fatal(err)
		}
		checkEdit(t, old, pruned.Document, pruned.Reason)
		restored, err := remediate.Restore(role.Baseline{Account: "111122223333", Document: document, Principals: recorded}, now, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !remediate.IsQuarantine(restored.Document) && restored.Document != document {
			checkEdit(t, old, restored.Document, restored.Reason)
		}
	})
}

func everybody(d policy.Document) []policy.Principal {
	var out []policy.Principal
	for _, s := range d.Statements {
		out = append(append(out, s.Principal.List...), s.NotPrincipal.List...)
	}
	return out
}

func checkEdit(t *testing.T, old policy.Document, text, reason string) {
	t.Helper()
	if text == "" {
		if reason == "" {
			t.Fatal("refused without a reason")
		}
		return
	}
	edited, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if len(edited.Statements) == 0 {
		t.Fatal("emptied")
	}
	if !slices.EqualFunc(denies(old), denies(edited), func(a, b policy.Statement) bool { return printed(a) == printed(b) }) {
		t.Fatalf("a Deny changed: %s", text)
	}
	was := everybody(old)
	for _, p := range everybody(edited) {
		if !slices.Contains(was, p) {
			t.Fatalf("%s is new in %s", p.Value, text)
		}
	}
	for _, s := range edited.Statements {
		if !s.Principal.Star && len(s.Principal.List) == 0 && !s.NotPrincipal.Present() {
			t.Fatalf("a statement for nobody in %s", text)
		}
	}
	if a := proof.Compare(old, edited, proof.World{Own: "111122223333"}).New; a.Outcome != proof.None {
		t.Fatalf("%s lets in more than %s: %+v", text, old.Print(), a)
	}
}

func printed(s policy.Statement) string {
	return string(policy.Document{Statements: []policy.Statement{s}}.Print())
}
