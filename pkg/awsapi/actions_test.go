package awsapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/decision"
)

// callsIn gives the AWS calls in a file, each use of a service's XInput being a
// call of X, and notes every name that is selected from something.
func callsIn(t *testing.T, file string, selected map[string]bool) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	must(t, err)
	services := map[string]string{}
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		must(t, err)
		if dir, name := path.Split(p); strings.HasSuffix(dir, "/service/") {
			services[name] = name
			if i.Name != nil {
				services[i.Name.Name] = name
			}
		}
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		selected[s.Sel.Name] = true
		if x, ok := s.X.(*ast.Ident); ok && services[x.Name] != "" && strings.HasSuffix(s.Sel.Name, "Input") {
			out = append(out, services[x.Name]+":"+strings.TrimSuffix(s.Sel.Name, "Input"))
		}
		return true
	})
	return out
}

// The permissions that are deployed are made from the list: a call that is not
// in it fails in AWS, one too many is a permission nobody needs.
func TestTheListOfActionsIsWhatTheCodeCalls(t *testing.T) {
	got, selected := map[string]bool{}, map[string]bool{}
	files, err := filepath.Glob("*.go")
	must(t, err)
	below, err := filepath.Glob("inspect/*.go")
	must(t, err)
	for _, file := range append(files, below...) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, call := range callsIn(t, file, selected) {
			got[call] = true
		}
	}
	for call := range got {
		if _, name, _ := strings.Cut(call, ":"); !selected[name] {
			t.Errorf("the input of %s is made and the call is not", call)
		}
	}
	want := map[string]bool{}
	for _, a := range actions.All() {
		want[a.Name] = true
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); d != "" {
		t.Errorf("the calls (-listed +made):\n%s", d)
	}
}

// The member roles must allow what the sessions in them are narrowed to, in all
// their shapes.
func TestSessionsAreWithinTheList(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		name := unique(t, "App")
		makeRole(t, w, name, "/")
		a := w.accounts(t)
		w.wire.take()
		r, err := a.Role(t.Context(), ref(name))
		must(t, err)
		// The lab may not know the call; the session that it is made in is looked at.
		_, _, _, _ = a.Details(t.Context(), prod, "")
		for _, action := range []decision.Action{decision.Tag, decision.Revert, decision.Quarantine, decision.Clear} {
			_, err := a.Writer(t.Context(), r, decide(action))
			must(t, err)
		}
		for _, action := range []decision.Action{decision.Revert, decision.Quarantine} {
			_, err := a.Container(t.Context(), r, decide(action))
			must(t, err)
		}
		reads := append(actions.Permissions(actions.Guard, actions.Reader), actions.Permissions(actions.Sweep, actions.Reader)...)
		slices.Sort(reads)
		listed := map[bool][]string{true: slices.Compact(reads), false: actions.Permissions(actions.Guard, actions.Writer)}
		asked := map[bool][]string{}
		for _, s := range w.wire.take() {
			if s.call != "sts:AssumeRole" {
				continue
			}
			reader := strings.Contains(s.form.Get("RoleArn"), "reader")
			calls := regexp.MustCompile(`iam:[A-Za-z]+`).FindAllString(s.form.Get("Policy"), -1)
			asked[reader] = append(asked[reader], calls...)
			if slices.Contains(calls, "iam:PutRolePermissionsBoundary") && slices.Contains(calls, "iam:UpdateAssumeRolePolicy") {
				t.Errorf("one session writes the trust policy and the boundary: %v", calls)
			}
		}
		for reader, calls := range asked {
			slices.Sort(calls)
			if d := cmp.Diff(listed[reader], slices.Compact(calls)); d != "" {
				t.Errorf("reader %v: the permissions (-listed +asked):\n%s", reader, d)
			}
		}
	})
}

func TestEveryActionIsSpelledLikeAPermission(t *testing.T) {
	form := regexp.MustCompile(`^[a-z]+:[A-Z][A-Za-z]+$`)
	for _, a := range actions.All() {
		for _, p := range append(a.Permissions(), a.Name) {
			if !form.MatchString(p) {
				t.Errorf("%q is no permission", p)
			}
		}
		if !slices.Contains(append(actions.People(), actions.Guard, actions.Notify, actions.Sweep, actions.Canary, actions.Doctor), a.Function) {
			t.Errorf("%s is called by %q, which is no function and no verb", a.Name, a.Function)
		}
	}
}
