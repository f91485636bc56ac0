package trail_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/trail"
)

// notTrust lists calls that look like writing a role's trust policy and do not.
func notTrust() map[string]string {
	return map[string]string{
		"PutRolePolicy":         "writes a permission policy",
		"UpdateRoleDescription": "gives the role back and changes its description only",
	}
}

// T8: when the SDK learns a new call that gives a role a trust policy, this test
// fails until the table of events has it.
func TestTheTableHasEveryCallThatWritesTrust(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, e := range trail.Events() {
		known[e.Name] = true
	}
	found := trustWriters(t, sdkFolder(t))
	for op, why := range found {
		if notTrust()[op] == "" && !known[op] {
			t.Errorf("%s %s: add it to the table of events, or say in this test why it writes no trust policy", op, why)
		}
	}
	for _, op := range []string{"AcquireRole", "CreateRole", "CreateServiceLinkedRole", "PutRolePolicy", "UpdateAssumeRolePolicy", "UpdateRoleDescription"} {
		if found[op] == "" {
			t.Errorf("%s was not found: this test no longer reads the SDK", op)
		}
	}
}

// sdkFolder gives the folder of the SDK's source of IAM.
func sdkFolder(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/iam")
	out, err := cmd.Output()
	dir := strings.TrimSpace(string(out))
	if err == nil && dir != "" {
		return dir
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("the source of the SDK's service/iam is not there: %v", err)
	}
	t.Skip("the source of the SDK's service/iam is not there: run `go mod download`")
	return ""
}

// trustWriters reads the inputs and outputs of all calls that are no reads, and
// gives those that take a document for a role, or give back a role, with why.
func trustWriters(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "api_op_*.go"))
	if err != nil || len(files) < 100 {
		t.Fatalf("%d calls in %s: %v", len(files), dir, err)
	}
	out := map[string]string{}
	for _, file := range files {
		op := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "api_op_"), ".go")
		if slices.ContainsFunc([]string{"Get", "List", "Simulate", "Generate"}, func(read string) bool { return strings.HasPrefix(op, read) }) {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		in, back := fields(syntax, op+"Input"), fields(syntax, op+"Output")
		switch {
		case slices.ContainsFunc(in, func(f string) bool {
			return strings.Contains(f, "AssumeRolePolicy") || strings.Contains(f, "TrustPolicy")
		}):
			out[op] = "takes a trust policy"
		case slices.Contains(in, "RoleName") && slices.ContainsFunc(in, func(f string) bool { return strings.Contains(f, "PolicyDocument") }):
			out[op] = "takes a document for a role"
		case slices.Contains(back, "Role"):
			out[op] = "gives back a role"
		}
	}
	return out
}

// fields gives the names of a struct's fields.
func fields(file *ast.File, name string) []string {
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != name {
			return true
		}
		if body, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range body.Fields.List {
				for _, id := range f.Names {
					out = append(out, id.Name)
				}
			}
		}
		return false
	})
	return out
}
