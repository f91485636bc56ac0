package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/jsii-runtime-go"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

func TestMain(m *testing.M) {
	// The pinned Node, where it is: it halves the time.
	node, err := filepath.Abs(filepath.Join("..", ".ci", "tools", "node_modules", ".bin", "node"))
	if _, missing := os.Stat(node); err == nil && missing == nil && os.Getenv("JSII_NODE") == "" {
		_ = os.Setenv("JSII_NODE", node)
	}
	code := moto.Main(m)
	jsii.Close()
	os.Exit(code)
}

// today is before every exemption of the samples ends.
func today() time.Time { return time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC) }

// The three ways to deploy, with all that there is switched on. Each is
// rendered once for all tests.
var (
	hubWay     = sync.OnceValues(func() (assembly, error) { return rendered("organization.yaml", "hub") })
	membersWay = sync.OnceValues(func() (assembly, error) { return rendered("organization.yaml", "members") })
	singleWay  = sync.OnceValues(func() (assembly, error) { return rendered("single.yaml", "") })
)

// assembly is what the CDK wrote: every file by its name, and the templates by
// the names of their stacks.
type assembly struct {
	files     map[string]string
	templates map[string]stackTemplate
}

// stackTemplate is a CloudFormation template.
type stackTemplate struct {
	Description string
	Parameters  map[string]map[string]any
	Rules       map[string]any
	Resources   map[string]resource
	Outputs     map[string]map[string]any
}

// resource is one resource of a template.
type resource struct {
	Type                                string
	Properties                          map[string]any
	DependsOn                           any
	DeletionPolicy, UpdateReplacePolicy string
}

// load reads one of the deployment files of these tests.
func load(file, way string) (*deployment.Deployment, error) {
	return deployment.Load(filepath.Join("testdata", "deployments", file), deployment.Override{Way: way}, today())
}

// rendered renders a deployment file's templates with code that was not built.
func rendered(file, way string) (assembly, error) {
	d, err := load(file, way)
	if err != nil {
		return assembly{}, err
	}
	return render(d)
}

func render(d *deployment.Deployment) (assembly, error) { return renderWith(d, nil) }

// oneAtATime keeps tests that run side by side from starting the program that the
// CDK runs in twice.
var oneAtATime sync.Mutex

// renderWith renders with context values, as the CDK's command line gives them.
func renderWith(d *deployment.Deployment, given map[string]any) (assembly, error) {
	oneAtATime.Lock()
	defer oneAtATime.Unlock()
	dir, err := os.MkdirTemp("", "rolewarden-infra-test-")
	if err != nil {
		return assembly{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	code, err := buildAssets(context.Background(), stub{filepath.Join(dir, "code")}, d)
	if err != nil {
		return assembly{}, err
	}
	out := filepath.Join(dir, "out")
	err = plainly(func() error {
		return synthesize(newApp(out, given), d, code)
	})
	if err != nil {
		return assembly{}, err
	}
	return readAssembly(out)
}

// stub gives folders with a bootstrap that does nothing.
type stub struct{ root string }

// Build implements builder.
func (s stub) Build(_ context.Context, function string, arch deployment.Architecture) (string, error) {
	folder := filepath.Join(s.root, function)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	return folder, writeStill(filepath.Join(folder, "bootstrap"), []byte(function+" for "+arch.String()), 0o755)
}

func readAssembly(dir string) (assembly, error) {
	a := assembly{files: map[string]string{}, templates: map[string]stackTemplate{}}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		a.files[name] = string(text)
		stack, isTemplate := strings.CutSuffix(name, ".template.json")
		if !isTemplate {
			return nil
		}
		var t stackTemplate
		if err := json.Unmarshal(text, &t); err != nil {
			return fmt.Errorf("reading the template %s: %w", name, err)
		}
		a.templates[stack] = t
		return nil
	})
	if len(a.templates) == 0 {
		err = errors.Join(err, errors.New("no template was written"))
	}
	return a, err
}

// way gives the assembly of a way to deploy.
func way(t *testing.T, get func() (assembly, error)) assembly {
	t.Helper()
	a, err := get()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// cores gives the templates that hold what takes in, judges and tells, by the
// name of their stacks.
func cores(t *testing.T) map[string]stackTemplate {
	t.Helper()
	return map[string]stackTemplate{
		deployment.HubStack:    way(t, hubWay).templates[deployment.HubStack],
		deployment.SingleStack: way(t, singleWay).templates[deployment.SingleStack],
	}
}

// every gives all templates of all ways.
func every(t *testing.T) map[string]stackTemplate {
	t.Helper()
	out := map[string]stackTemplate{}
	for _, get := range []func() (assembly, error){hubWay, membersWay, singleWay} {
		for name, one := range way(t, get).templates {
			out[name] = one
		}
	}
	return out
}

// of gives the resources of a type by their logical ids, of which there must be
// some: a promise about nothing holds for nothing.
func of(t *testing.T, tpl stackTemplate, kind string) map[string]resource {
	t.Helper()
	out := map[string]resource{}
	for id, r := range tpl.Resources {
		if r.Type == kind {
			out[id] = r
		}
	}
	if len(out) == 0 {
		t.Fatalf("the template holds no %s", kind)
	}
	return out
}

// named gives the resource of a type with a name.
func named(t *testing.T, tpl stackTemplate, kind, property, name string) resource {
	t.Helper()
	for _, r := range of(t, tpl, kind) {
		if r.Properties[property] == name {
			return r
		}
	}
	t.Fatalf("the template holds no %s with %s %s", kind, property, name)
	return resource{}
}

// at walks into a value, and gives nil where the way ends.
func at(v any, path ...string) any {
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}

// shown writes a value that may refer to others: {"Ref": "X"} is ${X} and
// {"Fn::GetAtt": ["X", "Arn"]} is ${X.Arn}.
func shown(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return fmt.Sprint(v)
	case map[string]any:
		if ref, ok := v["Ref"].(string); ok {
			return "${" + ref + "}"
		}
		if parts := listOf(v["Fn::GetAtt"]); len(parts) == 2 {
			return "${" + parts[0] + "." + parts[1] + "}"
		}
		if join, ok := v["Fn::Join"].([]any); ok && len(join) == 2 {
			return strings.Join(listOf(join[1]), shown(join[0]))
		}
	}
	return fmt.Sprintf("%v", v)
}

// listOf gives one text or a list of them as a list.
func listOf(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var out []string
		for _, one := range v {
			out = append(out, shown(one))
		}
		return out
	}
	return []string{shown(v)}
}

// number reads a number; it fails the test where there is none.
func number(t *testing.T, v any) float64 {
	t.Helper()
	n, ok := v.(float64)
	if !ok {
		t.Fatalf("%v is no number", v)
	}
	return n
}

// referred gives the logical id that {"Ref": X} or {"Fn::GetAtt": [X, …]} names.
func referred(v any) string {
	id, _, _ := strings.Cut(strings.Trim(shown(v), "${}"), ".")
	return id
}

// statements gives the statements of a policy document.
func statements(t *testing.T, document any) []map[string]any {
	t.Helper()
	var out []map[string]any
	switch list := at(document, "Statement").(type) {
	case []any:
		for _, one := range list {
			if s, ok := one.(map[string]any); ok {
				out = append(out, s)
			}
		}
	case map[string]any:
		out = append(out, list)
	}
	if len(out) == 0 {
		t.Fatalf("%v holds no statement", document)
	}
	return out
}

// policies gives every policy document of a template by where it stands:
// whatever has statements with an effect is one.
func policies(tpl stackTemplate) map[string]any {
	out := map[string]any{}
	var walk func(where string, v any)
	walk = func(where string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, ok := v["Statement"]; ok {
				out[where] = v
			}
			for k, one := range v {
				walk(where+"."+k, one)
			}
		case []any:
			for i, one := range v {
				walk(fmt.Sprintf("%s[%d]", where, i), one)
			}
		}
	}
	for id, r := range tpl.Resources {
		walk(id, map[string]any(r.Properties))
	}
	return out
}

// sortedKeys makes messages come in one order.
func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
